/** What the scheduler counts. Source: pkg/scheduler/metrics/metrics.go. */
import { type Counter, exponentialBuckets, type Histogram, type MetricRegistry } from "#base/metrics.ts";
import type { EventName } from "./cluster-events.ts";
import type { Cluster } from "./cluster.ts";
import type { QueueCounts } from "./queue.ts";
import type { QueuedPod } from "./queued-pod.ts";
import type { Explanation } from "./why.ts";

export type ExtensionPoint = "PreFilter" | "Filter" | "PostFilter" | "Reserve" | "Permit" | "PreBind" | "Bind";
export type PointStatus = "Success" | "Unschedulable" | "Error";

export interface SchedulerMetrics {
  /** A Pod's binding is written, or its attempt failed. */
  attempted(outcome: Explanation["outcome"], profile: string, durationMs: number): void;
  /** Found its place at last, `sinceMs` after it was first let in. */
  scheduled(entry: Pick<QueuedPod, "attempts">, sinceMs: number): void;
  /** Plugins ran at a point. Scores count with `Filter`: both are asked node by node. */
  ran(point: ExtensionPoint, profile: string, spec: { readonly status: PointStatus; readonly durationMs: number }): void;
  permitWaited(result: "allowed" | "rejected", durationMs: number): void;
  preemptionAttempted(): void;
  preempted(victimCount: number): void;
  incoming(queue: keyof QueueCounts, event: EventName | "ScheduleAttemptFailure" | "BackoffComplete"): void;
}

export interface Measured {
  readonly counts: () => QueueCounts;
  /** Waiting Pods by each plugin that refused them. */
  readonly refusedBy: () => ReadonlyMap<string, Iterable<QueuedPod>>;
  readonly cluster: () => Pick<Cluster, "nodeCount" | "podCounts">;
}

const results: Readonly<Record<Explanation["outcome"], string>> = {
  Scheduled: "scheduled",
  Unschedulable: "unschedulable",
  Error: "error",
  Gated: "unschedulable",
};

/** The gauges are read when somebody asks; disposing ends that. */
export function createSchedulerMetrics(registry: MetricRegistry, measured: Measured): SchedulerMetrics & Disposable {
  const { attempts, durations, extensionPoints, slis, tries, permitWaits } = latencies(registry);
  const { victims, preemptions, incoming } = counters(registry);
  const collecting = registry.onCollect(gauges(registry, measured));
  /** Cells of what happens with every Pod. */
  const points = new Map<string, Histogram>();
  const arrivals = new Map<string, Counter>();
  return {
    attempted(outcome, profile, durationMs) {
      attempts.with(results[outcome], profile).inc();
      durations.with(results[outcome], profile).observe(durationMs / 1000);
    },
    scheduled({ attempts: count }, sinceMs) {
      tries.with().observe(count);
      slis.with(count >= attemptsTold ? `${attemptsTold}+` : String(count)).observe(sinceMs / 1000);
    },
    ran(point, profile, { status, durationMs }) {
      const key = `${point} ${status} ${profile}`;
      let cell = points.get(key);
      if (cell === undefined) points.set(key, (cell = extensionPoints.with(point, status, profile)));
      cell.observe(durationMs / 1000);
    },
    permitWaited: (result, durationMs) => permitWaits.with(result).observe(durationMs / 1000),
    preemptionAttempted: () => preemptions.with().inc(),
    preempted: (count) => victims.with().observe(count),
    incoming(queue, event) {
      const key = `${queue} ${event}`;
      let cell = arrivals.get(key);
      if (cell === undefined) arrivals.set(key, (cell = incoming.with(queue, labelOf(event))));
      cell.inc();
    },
    [Symbol.dispose]: () => collecting[Symbol.dispose](),
  };
}

/** More attempts are told as one. Source: schedule_one.go getAttemptsLabel. */
const attemptsTold = 15;

