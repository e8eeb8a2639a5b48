import type { MetricRegistry } from "#base/metrics.ts";
import type { ReplicaStats, ReplicaStore } from "./replica.ts";

const gauges: Readonly<Record<string, readonly [keyof ReplicaStats, string]>> = {
  kubets_replica_revision: ["revision", "Revision that the replica of the store has come to."],
  kubets_replica_oldest_revision: ["oldestRevision", "Oldest revision that a watch may start at."],
  kubets_replica_objects: ["objects", "Objects in the replica of the store."],
  kubets_replica_object_bytes: ["objectBytes", "Bytes of the objects in the replica of the store."],
  kubets_replica_history_bytes: ["historyBytes", "Bytes of former states that the replica still has."],
};
const counters: Readonly<Record<string, readonly [keyof ReplicaStats, string]>> = {
  kubets_replica_events_received_total: ["eventsReceived", "Changes that the replica took over."],
  kubets_replica_loads_total: ["loads", "How often the replica was read anew."],
  kubets_replica_consistent_reads_total: ["consistentReads", "Reads of the newest state that the replica answered."],
  kubets_replica_fallbacks_total: ["fallbacks", "Reads that the store had to answer, because the replica was late."],
};

/** Shows what a replica holds and did. */
export function replicaMetrics(registry: MetricRegistry, replica: ReplicaStore): void {
  const cells = [
    ...Object.entries(gauges).map(([name, [field, help]]) => ({ field, cell: registry.gauge({ name, help }).with() })),
    ...Object.entries(counters).map(([name, [field, help]]) => ({ field, cell: registry.counter({ name, help }).with() })),
  ];
  registry.onCollect(() => {
    const stats = replica.stats();
    for (const { field, cell } of cells) cell.inc(stats[field] - cell.value);
  });
}
