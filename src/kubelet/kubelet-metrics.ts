/** What a kubelet counts. Source: kubelet/metrics/metrics.go. */
import type { Gauge, MetricRegistry } from "#base/metrics.ts";
import { containerState, sandboxState } from "./cri/messages.ts";
import type { PodManager } from "./pod/pod-manager.ts";

export interface KubeletMetrics {
  /** Changes in the runtime that no event told of. */
  readonly missedEvents: Pick<Gauge, "inc">;
  readonly evictions: (signal: string) => void;
  /** Sets the gauges of Pods and containers before every print. */
  follow(manager: PodManager): Disposable;
}

const stateNames = new Map<number, string>([
  [containerState.created, "created"],
  [containerState.running, "running"],
  [containerState.exited, "exited"],
  [containerState.unknown, "unknown"],
]);

export function createKubeletMetrics(registry: MetricRegistry, nodeName: string): KubeletMetrics {
  const node = registry.gauge({
    name: "kubelet_node_name",
    help: "The node's name. The count is always 1.",
    labels: ["node"],
  });
  node.with(nodeName).set(1);
  const pods = registry.gauge({
    name: "kubelet_running_pods",
    help: "Number of pods that have a running pod sandbox",
  });
  const containers = registry.gauge({
    name: "kubelet_running_containers",
    help: "Number of containers currently running",
    labels: ["container_state"],
  });
  const evictions = registry.counter({
    name: "kubelet_evictions",
    help: "Cumulative number of pod evictions by eviction signal",
    labels: ["eviction_signal"],
  });
  const missed = registry.counter({
    name: "kubelet_missed_runtime_events_total",
    help: "Changes in the runtime that a relist found and no event had told of",
  });
  return {
    missedEvents: missed.with(),
    evictions: (signal) => evictions.with(signal).inc(),
    follow: (manager) =>
      registry.onCollect(() => {
        const runtimes = manager.list().map(({ runtime }) => runtime);
        const running = runtimes.filter(({ sandboxes }) =>
          sandboxes.some(({ state }) => state === sandboxState.ready),
        );
        pods.with().set(running.length);
        const states = runtimes.flatMap((runtime) => runtime.containers.map(({ state }) => state));
        for (const [state, name] of stateNames) {
          containers.with(name).set(states.filter((each) => each === state).length);
        }
      }),
  };
}
