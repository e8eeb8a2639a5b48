/** Which extenders are asked, and what their answers come to together. Source: pkg/scheduler/extender.go. */
import { concernsPod, type Extender } from "./extender.ts";
import {
  bindingMessage,
  type Eviction,
  evictionsMessage,
  evictionsOf,
  type Filtered,
  filteredOf,
  nodesMessage,
  raiseBindingError,
  weightedScoresOf,
} from "./extender-messages.ts";
import type { Status } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

/** POSTs JSON and gives the answer's; throws for anything but 200. The caller brings it along. */
export type PostJson = (
  url: string,
  body: object,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
) => Promise<unknown>;

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

export interface CallsOptions {
  readonly extenders: readonly Extender[];
  readonly postJson: PostJson;
  readonly signal: AbortSignal;
}

export function createExtenderCalls({ extenders, postJson, signal }: CallsOptions): ExtenderCalls {
  const post = (extender: Extender, verb: string, body: object): Promise<unknown> =>
    postJson(`${extender.urlPrefix}/${verb}`, body, { timeoutMs: extender.timeoutMs, signal });
  /** Of the extenders that have a say about the pod, those with the verb. */
  const asked = ({ pod }: PodInfo, verb: keyof Verbs): Extender[] =>
    extenders.filter((extender) => extender[verb] !== "" && concernsPod(extender, pod));

  return {
    concerned: ({ pod }) => extenders.some((extender) => concernsPod(extender, pod)),
    async filter(pod, nodes) {
      let left = nodes;
      const refusals = new Map<string, Status>();
      for (const extender of asked(pod, "filterVerb")) {
        if (left.length === 0) break;
        try {
          const answer = await post(extender, extender.filterVerb, nodesMessage(extender, pod, left));
          const filtered = filteredOf(answer, left);
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
      const add = async (extender: Extender): Promise<void> => {
        // Wishes that cannot be heard are none.
        const answer = await post(extender, extender.prioritizeVerb, nodesMessage(extender, pod, nodes)).catch(() => []);
        for (const { node, score } of weightedScoresOf(answer, extender)) sums.set(node, (sums.get(node) ?? 0) + score);
      };
      await Promise.all(asked(pod, "prioritizeVerb").map(add));
      return sums;
    },
    async preempt(pod, candidates) {
      let left = candidates;
      for (const extender of asked(pod, "preemptVerb")) {
        if (left.length === 0) break;
        try {
          const answer = await post(extender, extender.preemptVerb, evictionsMessage(extender, pod, left));
          left = evictionsOf(answer, left);
        } catch (error) {
          if (!extender.ignorable) throw error;
        }
      }
      return left;
    },
    async bind(pod, nodeName) {
      const [binder] = asked(pod, "bindVerb");
      if (binder === undefined) return undefined;
      raiseBindingError(await post(binder, binder.bindVerb, bindingMessage(pod, nodeName)));
      return "bound";
    },
  };
}

type Verbs = Pick<Extender, "filterVerb" | "prioritizeVerb" | "preemptVerb" | "bindVerb">;
