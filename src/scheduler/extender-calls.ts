/** What extenders are asked, and what their answers mean. Source: pkg/scheduler/extender.go. */
import type { Node } from "#api/core/v1/node.ts";
import { concernsPod, type Extender } from "./extender.ts";
import { nodeScoreMax, type Status, unresolvable, unschedulable } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

/** POSTs JSON and gives the answer's; throws for anything but 200. The caller brings it along. */
export type PostJson = (
  url: string,
  body: object,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
) => Promise<unknown>;

/** Scores of extenders go to 10. */
const extenderScoreMax = 10;

export interface ExtenderCalls {
  concerned(pod: PodInfo): boolean;
  /** Nodes that are left, and why the others are not. Throws unless the extender may be ignored. */
  filter(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<Filtered>;
  /** What to add to each node's total. */
  prioritize(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<ReadonlyMap<string, number>>;
  /** Of nodes where room could be made: those left to choose from, with whom has to go there. */
  preempt(pod: PodInfo, candidates: readonly Eviction[]): Promise<readonly Eviction[]>;
  /** Undefined: no extender binds the pod. */
  bind(pod: PodInfo, nodeName: string): Promise<"bound" | undefined>;
}

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

export interface CallsOptions {
  readonly extenders: readonly Extender[];
  readonly postJson: PostJson;
  readonly signal: AbortSignal;
}

interface FilterResult {
  readonly nodes?: { readonly items?: readonly Node[] };
  readonly nodeNames?: readonly string[];
  readonly failedNodes?: Readonly<Record<string, string>>;
  readonly failedAndUnresolvableNodes?: Readonly<Record<string, string>>;
  readonly error?: string;
}

export function createExtenderCalls({ extenders, postJson, signal }: CallsOptions): ExtenderCalls {
  const post = (extender: Extender, verb: string, body: object): Promise<unknown> =>
    postJson(`${extender.urlPrefix}/${verb}`, body, { timeoutMs: extender.timeoutMs, signal });

  const argsOf = ({ nodeCacheCapable }: Extender, pod: PodInfo, nodes: readonly NodeInfo[]): object => ({
    Pod: pod.pod,
    ...(nodeCacheCapable
      ? { NodeNames: nodes.map(({ name }) => name) }
      : {
          Nodes: {
            kind: "NodeList",
            apiVersion: "v1",
            metadata: {},
            items: nodes.map(({ node }) => node),
          },
        }),
  });

  async function filterBy(extender: Extender, pod: PodInfo, nodes: readonly NodeInfo[]): Promise<Filtered> {
    // Names on the wire are those of Go's fields, which have no tags, read without regard to case.
    const answer = lowerKeys(
      await post(extender, extender.filterVerb, argsOf(extender, pod, nodes)),
    ) as FilterResult & {
      nodenames?: readonly string[];
      failednodes?: FilterResult["failedNodes"];
      failedandunresolvablenodes?: FilterResult["failedNodes"];
    };
    if (answer.error) throw new Error(answer.error);
    const left = new Set(answer.nodenames ?? answer.nodes?.items?.map(({ metadata }) => metadata?.name ?? "") ?? []);
    const refusals = new Map<string, Status>();
    for (const [name, reason] of Object.entries(answer.failednodes ?? {})) refusals.set(name, unschedulable(reason));
    for (const [name, reason] of Object.entries(answer.failedandunresolvablenodes ?? {}))
      refusals.set(name, unresolvable(reason));
    return { nodes: nodes.filter(({ name }) => left.has(name)), refusals };
  }

  return {
    concerned: ({ pod }) => extenders.some((extender) => concernsPod(extender, pod)),
    async filter(pod, nodes) {
      let left = nodes;
      const refusals = new Map<string, Status>();
      for (const extender of extenders) {
        if (left.length === 0) break;
        if (extender.filterVerb === "" || !concernsPod(extender, pod.pod)) continue;
        try {
          const filtered = await filterBy(extender, pod, left);
          left = filtered.nodes;
          for (const [name, status] of filtered.refusals) refusals.set(name, status);
        } catch (error) {
          if (!extender.ignorable) throw error;
        }
      }
      return { nodes: left, refusals };
    },
    async prioritize(pod, nodes) {
      const sums = new Map<string, number>();
      await Promise.all(
        extenders.map(async (extender) => {
          if (extender.prioritizeVerb === "" || !concernsPod(extender, pod.pod)) return;
          // Wishes that cannot be heard are none.
          const answer = await post(extender, extender.prioritizeVerb, argsOf(extender, pod, nodes)).catch(() => []);
          for (const each of Array.isArray(answer) ? answer : []) {
            const { host = "", score = 0 } = lowerKeys(each) as {
              readonly host?: string;
              readonly score?: number;
            };
            const weighted = score * extender.weight * (nodeScoreMax / extenderScoreMax);
            sums.set(host, (sums.get(host) ?? 0) + weighted);
          }
        }),
      );
      return sums;
    },
    async preempt(pod, candidates) {
      let left = candidates;
      for (const extender of extenders) {
        if (left.length === 0) break;
        if (extender.preemptVerb === "" || !concernsPod(extender, pod.pod)) continue;
        try {
          const answer = await post(extender, extender.preemptVerb, preemptionArgs(extender, pod, left));
          left = evictionsOf(answer, left);
        } catch (error) {
          if (!extender.ignorable) throw error;
        }
      }
      return left;
    },
    async bind({ pod, name, namespace, uid }, nodeName) {
      const binder = extenders.find((extender) => extender.bindVerb !== "" && concernsPod(extender, pod));
      if (binder === undefined) return undefined;
      const answer = await post(binder, binder.bindVerb, {
        PodName: name,
        PodNamespace: namespace,
        PodUID: uid,
        Node: nodeName,
      });
      const { error } = lowerKeys(answer) as { readonly error?: string };
      if (error) throw new Error(error);
      return "bound";
    },
  };
}

function preemptionArgs({ nodeCacheCapable }: Extender, { pod }: PodInfo, candidates: readonly Eviction[]): object {
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

/** Throws for pods that are not on the node. */
function evictionsOf(answer: unknown, candidates: readonly Eviction[]): Eviction[] {
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

function lowerKeys(answer: unknown): object {
  if (typeof answer !== "object" || answer === null) return {};
  return Object.fromEntries(Object.entries(answer).map(([key, value]) => [key.toLowerCase(), value]));
}
