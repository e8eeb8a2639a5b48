import type { Cluster } from "./cluster.ts";
import { isStatus, type NodeFilter, type Status } from "./framework.ts";
import type { PodInfo } from "./pod-info.ts";
import type { ProfileRuntime } from "./profile-runtime.ts";
import { namesMax, type NodeVerdict } from "./why.ts";

/** What every plugin has against a pod on each node, as things are now; an attempt stops at the first. */
export function verdictsOf(pod: PodInfo, runtime: ProfileRuntime, cluster: Cluster): NodeVerdict[] {
  const filters: { readonly plugin: string; readonly filter: NodeFilter | Status }[] = [];
  for (const { name, filter } of runtime.profile.filters) {
    const made = filter?.(pod, runtime.contextOf(name));
    if (made !== undefined) filters.push({ plugin: name, filter: made });
  }
  const told = cluster.order.slice(0, namesMax).flatMap((index) => cluster.nodes[index] ?? []);
  return told.map((node) => ({
    node: node.name,
    refusals: filters.flatMap(({ plugin, filter }) => {
      const status = isStatus(filter) ? filter : filter.check(node);
      const elsewhere = !isStatus(filter) && filter.nodeNames?.has(node.name) === false;
      if (status === undefined && elsewhere) return [{ plugin, reasons: ["is for other nodes only"] }];
      return status === undefined ? [] : [{ plugin, reasons: [...status.reasons] }];
    }),
  }));
}
