import { type Counter, exponentialBuckets, type Histogram, type MetricRegistry } from "#base/metrics.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";

/** Hears of what watches send. */
export interface WatchObserver {
  sent(definition: ResourceDefinition, sizeBytes: number): void;
  /** A watcher read too slowly and was ended. */
  terminated(definition: ResourceDefinition): void;
}

interface Cells {
  readonly events: Counter;
  readonly sizes: Histogram;
}

/** Counts watch events under upstream's names. Source: endpoints/metrics, storage/cacher/metrics. */
export function watchMeters(registry: MetricRegistry): WatchObserver {
  const labels = ["group", "version", "resource"];
  const events = registry.counter({
    name: "apiserver_watch_events_total",
    help: "Events sent to watchers, by group, version and resource.",
    labels,
  });
  const sizes = registry.histogram({
    name: "apiserver_watch_events_sizes",
    help: "Sizes in bytes of the events sent to watchers, by group, version and resource.",
    labels,
    buckets: exponentialBuckets(1024, 2, 8),
  });
  const terminated = registry.counter({
    name: "apiserver_terminated_watchers_total",
    help: "Watchers that were ended because they read too slowly, by group and resource.",
    labels: ["group", "resource"],
  });
  const known = new WeakMap<ResourceDefinition, Cells>();
  const cellsOf = (definition: ResourceDefinition): Cells => {
    let cells = known.get(definition);
    if (cells === undefined) {
      const { group, version, plural } = definition;
      cells = { events: events.with(group, version, plural), sizes: sizes.with(group, version, plural) };
      known.set(definition, cells);
    }
    return cells;
  };
  return {
    sent(definition, sizeBytes) {
      const cells = cellsOf(definition);
      cells.events.inc();
      cells.sizes.observe(sizeBytes);
    },
    terminated: ({ group, plural }) => terminated.with(group, plural).inc(),
  };
}
