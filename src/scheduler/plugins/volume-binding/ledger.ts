/** Volumes and claims that pods on their way to a node have taken, before the API server shows it. */
import type { Cluster } from "../../cluster.ts";

export interface Ledger {
  /** Key of the claim that a volume was taken for, by the volume's name. */
  readonly volumes: Map<string, string>;
  /** Node that a volume is to be made on, by the claim's key. */
  readonly claims: Map<string, string>;
}

const ledgers = new WeakMap<Cluster, Ledger>();

/** One for each scheduler. */
export function ledgerOf(cluster: Cluster): Ledger {
  let ledger = ledgers.get(cluster);
  if (ledger === undefined) ledgers.set(cluster, (ledger = { volumes: new Map(), claims: new Map() }));
  return ledger;
}
