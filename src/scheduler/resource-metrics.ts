import { podLimits, podRequests } from "#api/core/v1/pod-resources.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { isHugePageName } from "#api/core/v1/resource-name.ts";
import { isZeroQuantity, quantityNumber } from "#apimachinery/quantity.ts";
import type { MetricRegistry } from "#base/metrics.ts";

const units: Readonly<Record<string, string>> = { cpu: "cores", memory: "bytes", storage: "bytes", "ephemeral-storage": "bytes" };

function unitOf(resource: string): string {
  if (isHugePageName(resource)) return "bytes";
  return units[resource] ?? (resource.startsWith("attachable-volumes-") ? "integer" : "");
}

/**
 * Tells what Pods ask for, as the scheduler counts it; those that have ended ask for nothing. `registry` is a fresh one.
 * Source: pkg/scheduler/metrics/resources/resources.go.
 */
export function resourceMetrics(registry: MetricRegistry, pods: Iterable<Pod>): void {
  const gauge = (name: string, what: string) =>
    registry.gauge({
      name,
      help: `${what} by workloads on the cluster, broken down by pod.`,
      labels: ["namespace", "pod", "node", "scheduler", "priority", "resource", "unit"],
      stability: "STABLE",
    });
  const requests = gauge("kube_pod_resource_request", "Resources requested");
  const limits = gauge("kube_pod_resource_limit", "Resources limited");
  for (const { metadata, spec, status } of pods) {
    const { nodeName = "", schedulerName = "", priority } = spec;
    if (nodeName !== "" && (status?.phase === "Succeeded" || status?.phase === "Failed")) continue;
    const { namespace = "", name = "" } = metadata;
    const labels = [namespace, name, nodeName, schedulerName, priority === undefined ? "" : String(priority)];
    for (const [family, amounts] of [
      [requests, podRequests(spec)],
      [limits, podLimits(spec)],
    ] as const) {
      for (const [resource, quantity] of Object.entries(amounts)) {
        if (!isZeroQuantity(quantity)) family.with(...labels, resource, unitOf(resource)).set(quantityNumber(quantity));
      }
    }
  }
}
