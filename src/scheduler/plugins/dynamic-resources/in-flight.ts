/** Allocations that were decided, but that the API server does not show yet; by the claim's uid. */
import type { AllocationResult } from "#api/resource/v1/resource-claim.ts";
import type { Cluster } from "../../cluster.ts";

const all = new WeakMap<Cluster, Map<string, AllocationResult>>();

/** One for each scheduler. */
export function inFlightOf(cluster: Cluster): Map<string, AllocationResult> {
  let own = all.get(cluster);
  if (own === undefined) all.set(cluster, (own = new Map()));
  return own;
}
