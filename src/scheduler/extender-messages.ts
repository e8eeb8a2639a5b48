/**
 * What extenders are sent, and what their answers say. Names on the wire are those of Go's fields, which
 * have no tags, read without regard to case. Source: k8s.io/kube-scheduler/extender/v1.
 */
import type { Node } from "#api/core/v1/node.ts";
import type { Extender } from "./extender.ts";
import { nodeScoreMax, type Status, unresolvable, unschedulable } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

/** Scores of extenders go to 10. */
const extenderScoreMax = 10;

export interface Filtered {
  readonly nodes: readonly NodeInfo[];
  readonly refusals: ReadonlyMap<string, Status>;
}

/** Pods that would have to leave a node. */
export interface Eviction {
  readonly node: NodeInfo;
  readonly pods: readonly PodInfo[];
  /** Of `pods`: those whose going breaks a PodDisruptionBudget. */
  readonly violationCount: number;
}

/** ExtenderArgs: whole nodes, or their names for an extender that knows them. */
export function nodesMessage({ nodeCacheCapable }: Extender, { pod }: PodInfo, nodes: readonly NodeInfo[]): object {
  if (nodeCacheCapable) return { Pod: pod, NodeNames: nodes.map(({ name }) => name) };
  const items = nodes.map(({ node }) => node);
  return { Pod: pod, Nodes: { kind: "NodeList", apiVersion: "v1", metadata: {}, items } };
}

/** An ExtenderFilterResult about `nodes`. Throws the error that it tells of. */
export function filteredOf(answer: unknown, nodes: readonly NodeInfo[]): Filtered {
  const result = lowerKeys(answer) as {
    readonly nodes?: { readonly items?: readonly Node[] };
    readonly nodenames?: readonly string[];
    readonly failednodes?: Readonly<Record<string, string>>;
    readonly failedandunresolvablenodes?: Readonly<Record<string, string>>;
    readonly error?: string;
  };
  if (result.error) throw new Error(result.error);
  const left = new Set(result.nodenames ?? result.nodes?.items?.map(({ metadata }) => metadata?.name ?? "") ?? []);
  const refusals = new Map<string, Status>();
  for (const [name, reason] of Object.entries(result.failednodes ?? {})) refusals.set(name, unschedulable(reason));
  for (const [name, reason] of Object.entries(result.failedandunresolvablenodes ?? {})) {
    refusals.set(name, unresolvable(reason));
  }
  return { nodes: nodes.filter(({ name }) => left.has(name)), refusals };
}

/** A HostPriorityList: what it adds to the totals of nodes. */
export function weightedScoresOf(answer: unknown, { weight }: Extender): { node: string; score: number }[] {
  if (!Array.isArray(answer)) return [];
  return answer.map((each: unknown) => {
    const { host = "", score = 0 } = lowerKeys(each) as { readonly host?: string; readonly score?: number };
    return { node: host, score: score * weight * (nodeScoreMax / extenderScoreMax) };
  });
}

/** ExtenderPreemptionArgs. */
export function evictionsMessage(
  { nodeCacheCapable }: Extender,
  { pod }: PodInfo,
  candidates: readonly Eviction[],
): object {
  const victims = (podOf: (info: PodInfo) => object) =>
    Object.fromEntries(
      candidates.map(({ node, pods, violationCount }) => [
        node.name,
        { Pods: pods.map(podOf), NumPDBViolations: violationCount },
      ]),
    );
  if (nodeCacheCapable) return { Pod: pod, NodeNameToMetaVictims: victims(({ uid }) => ({ UID: uid })) };
  return { Pod: pod, NodeNameToVictims: victims((info) => info.pod) };
}

/** An ExtenderPreemptionResult about `candidates`. Throws for pods that are not on the node. */
export function evictionsOf(answer: unknown, candidates: readonly Eviction[]): Eviction[] {
  const { nodenametometavictims: named = {} } = lowerKeys(answer) as { readonly nodenametometavictims?: object };
  const byName = new Map(candidates.map((candidate) => [candidate.node.name, candidate]));
  return Object.entries(named).map(([name, victims]) => {
    const candidate = byName.get(name);
    if (candidate === undefined) throw new Error(`extender claims that node ${name} is a candidate`);
    const { pods = [], numpdbviolations: violationCount = 0 } = lowerKeys(victims) as {
      readonly pods?: readonly object[];
      readonly numpdbviolations?: number;
    };
    const leaving = pods.map((each) => {
      const { uid = "" } = lowerKeys(each) as { readonly uid?: string };
      const found = candidate.node.pods.get(uid);
      if (found === undefined) throw new Error(`extender claims to preempt pod (UID: ${uid}) on node ${name}, but the pod is not found on that node`);
      return found;
    });
    return { node: candidate.node, pods: leaving, violationCount };
  });
}

/** ExtenderBindingArgs. */
export function bindingMessage({ name, namespace, uid }: PodInfo, nodeName: string): object {
  return { PodName: name, PodNamespace: namespace, PodUID: uid, Node: nodeName };
}

/** Throws the error that an ExtenderBindingResult tells of. */
export function raiseBindingError(answer: unknown): void {
  const { error } = lowerKeys(answer) as { readonly error?: string };
  if (error) throw new Error(error);
}

function lowerKeys(answer: unknown): object {
  if (typeof answer !== "object" || answer === null) return {};
  return Object.fromEntries(Object.entries(answer).map(([key, value]) => [key.toLowerCase(), value]));
}
