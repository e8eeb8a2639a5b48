import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api/core/v1/pod.ts";
import { createMetricRegistry } from "#base/metrics.ts";
import { metricsText } from "#base/metrics-text.ts";
import { resourceMetrics } from "./resource-metrics.ts";

function podOf(name: string, spec: object, phase = "Running"): Pod {
  return { metadata: { namespace: "a", name }, spec: { schedulerName: "s", containers: [], ...spec }, status: { phase } } as unknown as Pod;
}

test("Pods tell what they ask for, those that have ended do not", () => {
  const containers = [{ name: "c", image: "i", resources: { requests: { cpu: "250m", "hugepages-2Mi": "4Mi", "x.io/gpu": "1" }, limits: { memory: "1Gi", cpu: "0" } } }];
  const registry = createMetricRegistry();
  resourceMetrics(registry, [
    podOf("p", { containers, nodeName: "n", priority: 7 }),
    podOf("waits", { containers: [{ name: "c", image: "i", resources: { requests: { memory: "1Ki" } } }] }, "Failed"),
    podOf("over", { containers, nodeName: "n" }, "Succeeded"),
  ]);
  const lines = metricsText(registry).body.split("\n").filter((line) => line.startsWith("kube_pod")).toSorted();
  const of = (kind: string, pod: string, resource: string, unit: string): string => {
    const [node, priority] = pod === "p" ? ["n", "7"] : ["", ""];
    return `kube_pod_resource_${kind}{namespace="a",node="${node}",pod="${pod}",priority="${priority}",resource="${resource}",scheduler="s",unit="${unit}"}`;
  };
  assert.deepEqual(lines, [
    `${of("limit", "p", "memory", "bytes")} 1.073741824e+09`,
    `${of("request", "p", "cpu", "cores")} 0.25`,
    `${of("request", "p", "hugepages-2Mi", "bytes")} 4.194304e+06`,
    `${of("request", "p", "x.io/gpu", "")} 1`,
    `${of("request", "waits", "memory", "bytes")} 1024`,
  ].toSorted());
});
