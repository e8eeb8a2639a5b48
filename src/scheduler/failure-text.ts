/** What a pod is told when no node will do. Source: scheduler framework FitError. */
import type { Status } from "./framework.ts";

/** How many nodes refused for which reason. */
export type ReasonCounts = ReadonlyMap<string, number>;

export interface Misfit {
  readonly nodeCount: number;
  readonly reasons: ReasonCounts;
  /** Of a plugin that refused all nodes at once. */
  readonly refusedByOne?: Status | undefined;
  readonly postFilterMessage: string;
}

export const noNodesMessage = "no nodes available to schedule pods";

export function misfitText({ nodeCount, reasons, refusedByOne, postFilterMessage }: Misfit): string {
  let text = `0/${nodeCount} nodes are available:`;
  if (refusedByOne !== undefined) text += ` ${refusedByOne.reasons.join(", ")}.`;
  else {
    const counted = [...reasons].map(([reason, count]) => `${count} ${reason}`).toSorted();
    if (counted.length > 0) text += ` ${counted.join(", ")}.`;
  }
  return postFilterMessage === "" ? text : `${text} ${postFilterMessage}`;
}

export function countReasons(statuses: Iterable<Status>): ReasonCounts {
  const counts = new Map<string, number>();
  for (const { reasons } of statuses) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}
