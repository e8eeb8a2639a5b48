/** Sums by topology (label key and value of nodes), each node's part known, so that it can change. */
import { getOwn } from "#apimachinery/maps.ts";
import type { NodeInfo } from "./node-info.ts";

export interface TopologyCounter {
  /** Counts a node anew, as it is given; true when a sum changed. */
  changed(node: NodeInfo): boolean;
  /** Of the topology that the node belongs to; 0 where it has no such label. */
  sumFor(node: NodeInfo, key: string): number;
  /** No sum is other than zero. */
  readonly empty: boolean;
  /** Label keys with sums. */
  readonly keys: Iterable<string>;
}

/** Adds to the sum of the node's own value of the label, if it has one. */
export type Add = (key: string, amount: number) => void;

interface Part {
  readonly key: string;
  readonly value: string;
  amount: number;
}

export function createTopologyCounter(
  nodes: readonly (NodeInfo | undefined)[],
  count: (node: NodeInfo, add: Add) => void,
): TopologyCounter {
  const sums = new Map<string, Map<string, number>>();
  const parts: (readonly Part[] | undefined)[] = [];
  let pairs = 0;

  function partsOf(node: NodeInfo): readonly Part[] | undefined {
    let found: Part[] | undefined;
    count(node, (key, amount) => {
      const value = getOwn(node.labels, key);
      if (value === undefined || amount === 0) return;
      const same = found?.find((part) => part.key === key);
      if (same) same.amount += amount;
      else (found ??= []).push({ key, value, amount });
    });
    return found;
  }

  function add({ key, value, amount }: Part, sign: 1 | -1): void {
    const byValue = sums.get(key) ?? new Map<string, number>();
    const before = byValue.get(value) ?? 0;
    const after = before + sign * amount;
    if (before === 0 && after !== 0) pairs++;
    if (before !== 0 && after === 0) pairs--;
    if (after === 0) byValue.delete(value);
    else byValue.set(value, after);
    if (byValue.size > 0) sums.set(key, byValue);
    else sums.delete(key);
  }

  function changed(node: NodeInfo): boolean {
    const before = parts[node.index];
    const after = partsOf(node);
    if (sameParts(before, after)) return false;
    for (const part of before ?? []) add(part, -1);
    for (const part of after ?? []) add(part, 1);
    parts[node.index] = after;
    return true;
  }

  for (const node of nodes) if (node !== undefined) changed(node);

  return {
    changed,
    sumFor(node, key) {
      const value = getOwn(node.labels, key);
      return value === undefined ? 0 : (sums.get(key)?.get(value) ?? 0);
    },
    get empty() {
      return pairs === 0;
    },
    get keys() {
      return sums.keys();
    },
  };
}

function sameParts(a: readonly Part[] | undefined, b: readonly Part[] | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  return a.every((part, i) => {
    const other = b[i];
    return part.key === other?.key && part.value === other.value && part.amount === other.amount;
  });
}
