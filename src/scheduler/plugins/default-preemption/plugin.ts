import {
  type Context,
  definePlugin,
  type FailedAttempt,
  pending,
  type PostFilterResult,
  unschedulable,
} from "../../framework.ts";
import type { PodInfo } from "../../pod-info.ts";
import { bestCandidate, findCandidates } from "./candidates.ts";
import { evict } from "./eviction.ts";
import { isPreempted } from "./victims.ts";

interface Args {
  readonly minCandidateNodesPercentage: number;
  readonly minCandidateNodesAbsolute: number;
}

/** Makes room for pods by removing less important ones. Source: scheduler DefaultPreemption. */
export const defaultPreemption = definePlugin<Args>({
  name: "DefaultPreemption",
  args: { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 },
  readArgs(given) {
    const { minCandidateNodesPercentage = 10, minCandidateNodesAbsolute = 100 } = (given ?? {}) as Partial<Args>;
    if (minCandidateNodesPercentage < 0 || minCandidateNodesPercentage > 100) {
      throw new Error(
        `minCandidateNodesPercentage: Invalid value: ${minCandidateNodesPercentage}: not in valid range [0, 100]`,
      );
    }
    return { minCandidateNodesPercentage, minCandidateNodesAbsolute };
  },
  preEnqueue: ({ uid }, { preempting }) =>
    preempting.has(uid) ? pending("waiting for the preemption for this pod to be finished") : undefined,
  async postFilter(attempt, context) {
    context.metrics?.preemptionAttempted();
    const result = await preempt(attempt, context);
    const { status } = result;
    if (status === undefined) return result;
    const reasons = status.reasons.map((reason) => `preemption: ${reason}`);
    return { ...result, status: { ...status, reasons } };
  },
});

async function preempt(attempt: FailedAttempt, context: Context<Args>): Promise<PostFilterResult> {
  const ineligible = ineligibility(attempt, context);
  if (ineligible !== undefined) return { status: unschedulable(ineligible) };
  const { args, random } = context;
  const found = findCandidates(attempt, {
    cluster: context.cluster,
    budgets: context.listers.podDisruptionBudgets.list(),
    enough: (nodes) =>
      Math.min(
        nodes,
        Math.max(Math.trunc((nodes * args.minCandidateNodesPercentage) / 100), args.minCandidateNodesAbsolute),
      ),
    offset: (nodes) => random.below(nodes),
  });
  const { extenders } = context;
  const asked = found.candidates.length > 0 && extenders?.concerned(attempt.pod) === true;
  const best = bestCandidate(asked ? await extenders.preempt(attempt.pod, found.candidates) : found.candidates);
  if (best === undefined) return { nominatedNodeName: "", status: unschedulable(found.message) };
  context.metrics?.preempted(best.pods.length);
  evict(attempt.pod, best, context);
  return { nominatedNodeName: best.node.name };
}

function ineligibility({ pod, statusOf }: FailedAttempt, { cluster }: Context<Args>): string | undefined {
  if (pod.pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const nominated = cluster.node(pod.pod.status?.nominatedNodeName ?? "");
  if (nominated === undefined) return undefined;
  if (statusOf(nominated)?.code === "UnschedulableAndUnresolvable") return undefined;
  const leaving = (other: PodInfo): boolean => other.priority < pod.priority && isPreempted(other);
  return [...nominated.pods.values()].some(leaving)
    ? "not eligible due to a terminating pod on the nominated node."
    : undefined;
}
