import type { Cluster } from "./cluster.ts";
import type { NamedScorer } from "./evaluation.ts";
import { scalesToMax } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";

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

/**
 * All nodes with their totals, for a class of pods that comes again and again: after each pod only
 * the nodes that changed are marked anew.
 *
 * It holds for filters and scorers that look at one node at a time, and where scores are scaled to
 * the greatest one: a node whose raw score is 0 has no part in the scale, so it may come, change
 * and go without touching the others. When another one does, all are marked anew.
 */
export class Standing {
  /** By node; -1 for those that will not do. */
  readonly totals: Float64Array;
  readonly #cluster: Cluster;
  readonly #scorers: readonly NamedScorer[];
  readonly #capacity: number;
  readonly #fits: (node: NodeInfo) => boolean;
  readonly #feasible: Int32Array;
  readonly #single = new Int32Array(1);
  readonly #excluded: { readonly index: number; readonly total: number }[] = [];
  #dirty: number[] = [];
  #allDirty = true;

  constructor({ cluster, scorers, capacity, fits }: StandingOptions) {
    this.#cluster = cluster;
    this.#scorers = scorers;
    this.#capacity = capacity;
    this.#fits = fits;
    this.totals = new Float64Array(capacity).fill(-1);
    this.#feasible = new Int32Array(capacity);
  }

  changed(index: number): void {
    if (this.#allDirty) return;
    this.#dirty.push(index);
    if (this.#dirty.length > this.#capacity) this.#allDirty = true;
  }

  /** Marks what changed. */
  update(): void {
    if (this.#allDirty || !this.#dirty.every((index) => this.#mark(index))) {
      this.#markAll();
      this.#allDirty = false;
    }
    this.#dirty = [];
  }

  /** The node of the greatest total, any one of equals; undefined: there is none. */
  best(below: (limit: number) => number): NodeInfo | undefined {
    const { totals } = this;
    const capacity = this.#capacity;
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
    for (let i = 0; ; i++) if (totals[i] === greatest && left-- === 0) return this.#cluster.nodes[i];
  }

  /** Takes a node out until `restore`. */
  exclude(index: number): void {
    this.#excluded.push({ index, total: this.totals[index] as number });
    this.totals[index] = -1;
  }

  restore(): void {
    for (const { index, total } of this.#excluded) this.totals[index] = total;
    this.#excluded.length = 0;
  }

  #markAll(): void {
    const { totals } = this;
    const feasible = this.#feasible;
    const scorers = this.#scorers;
    let count = 0;
    for (let i = 0; i < this.#capacity; i++) {
      totals[i] = -1;
      const node = this.#cluster.nodes[i];
      if (node === undefined || !this.#fits(node)) continue;
      feasible[count++] = i;
      totals[i] = 0;
      for (const { scorer, raw, scores } of scorers) {
        raw[i] = scorer.score(node);
        scores[i] = raw[i] as number;
      }
    }
    for (const { scorer, scores } of scorers) scorer.normalize?.(scores, feasible, count);
    for (let i = 0; i < count; i++) this.#sum(feasible[i] as number);
  }

  #sum(index: number): void {
    let total = 0;
    for (const { scores, weight } of this.#scorers) total += weight * (scores[index] as number);
    this.totals[index] = total;
  }

  /** False: others are touched by it. */
  #mark(index: number): boolean {
    const was = (this.totals[index] as number) >= 0;
    const node = this.#cluster.nodes[index];
    if (node === undefined || !this.#fits(node)) {
      this.totals[index] = -1;
      return !was || this.#scorers.every(({ scorer, raw }) => scorer.normalize === undefined || raw[index] === 0);
    }
    for (const { scorer, raw, scores } of this.#scorers) {
      const next = scorer.score(node);
      const before = raw[index] as number;
      if (was && next === before) continue;
      if (scorer.normalize !== undefined && (next !== 0 || (was && before !== 0))) return false;
      raw[index] = next;
      scores[index] = next;
      this.#single[0] = index;
      scorer.normalize?.(scores, this.#single, 1);
    }
    this.#sum(index);
    return true;
  }
}
