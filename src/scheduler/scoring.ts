import type { Cluster } from "./cluster.ts";
import type { Columns } from "./columns.ts";
import type { NamedScorer } from "./evaluation.ts";
import type { NodeInfo } from "./node-info.ts";

export interface ScoringOptions {
  readonly cluster: Cluster;
  readonly columns: Columns;
  /** Called when there is something to choose from, once. */
  readonly makeScorers: () => readonly NamedScorer[];
}

/** Scores of the feasible nodes, which the first places of `Columns.feasible` name. */
export class Scoring {
  readonly #cluster: Cluster;
  readonly #makeScorers: () => readonly NamedScorer[];
  readonly #feasible: Int32Array;
  /** Whether the raw scores of a node are those of now. */
  readonly #scored: Uint8Array;
  readonly #totals: Float64Array;
  #scorers: readonly NamedScorer[] | undefined;

  constructor({ cluster, columns, makeScorers }: ScoringOptions) {
    this.#cluster = cluster;
    this.#makeScorers = makeScorers;
    this.#feasible = columns.feasible;
    this.#scored = columns.scored;
    this.#totals = columns.totals;
  }

  get scorers(): readonly NamedScorer[] {
    return (this.#scorers ??= this.#makeScorers());
  }

  /** Undefined: the node is gone. */
  changed(index: number, node: NodeInfo | undefined): void {
    this.#scored[index] = 0;
    if (node === undefined) return;
    for (const { scorer } of this.#scorers ?? []) scorer.changed?.(node);
  }

  /** Fills the totals of the first `count` feasible nodes. */
  score(count: number): void {
    const { scorers } = this;
    const feasible = this.#feasible;
    for (const scorer of scorers) this.#take(scorer, count);
    for (let i = 0; i < count; i++) {
      this.#scored[feasible[i] as number] = 1;
      this.#totals[feasible[i] as number] = 0;
    }
    for (const scorer of scorers) this.#add(scorer, count);
  }

  /** The node of the greatest total among the first `count` feasible ones; any one of equals. */
  best(count: number, below: (limit: number) => number): number {
    const feasible = this.#feasible;
    const totals = this.#totals;
    let greatest = -Infinity;
    let ties = 0;
    for (let i = 0; i < count; i++) {
      const total = totals[feasible[i] as number] as number;
      if (total > greatest) {
        greatest = total;
        ties = 1;
      } else if (total === greatest) ties++;
    }
    let left = ties === 1 ? 0 : below(ties);
    for (let i = 0; ; i++) {
      const at = feasible[i] as number;
      if (totals[at] === greatest && left-- === 0) return at;
    }
  }

  /** Raw scores; those of scorers that look at other nodes do not last. */
  #take({ scorer, raw }: NamedScorer, count: number): void {
    const feasible = this.#feasible;
    const scored = this.#scored;
    const { nodes } = this.#cluster;
    scorer.prepare?.(feasible, count);
    const always = scorer.changed !== undefined;
    for (let i = 0; i < count; i++) {
      const at = feasible[i] as number;
      if (always || scored[at] === 0) raw[at] = scorer.score(nodes[at] as NodeInfo);
    }
  }

  #add({ scorer, raw, scores, weight }: NamedScorer, count: number): void {
    const feasible = this.#feasible;
    const totals = this.#totals;
    if (scorer.normalize) {
      for (let i = 0; i < count; i++) scores[feasible[i] as number] = raw[feasible[i] as number] as number;
      scorer.normalize(scores, feasible, count);
    }
    for (let i = 0; i < count; i++) {
      const at = feasible[i] as number;
      totals[at] = (totals[at] as number) + weight * (scores[at] as number);
    }
  }
}
