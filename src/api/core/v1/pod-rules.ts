import type { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import type { ObjectMeta } from "#apimachinery/object.ts";
import type { FeatureReader, StrategyContext } from "#apimachinery/resource.ts";
import { checkLabelValue } from "#apimachinery/validation/names.ts";
import { isInt32Text } from "#apimachinery/validation/syntax.ts";
import type { PodSpec, PodTemplateSpec } from "./pod-spec.ts";

export const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

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

type Tolerated = Omit<PodRules, "isPod" | "features" | "allowPrivileged">;

/** What an old Pod or template had wrong and its successor may keep. */
export function toleratedOf(meta: ObjectMeta, spec: PodSpec): Tolerated {
  const cost = meta.annotations?.[deletionCostAnnotation];
  return {
    allowInvalidDeletionCost: cost !== undefined && !isInt32Text(cost),
    allowInvalidSelectorValues: hasInvalidSelectorValues(spec),
    allowInvalidNodeAffinityValues: hasInvalidNodeAffinityValues(spec),
    oldIps: [
      ...(spec.dnsConfig?.nameservers ?? []),
      ...(spec.hostAliases ?? []).map(({ ip }) => ip),
    ],
  };
}

/** The rules for a template in another kind. */
export function templateRules(
  { features, allowPrivileged = true }: StrategyContext,
  old?: PodTemplateSpec,
): PodRules {
  const tolerated = old === undefined ? {} : toleratedOf(old.metadata, old.spec);
  return { isPod: false, features, allowPrivileged, ...tolerated };
}

function isInvalid(selector: LabelSelector | undefined): boolean {
  const values = (selector?.matchExpressions ?? []).flatMap(({ values: own = [] }) => own);
  return values.some((value) => checkLabelValue(value).length > 0);
}

function hasInvalidSelectorValues({ affinity }: PodSpec): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((side) => {
    const preferred = side?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const terms = [
      ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...preferred.map((term) => term.podAffinityTerm),
    ];
    return terms.some((term) => isInvalid(term.labelSelector) || isInvalid(term.namespaceSelector));
  });
}

function hasInvalidNodeAffinityValues({ affinity }: PodSpec): boolean {
  const node = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const expressions = (node?.nodeSelectorTerms ?? []).flatMap(
    (term) => term.matchExpressions ?? [],
  );
  const values = expressions.flatMap(({ values: own = [] }) => own);
  return values.some((value) => checkLabelValue(value).length > 0);
}
