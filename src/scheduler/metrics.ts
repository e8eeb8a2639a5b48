/** What the scheduler counts. Source: pkg/scheduler/metrics/metrics.go. */
import { exponentialBuckets, type MetricRegistry } from "#base/metrics.ts";
import type { Queue } from "./queue.ts";
import type { Explanation } from "./why.ts";

export interface SchedulerMetrics {
  attempted(outcome: Explanation["outcome"], profile: string, durationMs: number): void;
}

const results: Readonly<Record<Explanation["outcome"], string>> = {
  Scheduled: "scheduled",
  Unschedulable: "unschedulable",
  Error: "error",
  Gated: "unschedulable",
};

/** The gauges are read when somebody asks; disposing ends that. */
export function createSchedulerMetrics(
  registry: MetricRegistry,
  queue: Pick<Queue, "counts">,
): SchedulerMetrics & Disposable {
  const labels = ["result", "profile"];
  const attempts = registry.counter({
    name: "scheduler_schedule_attempts_total",
    help:
      "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be " +
      "scheduled, while 'error' means an internal scheduler problem.",
    stability: "STABLE",
    labels,
  });
  const durations = registry.histogram({
    name: "scheduler_scheduling_attempt_duration_seconds",
    help: "Scheduling attempt latency in seconds (scheduling algorithm + binding)",
    stability: "STABLE",
    labels,
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const pending = registry.gauge({
    name: "scheduler_pending_pods",
    help:
      "Number of pending pods, by the queue type. 'active' means number of pods in activeQ; " +
      "'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in " +
      "unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is the " +
      "number of unschedulable pods that the scheduler never attempted to schedule because they " +
      "are gated.",
    stability: "STABLE",
    labels: ["queue"],
  });
  const collecting = registry.onCollect(() => {
    for (const [name, count] of Object.entries(queue.counts)) pending.with(name).set(count);
  });
  return {
    attempted(outcome, profile, durationMs) {
      attempts.with(results[outcome], profile).inc();
      durations.with(results[outcome], profile).observe(durationMs / 1000);
    },
    [Symbol.dispose]: () => collecting[Symbol.dispose](),
  };
}
