/** On which node to make room. Source: framework/preemption/preemption.go. */
import type { PodDisruptionBudget } from "#api/policy/v1/pod-disruption-budget.ts";
import type { Cluster } from "../../cluster.ts";
import type { FailedAttempt, Status } from "../../framework.ts";
import { countReasons, misfitText } from "../../failure-text.ts";
import type { NodeInfo } from "../../node-info.ts";
import { startTime, type Victims, victimsOn } from "./victims.ts";

export interface Search {
  readonly cluster: Cluster;
  readonly budgets: readonly PodDisruptionBudget[];
  /** Candidates that are enough, of so many nodes. */
  readonly enough: (nodes: number) => number;
  /** Where to begin, among so many nodes. */
  readonly offset: (nodes: number) => number;
}

export interface Candidates {
  readonly candidates: readonly Victims[];
  /** Why there are none. */
  readonly message: string;
}

const notHelpful = "Preemption is not helpful for scheduling";

export function findCandidates(attempt: FailedAttempt, search: Search): Candidates {
  const potential = search.cluster.nodes.filter(
    (node): node is NodeInfo => node !== undefined && attempt.statusOf(node)?.code === "Unschedulable",
  );
  const harmless: Victims[] = [];
  const violating: Victims[] = [];
  const refusals: Status[] = [];
  const enough = search.enough(potential.length);
  const offset = potential.length === 0 ? 0 : search.offset(potential.length);
  for (let i = 0; i < potential.length; i++) {
    const node = potential[(offset + i) % potential.length] as NodeInfo;
    const found = attempt.remember(node, search.budgets, () => victimsOn(node, attempt, search.budgets));
    if ("code" in found) refusals.push(found);
    else if (found.pods.length > 0) (found.violationCount === 0 ? harmless : violating).push(found);
    if (harmless.length > 0 && harmless.length + violating.length >= enough) break;
  }
  return {
    candidates: [...harmless, ...violating],
    message: refusedText(refusals, search.cluster.nodeCount),
  };
}

function refusedText(refusals: readonly Status[], nodeCount: number): string {
  const reasons = new Map(countReasons(refusals));
  const rest = nodeCount - refusals.length;
  if (rest > 0) reasons.set(notHelpful, (reasons.get(notHelpful) ?? 0) + rest);
  return misfitText({ nodeCount, reasons, postFilterMessage: "" });
}

/** Lower is better; the next one decides among equals. */
const costs: readonly ((victims: Victims) => number)[] = [
  ({ violationCount }) => violationCount,
  ({ pods }) => pods[0]?.priority ?? 0,
  // Shifted, so that more victims never cost less than fewer.
  ({ pods }) => pods.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
  ({ pods }) => pods.length,
];

export function bestCandidate(candidates: readonly Victims[]): Victims | undefined {
  let left = candidates;
  for (const cost of costs) {
    if (left.length <= 1) return left[0];
    const values = left.map(cost);
    const least = Math.min(...values);
    left = left.filter((_, i) => values[i] === least);
  }
  // Whoever began last of the most important has the least to lose.
  return left.reduce<Victims | undefined>(
    (best, each) => (best === undefined || earliestStart(each) > earliestStart(best) ? each : best),
    undefined,
  );
}

function earliestStart({ pods }: Victims): string {
  const highest = pods[0]?.priority ?? 0;
  const starts = pods.filter(({ priority }) => priority === highest).map(startTime);
  return starts.toSorted()[0] ?? "";
}
