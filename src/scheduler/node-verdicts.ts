import type { Cluster } from "./cluster.ts";
import type { Columns } from "./columns.ts";
import type { NamedFilter, Refusal } from "./evaluation.ts";
import type { NodeInfo } from "./node-info.ts";

const unknown = 0;
const feasibleState = 1;
const refusedState = 2;

export interface VerdictsOptions {
  readonly cluster: Cluster;
  readonly filters: readonly NamedFilter[];
  readonly columns: Columns;
}

/**
 * Verdicts of filters, by node: those of filters that look at one node alone hold until it changes,
 * those of wide filters until one of them says that others are affected.
 */
export class NodeVerdicts {
  readonly #cluster: Cluster;
  readonly #filters: readonly NamedFilter[];
  readonly #wide: readonly NamedFilter[];
  readonly #state: Uint8Array;
  /** Place in `#filters` of the first that refuses, of those that look at one node alone. */
  readonly #refusedBy: Uint16Array;
  readonly #refusals: (Refusal | undefined)[];
  /** Round in which the wide filters were asked. */
  readonly #askedIn: Float64Array;
  readonly #wideRefusals: (Refusal | undefined)[];
  /** By pods nominated to the node. */
  readonly #once = new Map<number, Refusal>();
  #round = 1;

  constructor({ cluster, filters, columns }: VerdictsOptions) {
    this.#cluster = cluster;
    this.#filters = filters;
    this.#wide = filters.filter(({ filter }) => filter.changed !== undefined);
    this.#state = columns.state;
    this.#refusedBy = columns.refusedBy;
    this.#refusals = columns.refusals;
    this.#askedIn = columns.askedIn;
    this.#wideRefusals = columns.wideRefusals;
  }

  /** Whether a filter looks at several nodes. */
  get wide(): boolean {
    return this.#wide.length > 0;
  }

  /** Another pod's turn: what `refuseOnce` said is void. */
  begin(): void {
    this.#once.clear();
  }

  changed(node: NodeInfo): void {
    this.#state[node.index] = unknown;
    this.#askedIn[node.index] = 0;
    if (this.#tellWide(node)) this.#round++;
  }

  /** Apart from what `refuseOnce` said. */
  fits(node: NodeInfo): boolean {
    if (this.#wide.length > 0) return this.#verdictOf(node) === undefined;
    if (this.#state[node.index] === unknown) this.#askLocal(node);
    return this.#state[node.index] === feasibleState;
  }

  refusalOf(node: NodeInfo): Refusal | undefined {
    return this.#once.get(node.index) ?? this.#verdictOf(node);
  }

  /** Holds for the pod at hand only. */
  refuseOnce(node: NodeInfo, refusal: Refusal): void {
    this.#once.set(node.index, refusal);
  }

  /** The verdict on a node as it would be. */
  trial(supposed: NodeInfo): Refusal | undefined {
    this.#tellWide(supposed);
    let refusal: Refusal | undefined;
    for (const { filter, name } of this.#filters) {
      const status = filter.check(supposed);
      if (status === undefined) continue;
      refusal = { plugin: name, status };
      break;
    }
    const real = this.#cluster.nodes[supposed.index];
    if (real !== undefined) this.#tellWide(real);
    return refusal;
  }

  #verdictOf(node: NodeInfo): Refusal | undefined {
    const at = node.index;
    if (this.#state[at] === unknown) this.#askLocal(node);
    if (this.#wide.length === 0) return this.#refusals[at];
    if (this.#askedIn[at] !== this.#round) this.#askWide(node);
    return this.#wideRefusals[at] ?? this.#refusals[at];
  }

  #askLocal(node: NodeInfo): void {
    const at = node.index;
    const filters = this.#filters;
    this.#state[at] = feasibleState;
    this.#refusals[at] = undefined;
    for (let i = 0; i < filters.length; i++) {
      const { filter, name } = filters[i] as NamedFilter;
      if (filter.changed !== undefined) continue;
      const status = filter.check(node);
      if (status === undefined) continue;
      this.#state[at] = refusedState;
      this.#refusedBy[at] = i;
      this.#refusals[at] = { plugin: name, status };
      return;
    }
  }

  /** The first refusal among those that stand before the one found already. */
  #askWide(node: NodeInfo): void {
    const at = node.index;
    const filters = this.#filters;
    this.#askedIn[at] = this.#round;
    this.#wideRefusals[at] = undefined;
    const end = this.#state[at] === refusedState ? (this.#refusedBy[at] as number) : filters.length;
    for (let i = 0; i < end; i++) {
      const { filter, name } = filters[i] as NamedFilter;
      if (filter.changed === undefined) continue;
      const status = filter.check(node);
      if (status === undefined) continue;
      this.#wideRefusals[at] = { plugin: name, status };
      return;
    }
  }

  /** Whether other nodes are affected. */
  #tellWide(node: NodeInfo): boolean {
    let others = false;
    for (const { filter } of this.#wide) others = filter.changed?.(node) === true || others;
    return others;
  }
}
