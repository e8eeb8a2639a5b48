/** `/metrics/resource`, which metrics-server reads. Source: kubelet/metrics/collectors/resource_metrics.go. */
import type { Kubelet } from "../kubelet.ts";
import { readNodeUsage } from "./node-usage.ts";
import { podUsages } from "./stats-summary.ts";

export async function resourceMetrics(kubelet: Kubelet): Promise<string> {
  const node = await readNodeUsage(kubelet.services.world);
  const pods = await podUsages(kubelet);
  const lines = createLines();
  lines.family(
    "node_cpu_usage_seconds_total",
    "counter",
    "Cumulative cpu time consumed by the node in core-seconds",
  );
  lines.sample({}, node.usageCoreNanoSeconds / 1e9, Date.parse(node.time));
  lines.family(
    "node_memory_working_set_bytes",
    "gauge",
    "Current working set of the node in bytes",
  );
  lines.sample({}, node.workingSetBytes, Date.parse(node.time));
  lines.family(
    "container_cpu_usage_seconds_total",
    "counter",
    "Cumulative cpu time consumed by the container in core-seconds",
  );
  eachContainer((labels, container) =>
    lines.sample(labels, container.usageCoreNanoSeconds / 1e9, Date.parse(container.time)),
  );
  lines.family(
    "container_memory_working_set_bytes",
    "gauge",
    "Current working set of the container in bytes",
  );
  eachContainer((labels, container) =>
    lines.sample(labels, container.workingSetBytes, Date.parse(container.time)),
  );
  lines.family(
    "container_start_time_seconds",
    "gauge",
    "Start time of the container since unix epoch in seconds",
  );
  eachContainer((labels, container) =>
    lines.sample(labels, Date.parse(container.startTime) / 1000),
  );
  lines.family(
    "pod_cpu_usage_seconds_total",
    "counter",
    "Cumulative cpu time consumed by the pod in core-seconds",
  );
  eachPod((labels, sum) => lines.sample(labels, sum.cpuSeconds));
  lines.family("pod_memory_working_set_bytes", "gauge", "Current working set of the pod in bytes");
  eachPod((labels, sum) => lines.sample(labels, sum.memoryBytes));
  lines.family(
    "resource_scrape_error",
    "gauge",
    "1 if there was an error while getting container metrics, 0 otherwise",
  );
  lines.sample({}, 0);
  return lines.text();

  type Container = (typeof pods)[number]["containers"][number];

  function eachContainer(
    run: (labels: Record<string, string>, container: Container) => void,
  ): void {
    for (const { name: pod, namespace, containers } of pods) {
      for (const container of containers)
        run({ container: container.name, namespace, pod }, container);
    }
  }

  function eachPod(
    run: (labels: Record<string, string>, sum: { cpuSeconds: number; memoryBytes: number }) => void,
  ): void {
    for (const { name: pod, namespace, containers } of pods) {
      const cpu = containers.reduce((sum, each) => sum + each.usageCoreNanoSeconds, 0);
      const memoryBytes = containers.reduce((sum, each) => sum + each.workingSetBytes, 0);
      run({ namespace, pod }, { cpuSeconds: cpu / 1e9, memoryBytes });
    }
  }
}

function createLines() {
  const lines: string[] = [];
  let current = "";
  return {
    family(name: string, type: string, help: string): void {
      current = name;
      lines.push(`# HELP ${name} [STABLE] ${help}`, `# TYPE ${name} ${type}`);
    },
    sample(labels: Readonly<Record<string, string>>, value: number, timestampMs?: number): void {
      const pairs = Object.entries(labels).map(
        ([label, text]) => `${label}=${JSON.stringify(text)}`,
      );
      const shown = pairs.length > 0 ? `{${pairs.join(",")}}` : "";
      lines.push(
        `${current}${shown} ${value}${timestampMs === undefined ? "" : ` ${timestampMs}`}`,
      );
    },
    text: () => `${lines.join("\n")}\n`,
  };
}
