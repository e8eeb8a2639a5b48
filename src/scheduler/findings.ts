import type { Cluster } from "./cluster.ts";
import type { NodeInfo } from "./node-info.ts";
import type { Nominator } from "./nominator.ts";
import type { PodInfo } from "./pod-info.ts";

interface Finding<T> {
  readonly changedAt: number;
  readonly nominated: number;
  readonly basis: unknown;
  readonly value: T;
}

export interface Kept<T> {
  readonly node: NodeInfo;
  readonly nominator: Nominator;
  readonly basis: unknown;
  readonly find: () => T;
}

/** What was found out about nodes for a class of pods, kept as long as it holds. */
export class Findings<T> {
  readonly #cluster: Cluster;
  readonly #never: boolean;
  readonly #findings: (Finding<T> | undefined)[] = [];

  /** `never`: what is found depends on other nodes too, and is not kept. */
  constructor(cluster: Cluster, never: boolean) {
    this.#cluster = cluster;
    this.#never = never;
  }

  of(pod: PodInfo, { node, nominator, basis, find }: Kept<T>): T {
    // A pod does not stand in its own way, but in that of its like.
    if (this.#never || nominator.nodeOf(pod.uid) === node.name) return find();
    const changedAt = this.#cluster.changedAt[node.index] as number;
    const nominated = nominator.versionOf(node.name);
    const known = this.#findings[node.index];
    if (known?.changedAt === changedAt && known.nominated === nominated && known.basis === basis) return known.value;
    const value = find();
    this.#findings[node.index] = { changedAt, nominated, basis, value };
    return value;
  }
}
