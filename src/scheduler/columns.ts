/** Tables with a place for every node, as evaluations need them: large, so worth using again. */
import type { Refusal } from "./evaluation.ts";

export interface Columns {
  /** Nodes of an index beyond it have no place. */
  readonly capacity: number;
  readonly state: Uint8Array;
  readonly refusedBy: Uint16Array;
  readonly refusals: (Refusal | undefined)[];
  readonly askedIn: Float64Array;
  readonly wideRefusals: (Refusal | undefined)[];
  readonly scored: Uint8Array;
  readonly feasible: Int32Array;
  readonly totals: Float64Array;
  /** The nth table of scores; made when first asked for. */
  scores(n: number): Float64Array;
  /** Makes it as good as new for another evaluation; the one before must not be used any more. */
  clear(): void;
}

export function createColumns(capacity: number): Columns {
  const tables: Float64Array[] = [];
  const columns: Columns = {
    capacity,
    state: new Uint8Array(capacity),
    refusedBy: new Uint16Array(capacity),
    refusals: [],
    askedIn: new Float64Array(capacity),
    wideRefusals: [],
    scored: new Uint8Array(capacity),
    feasible: new Int32Array(capacity),
    totals: new Float64Array(capacity),
    scores: (n) => (tables[n] ??= new Float64Array(capacity)),
    clear() {
      // Everything else is read only where these say that it was written.
      columns.state.fill(0);
      columns.askedIn.fill(0);
      columns.scored.fill(0);
    },
  };
  return columns;
}

/** Room for the nodes there are, and some that may come. */
export function capacityFor(nodes: number): number {
  return nodes + Math.max(16, nodes >> 2);
}
