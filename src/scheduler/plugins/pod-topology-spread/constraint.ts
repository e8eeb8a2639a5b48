/** Spread constraints, compiled for one pod. Source: podtopologyspread/common.go. */
import type { TopologySpreadConstraint } from "#api/core/v1/pod-spec.ts";
import { getOwn } from "#apimachinery/maps.ts";
import type { Requirement } from "#apimachinery/label-requirement.ts";
import { labelSelectorOf, type Selector, selectorOf } from "#apimachinery/selectors.ts";
import { requiredNodeMatcher } from "../../node-selection.ts";
import type { NodeInfo } from "../../node-info.ts";
import type { PodInfo } from "../../pod-info.ts";
import { firstUntolerated } from "../../toleration.ts";

export interface Constraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly selector: Selector;
  readonly minDomains: number;
  /** Whether a node counts, by the pod's affinity and tolerations. */
  readonly includes: (node: NodeInfo) => boolean;
}

export const hostnameKey = "kubernetes.io/hostname";
export const zoneKey = "topology.kubernetes.io/zone";

export type WhenUnsatisfiable = "DoNotSchedule" | "ScheduleAnyway";

/** `selector`: in place of the constraints' own, for those that are not the pod's. */
export function compileConstraints(
  pod: PodInfo,
  constraints: readonly TopologySpreadConstraint[],
  { when, selector }: { readonly when: WhenUnsatisfiable; readonly selector?: Selector },
): Constraint[] {
  const matchesNode = requiredNodeMatcher(pod.pod);
  const tolerations = pod.pod.spec.tolerations ?? [];
  return constraints
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === when)
    .map((constraint) => {
      const affinity = constraint.nodeAffinityPolicy !== "Ignore";
      const taints = constraint.nodeTaintsPolicy === "Honor";
      return {
        maxSkew: constraint.maxSkew,
        topologyKey: constraint.topologyKey,
        selector: selector ?? selectorFor(pod, constraint),
        minDomains: constraint.minDomains ?? 1,
        includes: (node) =>
          !(affinity && matchesNode !== undefined && !matchesNode(node)) &&
          !(taints && firstUntolerated(node.taints, tolerations, ["NoSchedule", "NoExecute"])),
      };
    });
}

/** `matchLabelKeys` narrow the selector to pods that share the pod's own values. */
function selectorFor({ labels }: PodInfo, constraint: TopologySpreadConstraint): Selector {
  const selector = labelSelectorOf(constraint.labelSelector);
  const added = (constraint.matchLabelKeys ?? []).flatMap((key): Requirement[] => {
    const value = getOwn(labels, key);
    return value === undefined ? [] : [{ key, operator: "in", values: [value] }];
  });
  if (added.length === 0 || selector.nothing) return selector;
  return selectorOf([...selector.requirements, ...added]);
}

/** Pods of the pod's namespace on a node that the selector means; those that go do not count. */
export function countMatching(node: NodeInfo, namespace: string, selector: Selector): number {
  if (selector.nothing) return 0;
  let count = 0;
  for (const other of node.pods.values()) {
    if (!other.terminating && other.namespace === namespace && selector.matches(other.labels)) count++;
  }
  return count;
}

export function hasAllKeys(node: NodeInfo, constraints: readonly Constraint[]): boolean {
  return constraints.every(({ topologyKey }) => getOwn(node.labels, topologyKey) !== undefined);
}
