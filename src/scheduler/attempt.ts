/** One try to find a node for a pod. Decides, and changes nothing. */
import type { Cluster } from "./cluster.ts";
import type { Choice, Evaluation, Refusal } from "./evaluation.ts";
import type { ExtenderCalls } from "./extender-calls.ts";
import type { FailedAttempt, PostFilterResult, Status } from "./framework.ts";
import { misfitText, noNodesMessage } from "./failure-text.ts";
import type { Nominator } from "./nominator.ts";
import type { PodInfo } from "./pod-info.ts";
import { feasibleNodesEnough } from "./profile.ts";
import type { ProfileRuntime } from "./profile-runtime.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { namesMax, type NodeScores, type RefusalGroup } from "./why.ts";

export interface Found {
  readonly outcome: "found";
  readonly evaluation: Evaluation;
  readonly choice: Choice;
}

export interface Misfitted {
  readonly outcome: "misfit";
  readonly refusals: readonly RefusalGroup[];
  readonly refusedBy: ReadonlySet<string>;
  readonly nodeCount: number;
  readonly refusedByOne?: Status;
  /** For those who may make room. */
  readonly failed: FailedAttempt;
}

export interface AttemptOptions {
  readonly runtime: ProfileRuntime;
  readonly cluster: Cluster;
  readonly nominator: Nominator;
  readonly below: (limit: number) => number;
  readonly stopwatch: Stopwatch;
}

/** Throws what a plugin throws, or an error of its own for a status with code `Error`. */
export function attempt(pod: PodInfo, options: AttemptOptions): Found | Misfitted {
  const { runtime, cluster, nominator } = options;
  const evaluation = evaluationFor(pod, options);
  if (!("choose" in evaluation)) return refusedAtOnce(pod, evaluation, cluster);
  const choice =
    chooseNominated(pod, evaluation, options) ??
    evaluation.choose(pod, {
      nominator,
      below: options.below,
      start: runtime.searchStart,
      feasibleMax: runtime.wholeSearch(evaluation)
        ? Infinity
        : feasibleNodesEnough(cluster.nodeCount, runtime.profile.percentageOfNodesToScore),
    });
  options.stopwatch.lap("Filter", choice === undefined ? "Unschedulable" : "Success");
  if (choice === undefined) return misfit(pod, evaluation, options);
  runtime.searchStart = (runtime.searchStart + choice.evaluatedCount) % Math.max(1, cluster.nodeCount);
  evaluation.uses++;
  return { outcome: "found", evaluation, choice };
}

function evaluationFor(pod: PodInfo, { runtime, stopwatch }: AttemptOptions): Evaluation | Refusal {
  const evaluation = runtime.evaluationOf(pod);
  stopwatch.lap("PreFilter", "choose" in evaluation ? "Success" : "Unschedulable");
  return evaluation;
}

/** As `attempt`, for pods that extenders have a say about. */
export async function attemptExtended(
  pod: PodInfo,
  options: AttemptOptions,
  extenders: ExtenderCalls,
): Promise<Found | Misfitted> {
  const { cluster, nominator, below } = options;
  const evaluation = evaluationFor(pod, options);
  if (!("choose" in evaluation)) return refusedAtOnce(pod, evaluation, cluster);
  const feasible = evaluation.feasible(pod, nominator);
  options.stopwatch.lap("Filter", feasible.length === 0 ? "Unschedulable" : "Success");
  if (feasible.length === 0) return misfit(pod, evaluation, options);
  const totals = evaluation.totalsOf(feasible);
  const { nodes, refusals } = await extenders.filter(pod, feasible);
  if (nodes.length === 0) return withRefusals(misfit(pod, evaluation, options), refusals);
  const added = nodes.length > 1 ? await extenders.prioritize(pod, nodes) : new Map<string, number>();
  const sums = nodes.map((node) => (totals[feasible.indexOf(node)] ?? 0) + (added.get(node.name) ?? 0));
  const greatest = Math.max(...sums);
  const best = nodes.filter((_, i) => sums[i] === greatest);
  const only = best[best.length > 1 ? below(best.length) : 0];
  const choice = only && evaluation.choose(pod, { nominator, below, start: 0, feasibleMax: 1, only });
  if (choice === undefined) throw new Error("node changed while extenders were asked");
  return { outcome: "found", evaluation, choice };
}

function withRefusals(result: Misfitted, refusals: ReadonlyMap<string, Status>): Misfitted {
  const groups = [...refusals].flatMap(([node, { code, reasons }]) =>
    reasons.map((reason) => ({
      plugin: "Extender",
      reason,
      resolvable: code === "Unschedulable",
      nodeCount: 1,
      nodes: [node],
    })),
  );
  return {
    ...result,
    refusals: [...result.refusals, ...groups],
    failed: {
      ...result.failed,
      statusOf: (node) => refusals.get(node.name) ?? result.failed.statusOf(node),
    },
  };
}

