import assert from "node:assert/strict";
import { test } from "node:test";
import type { HorizontalPodAutoscaler as Stored } from "../v2/horizontal-pod-autoscaler.ts";
import { fromStored, toStored } from "./horizontal-pod-autoscaler-conversion.ts";

const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
const metadata = { name: "h" };
const byPercent = { type: "Percent", value: 100, periodSeconds: 15 };

test("the target of v1 is a metric of v2", () => {
  const stored = toStored({
    metadata,
    spec: { scaleTargetRef, maxReplicas: 5, targetCPUUtilizationPercentage: 70 },
  });
  assert.deepEqual(stored.spec.metrics, [
    {
      type: "Resource",
      resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
    },
  ]);
});

test("metrics and behavior come from annotations, which go", () => {
  const stored = toStored({
    metadata: {
      name: "h",
      annotations: {
        own: "kept",
        "autoscaling.alpha.kubernetes.io/metrics":
          '[{"type":"Pods","pods":{"metricName":"x","targetAverageValue":"5"}}]',
        "autoscaling.alpha.kubernetes.io/behavior":
          '{"ScaleUp":{"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":3,"PeriodSeconds":5}]}}',
      },
    },
    spec: { scaleTargetRef, maxReplicas: 5 },
  });
  assert.deepEqual(stored.metadata.annotations, { own: "kept" });
  assert.deepEqual(stored.spec.metrics, [
    {
      type: "Pods",
      pods: { metric: { name: "x" }, target: { type: "AverageValue", averageValue: "5" } },
    },
  ]);
  assert.deepEqual(stored.spec.behavior, {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [{ type: "Pods", value: 3, periodSeconds: 5 }],
    },
    scaleDown: { selectPolicy: "Max", policies: [byPercent] },
  });
});

test("broken annotations are as none", () => {
  const annotations = { "autoscaling.alpha.kubernetes.io/metrics": "nope" };
  const stored = toStored({
    metadata: { name: "h", annotations },
    spec: { scaleTargetRef, maxReplicas: 5 },
  });
  assert.equal(stored.spec.metrics?.[0]?.resource?.target.averageUtilization, 80);
});

test("there and back keeps metrics, behavior and status", () => {
  const stored: Stored = {
    metadata,
    spec: {
      scaleTargetRef,
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [
        {
          type: "External",
          external: {
            metric: { name: "q", selector: { matchLabels: { a: "b" } } },
            target: { type: "Value", value: "3" },
          },
        },
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: "Max",
          policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, byPercent],
        },
        scaleDown: { selectPolicy: "Max", policies: [byPercent] },
      },
    },
    status: {
      currentReplicas: 1,
      desiredReplicas: 2,
      currentMetrics: [
        { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 33 } } },
      ],
    },
  };
  const v1 = fromStored(stored);
  assert.equal(v1.spec.targetCPUUtilizationPercentage, 50);
  assert.equal(v1.status?.currentCPUUtilizationPercentage, 33);
  assert.equal(
    v1.metadata.annotations?.["autoscaling.alpha.kubernetes.io/current-metrics"],
    '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":33,"currentAverageValue":"0"}}]',
  );
  assert.deepEqual(toStored(v1), stored);
});
