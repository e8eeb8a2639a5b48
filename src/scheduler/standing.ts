/**
 * All nodes with their totals, for a class of pods that comes again and again: after each pod only
 * the nodes that changed are marked anew.
 *
 * It holds for filters and scorers that look at one node at a time, and where scores are scaled to
 * the greatest one: a node whose raw score is 0 has no part in the scale, so it may come, change
 * and go without touching the others. When another one does, all are marked anew.
 */
import type { Cluster } from "./cluster.ts";
import type { NamedScorer } from "./evaluation.ts";
import { scalesToMax } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";

export interface Standing {
  /** By node; -1 for those that will not do. */
  readonly totals: Float64Array;
  changed(index: number): void;
  /** Marks what changed. */
  update(): void;
  /** The node of the greatest total, any one of equals; undefined: there is none. */
  best(below: (limit: number) => number): NodeInfo | undefined;
  /** Takes a node out until `restore`. */
  exclude(index: number): void;
  restore(): void;
}

export interface StandingOptions {
  readonly cluster: Cluster;
  readonly scorers: readonly NamedScorer[];
  readonly capacity: number;
  readonly fits: (node: NodeInfo) => boolean;
}

/** Whether scores of such scorers can be kept node by node. */
export function canStand(scorers: readonly NamedScorer[]): boolean {
  return scorers.every(
    ({ scorer }) => scorer.changed === undefined && (scorer.normalize === undefined || scalesToMax(scorer.normalize)),
  );
}

export function createStanding({ cluster, scorers, capacity, fits }: StandingOptions): Standing {
  const totals = new Float64Array(capacity).fill(-1);
  const feasible = new Int32Array(capacity);
  const single = new Int32Array(1);
  let dirty: number[] = [];
  let allDirty = true;
  const excluded: { readonly index: number; readonly total: number }[] = [];

  function markAll(): void {
    let count = 0;
    for (let i = 0; i < capacity; i++) {
      totals[i] = -1;
      const node = cluster.nodes[i];
      if (node === undefined || !fits(node)) continue;
      feasible[count++] = i;
      totals[i] = 0;
      for (const { scorer, raw, scores } of scorers) {
        raw[i] = scorer.score(node);
        scores[i] = raw[i] as number;
      }
    }
    for (const { scorer, scores } of scorers) scorer.normalize?.(scores, feasible, count);
    for (let i = 0; i < count; i++) sum(feasible[i] as number);
  }

  function sum(index: number): void {
    let total = 0;
    for (const { scores, weight } of scorers) total += weight * (scores[index] as number);
    totals[index] = total;
  }

  /** False: others are touched by it. */
  function mark(index: number): boolean {
    const was = (totals[index] as number) >= 0;
    const node = cluster.nodes[index];
    if (node === undefined || !fits(node)) {
      totals[index] = -1;
      return !was || scorers.every(({ scorer, raw }) => scorer.normalize === undefined || raw[index] === 0);
    }
    for (const { scorer, raw, scores } of scorers) {
      const next = scorer.score(node);
      const before = raw[index] as number;
      if (was && next === before) continue;
      if (scorer.normalize !== undefined && (next !== 0 || (was && before !== 0))) return false;
      raw[index] = next;
      scores[index] = next;
      single[0] = index;
      scorer.normalize?.(scores, single, 1);
    }
    sum(index);
    return true;
  }

  return {
    totals,
    changed(index) {
      if (allDirty) return;
      dirty.push(index);
      if (dirty.length > capacity) allDirty = true;
    },
    update() {
      if (!allDirty && dirty.every(mark)) {
        dirty = [];
        return;
      }
      markAll();
      allDirty = false;
      dirty = [];
    },
    best(below) {
      let greatest = -1;
      let ties = 0;
      for (let i = 0; i < capacity; i++) {
        const total = totals[i] as number;
        if (total < greatest) continue;
        if (total > greatest) {
          greatest = total;
          ties = 0;
        }
        ties++;
      }
      if (greatest < 0) return undefined;
      let left = ties === 1 ? 0 : below(ties);
      for (let i = 0; ; i++) if (totals[i] === greatest && left-- === 0) return cluster.nodes[i];
    },
    exclude(index) {
      excluded.push({ index, total: totals[index] as number });
      totals[index] = -1;
    },
    restore() {
      for (const { index, total } of excluded) totals[index] = total;
      excluded.length = 0;
    },
  };
}