function latencies(registry: MetricRegistry) {
  const labels = ["result", "profile"];
  const buckets = exponentialBuckets(0.001, 2, 15);
  return {
    attempts: registry.counter({
      name: "scheduler_schedule_attempts_total",
      help:
        "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be " +
        "scheduled, while 'error' means an internal scheduler problem.",
      stability: "STABLE",
      labels,
    }),
    durations: registry.histogram({
      name: "scheduler_scheduling_attempt_duration_seconds",
      help: "Scheduling attempt latency in seconds (scheduling algorithm + binding)",
      stability: "STABLE",
      labels,
      buckets,
    }),
    extensionPoints: registry.histogram({
      name: "scheduler_framework_extension_point_duration_seconds",
      help: "Latency for running all plugins of a specific extension point.",
      stability: "STABLE",
      labels: ["extension_point", "status", "profile"],
      buckets: exponentialBuckets(0.0001, 2, 12),
    }),
    slis: registry.histogram({
      name: "scheduler_pod_scheduling_sli_duration_seconds",
      help:
        "E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and " +
        "might involve multiple scheduling attempts.",
      stability: "BETA",
      labels: ["attempts"],
      buckets: exponentialBuckets(0.01, 2, 20),
    }),
    tries: registry.histogram({
      name: "scheduler_pod_scheduling_attempts",
      help: "Number of attempts to successfully schedule a pod.",
      stability: "STABLE",
      buckets: exponentialBuckets(1, 2, 5),
    }),
    permitWaits: registry.histogram({
      name: "scheduler_permit_wait_duration_seconds",
      help: "Duration of waiting on permit.",
      stability: "BETA",
      labels: ["result"],
      buckets,
    }),
  };
}

function counters(registry: MetricRegistry) {
  return {
    victims: registry.histogram({
      name: "scheduler_preemption_victims",
      help: "Number of selected preemption victims",
      stability: "STABLE",
      buckets: exponentialBuckets(1, 2, 7),
    }),
    preemptions: registry.counter({
      name: "scheduler_preemption_attempts_total",
      help: "Total preemption attempts in the cluster till now",
      stability: "STABLE",
    }),
    incoming: registry.counter({
      name: "scheduler_queue_incoming_pods_total",
      help: "Number of pods added to scheduling queues by event and queue type.",
      stability: "STABLE",
      labels: ["queue", "event"],
    }),
  };
}

/** Sets gauges to what is now. */
function gauges(registry: MetricRegistry, { counts, refusedBy, cluster }: Measured): () => void {
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
  const unschedulable = registry.gauge({
    name: "scheduler_unschedulable_pods",
    help:
      "The number of unschedulable pods broken down by plugin name. A pod will increment the gauge for all " +
      "plugins that caused it to not schedule and so this metric have meaning only when broken down by plugin.",
    stability: "BETA",
    labels: ["plugin", "profile"],
  });
  const cached = registry.gauge({
    name: "scheduler_scheduler_cache_size",
    help: "Number of nodes, pods, and assumed (bound) pods in the scheduler cache.",
    labels: ["type"],
  });
  return () => {
    for (const [name, count] of Object.entries(counts())) pending.with(name).set(count);
    unschedulable.clear();
    for (const [plugin, entries] of refusedBy()) {
      for (const { info } of entries) unschedulable.with(plugin, info.pod.spec.schedulerName ?? "").inc();
    }
    const { nodeCount, podCounts } = cluster();
    cached.with("nodes").set(nodeCount);
    cached.with("pods").set(podCounts.all);
    cached.with("assumed_pods").set(podCounts.assumed);
  };
}

const actions: Readonly<Record<string, string>> = {
  "Node/update-allocatable": "NodeUpdateNodeAllocatable",
  "Node/update-label": "NodeUpdateNodeLabel",
  "Node/update-taint": "NodeUpdateNodeTaint",
  "Node/update-annotation": "NodeUpdateNodeAnnotation",
  "Node/update-condition": "NodeUpdateNodeCondition",
  "Node/update-features": "NodeUpdateNodeDeclaredFeature",
  "Namespace/update-label": "NamespaceUpdate",
};

const podActions: Readonly<Record<string, string>> = {
  add: "Add",
  delete: "Delete",
  "update-label": "UpdatePodLabel",
  "update-scale-down": "UpdatePodScaleDown",
  "update-toleration": "UpdatePodToleration",
  "update-gates": "UpdatePodSchedulingGatesEliminated",
  "update-claims": "UpdatePodGeneratedResourceClaim",
};

/** Upstream's label of a ClusterEvent: resource and action in one word. Source: framework/events.go. */
function labelOf(event: string): string {
  const [resource = "", action] = event.split("/");
  if (action === undefined) return event;
  if (resource === "Pod") return `UnschedulablePod${podActions[action] ?? ""}`;
  if (resource === "AssignedPod") return `AssignedPod${podActions[action] ?? ""}`;
  return actions[event] ?? `${resource}${action.charAt(0).toUpperCase()}${action.slice(1)}`;
}