/** The node that room was made on comes first. */
function chooseNominated(
  pod: PodInfo,
  evaluation: Evaluation,
  { nominator, cluster, below }: AttemptOptions,
): Choice | undefined {
  const name = nominator.nodeOf(pod.uid) ?? pod.pod.status?.nominatedNodeName ?? "";
  const node = name === "" ? undefined : cluster.node(name);
  if (node === undefined) return undefined;
  return evaluation.choose(pod, { nominator, below, start: 0, feasibleMax: 1, only: node });
}

function refusedAtOnce(pod: PodInfo, { plugin, status }: Refusal, cluster: Cluster): Misfitted {
  raiseErrors(status);
  const refusals = status.reasons.map((reason) => ({
    plugin,
    reason,
    resolvable: status.code === "Unschedulable",
    nodeCount: cluster.nodeCount,
    nodes: [],
  }));
  return {
    outcome: "misfit",
    refusals,
    refusedBy: new Set([plugin]),
    nodeCount: cluster.nodeCount,
    refusedByOne: status,
    failed: {
      pod,
      statusOf: () => status,
      fits: () => status,
      remember: (_node, _basis, find) => find(),
    },
  };
}

function misfit(pod: PodInfo, evaluation: Evaluation, { cluster, nominator }: AttemptOptions): Misfitted {
  type Group = RefusalGroup & { nodeCount: number; nodes: string[] };
  const groups = new Map<string, Group>();
  /** Equal statuses are one value mostly, and far fewer than nodes. */
  const groupsOf = new Map<Status, { readonly plugin: string; readonly groups: readonly Group[] }>();
  const refusedBy = new Set<string>();
  for (const node of cluster.nodes) {
    if (node === undefined) continue;
    const refusal = evaluation.refusalOf(node);
    if (refusal === undefined) continue;
    const { plugin, status } = refusal;
    let counted = groupsOf.get(status);
    if (counted?.plugin !== plugin) {
      raiseErrors(status);
      refusedBy.add(plugin);
      const resolvable = status.code === "Unschedulable";
      const ofStatus = status.reasons.map((reason) => {
        const key = `${plugin}\n${reason}`;
        const group = groups.get(key) ?? { plugin, reason, resolvable, nodeCount: 0, nodes: [] };
        groups.set(key, group);
        return group;
      });
      counted = { plugin, groups: ofStatus };
      groupsOf.set(status, counted);
    }
    for (const group of counted.groups) {
      group.nodeCount++;
      if (group.nodes.length < namesMax) group.nodes.push(node.name);
    }
  }
  return {
    outcome: "misfit",
    refusals: [...groups.values()],
    refusedBy,
    nodeCount: cluster.nodeCount,
    failed: {
      pod,
      statusOf: (node) => evaluation.refusalOf(node)?.status,
      remember: (node, basis, find) => evaluation.remember(pod, { node, nominator, basis, find }),
      fits: (supposed) => evaluation.trial(pod, supposed, nominator)?.status,
    },
  };
}

function raiseErrors({ code, reasons, error }: Status): void {
  if (code === "Error") throw error ?? new Error(reasons.join(", "));
}

/** Asks the plugins that may make room. */
export async function postFilter(
  { failed }: Misfitted,
  runtime: ProfileRuntime,
): Promise<{ readonly nominatedNodeName?: string; readonly message: string }> {
  const reasons: string[] = [];
  let nominatedNodeName: string | undefined;
  for (const plugin of runtime.profile.postFilters) {
    const result: PostFilterResult = (await plugin.postFilter?.(failed, runtime.contextOf(plugin.name))) ?? {};
    if (result.status === undefined) return { message: "", ...result };
    raiseErrors(result.status);
    nominatedNodeName = result.nominatedNodeName ?? nominatedNodeName;
    reasons.push(...result.status.reasons);
    if (result.status.code === "UnschedulableAndUnresolvable") break;
  }
  return {
    message: reasons.join(", "),
    ...(nominatedNodeName !== undefined && { nominatedNodeName }),
  };
}

export function messageOf({ nodeCount, refusals, refusedByOne }: Misfitted, postFilterMessage: string): string {
  if (nodeCount === 0) return noNodesMessage;
  const reasons = new Map<string, number>();
  for (const { reason, nodeCount: count } of refusals) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  return misfitText({ nodeCount, reasons, refusedByOne, postFilterMessage });
}

/** What made the chosen node better than others; nothing when there were no others. */
export function scoresOf({ evaluation, choice }: Found): NodeScores[] {
  if (!choice.alternatives) return [];
  const { node, totals } = choice;
  const plugins: Record<string, number> = {};
  for (const { name, weight, scores } of evaluation.scorers) {
    plugins[name] = weight * (scores[node.index] as number);
  }
  return [{ node: node.name, total: totals[node.index] as number, plugins }];
}
