import { exponentialBuckets, type MetricRegistry } from "#base/metrics.ts";
import type { WorkqueueObserver } from "#client/workqueue.ts";

/** Upstream's `workqueue_*` metrics of one queue. */
export function queueObserver(name: string, metrics: MetricRegistry): WorkqueueObserver {
  const labels = ["name"] as const;
  const buckets = exponentialBuckets(1e-8, 10, 10);
  const adds = metrics
    .counter({
      name: "workqueue_adds_total",
      help: "Total number of adds handled by workqueue",
      labels,
    })
    .with(name);
  const depth = metrics
    .gauge({ name: "workqueue_depth", help: "Current depth of workqueue", labels })
    .with(name);
  const queueSeconds = metrics
    .histogram({
      name: "workqueue_queue_duration_seconds",
      help: "How long in seconds an item stays in workqueue before being requested.",
      labels,
      buckets,
    })
    .with(name);
  const workSeconds = metrics
    .histogram({
      name: "workqueue_work_duration_seconds",
      help: "How long in seconds processing an item from workqueue takes.",
      labels,
      buckets,
    })
    .with(name);
  const retries = metrics
    .counter({
      name: "workqueue_retries_total",
      help: "Total number of retries handled by workqueue",
      labels,
    })
    .with(name);
  return {
    added(size) {
      adds.inc();
      depth.set(size);
    },
    started(waitedMs, size) {
      depth.set(size);
      queueSeconds.observe(waitedMs / 1000);
    },
    finished: (workedMs) => workSeconds.observe(workedMs / 1000),
    retried: () => retries.inc(),
  };
}
