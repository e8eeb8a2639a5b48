/** Who has to go from a node. Source: defaultpreemption/default_preemption.go. */
import type { PodDisruptionBudget } from "#api/policy/v1/pod-disruption-budget.ts";
import { isEverything, labelSelectorOf } from "#apimachinery/selectors.ts";
import { type FailedAttempt, type Status, unresolvable } from "../../framework.ts";
import { addPodTo, type NodeInfo, removePodFrom, supposedNode } from "../../node-info.ts";
import type { PodInfo } from "../../pod-info.ts";

export interface Victims {
  readonly node: NodeInfo;
  /** The most important first; never empty. */
  readonly pods: readonly PodInfo[];
  /** Of `pods`: those whose going breaks a PodDisruptionBudget. */
  readonly violationCount: number;
}

const noVictims = unresolvable("No preemption victims found for incoming pod");

/** The fewest and least important pods whose going lets the pod in; a status: there are none. */
export function victimsOn(
  node: NodeInfo,
  { pod, fits }: FailedAttempt,
  budgets: readonly PodDisruptionBudget[],
): Victims | Status {
  const lower = [...node.pods.values()].filter((other) => other.priority < pod.priority);
  if (lower.length === 0) return noVictims;
  const supposed = supposedNode(node);
  for (const { uid } of lower) removePodFrom(supposed, uid);
  const refusal = fits(supposed);
  if (refusal !== undefined) return refusal;
  const ordered = lower.toSorted(byImportance);
  const { violating, others } = splitByBudgets(ordered, budgets);
  const gone = new Set<PodInfo>();
  // Those under a budget are the first to be spared.
  for (const candidate of [...violating, ...others]) {
    addPodTo(supposed, candidate);
    if (fits(supposed) === undefined) continue;
    removePodFrom(supposed, candidate.uid);
    gone.add(candidate);
  }
  const pods = ordered.filter((candidate) => gone.has(candidate));
  const violationCount = violating.filter((candidate) => gone.has(candidate)).length;
  return { node, pods, violationCount };
}

/** Higher priority first, then those that have run longer. Source: util.MoreImportantPod. */
export function byImportance(a: PodInfo, b: PodInfo): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  const [first, second] = [startTime(a), startTime(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

/** RFC 3339, so texts compare as times; pods that did not start yet come last. */
export function startTime({ pod }: PodInfo): string {
  return pod.status?.startTime ?? "9";
}

/** In going, for another pod's sake. */
export function isPreempted({ pod, terminating }: PodInfo): boolean {
  return (
    terminating &&
    (pod.status?.conditions ?? []).some(
      ({ type, status, reason }) =>
        type === "DisruptionTarget" && status === "True" && reason === "PreemptionByScheduler",
    )
  );
}

function splitByBudgets(
  pods: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): { readonly violating: PodInfo[]; readonly others: PodInfo[] } {
  const left = budgets.map(({ status }) => status?.disruptionsAllowed ?? 0);
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const pod of pods) {
    let violates = false;
    for (const [i, budget] of budgets.entries()) {
      if (!covers(budget, pod)) continue;
      left[i] = (left[i] as number) - 1;
      if ((left[i] as number) < 0) violates = true;
    }
    (violates ? violating : others).push(pod);
  }
  return { violating, others };
}

/** A budget without a selector covers none; pods that are being disrupted already are counted off. */
function covers({ metadata, spec, status }: PodDisruptionBudget, { namespace, name, labels }: PodInfo): boolean {
  if (metadata?.namespace !== namespace) return false;
  const selector = labelSelectorOf(spec?.selector);
  if (isEverything(selector) || !selector.matches(labels)) return false;
  return !Object.hasOwn(status?.disruptedPods ?? {}, name);
}
