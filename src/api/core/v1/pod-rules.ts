import type { FeatureReader } from "#apimachinery/resource.ts";

/**
 * What the checks of a Pod's parts must know of the whole. What an old object was allowed, it may
 * keep. Source: PodValidationOptions.
 */
export interface PodRules {
  /** A Pod itself, not a template in another kind. */
  readonly isPod: boolean;
  readonly features: FeatureReader;
  /** Default true. */
  readonly allowPrivileged?: boolean;
  /** Old Pods may have a deletion cost that is no number. */
  readonly allowInvalidDeletionCost?: boolean;
  readonly allowInvalidSelectorValues?: boolean;
  readonly allowInvalidSpreadSelectors?: boolean;
  readonly allowInvalidNodeAffinityValues?: boolean;
  readonly allowIndivisibleHugePages?: boolean;
  /** IPs that the old object had. */
  readonly oldIps?: readonly string[];
}
