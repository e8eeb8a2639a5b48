import assert from "node:assert/strict";
import { test } from "node:test";
import { type HorizontalPodAutoscaler, horizontalPodAutoscalers } from "#api/autoscaling/v2/horizontal-pod-autoscaler.ts";
import { replicationControllers } from "#api/core/v1/replication-controller.ts";
import { pods } from "#api/core/v1/pod.ts";
import { rfc3339 } from "#base/clock.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { horizontalPodAutoscalerController } from "./controller.ts";
import { newHistory, pace } from "./pace.ts";

interface Setup {
  readonly count: number;
  /** CPU of each Pod in thousandths of a core; each asks for 100. */
  usage: number | undefined;
}

function setUp(setup: Setup, spec: Partial<HorizontalPodAutoscaler["spec"]> = {}) {
  const world = startControllerWorld([horizontalPodAutoscalerController]);
  const { call } = world.api.transport;
  Object.assign(world.api.transport, {
    // Scales carry selectors as text, which the fake API does not make.
    async call(request: Parameters<typeof call>[0]) {
      const answer = await call(request);
      if (request.subresource !== "scale" || request.verb !== "get") return answer;
      const { status } = answer as { status?: { replicas: number } };
      return { ...answer, status: { replicas: status?.replicas ?? 0, selector: "app=web" } };
    },
    async raw() {
      const items = world.list(pods).map(({ metadata }) => ({
        metadata: { name: metadata.name },
        timestamp: rfc3339(world.clock.nowMs()),
        window: "30s",
        containers: [{ name: "c", usage: { cpu: `${setup.usage}m` } }],
      }));
      return { items: setup.usage === undefined ? [] : items };
    },
  });
  world.seed(replicationControllers, {
    metadata: { namespace: "a", name: "web" },
    spec: { replicas: setup.count },
    status: { replicas: setup.count },
  });
  const startTime = rfc3339(world.clock.nowMs() - 3600_000);
  for (let i = 0; i < setup.count; i++) {
    world.seed(pods, {
      metadata: { namespace: "a", name: `p${i}`, labels: { app: "web" } },
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "100m" } } }] },
      status: { phase: "Running", startTime, conditions: [{ type: "Ready", status: "True", lastTransitionTime: startTime }] },
    });
  }
  world.seed(horizontalPodAutoscalers, {
    metadata: { namespace: "a", name: "h" },
    spec: {
      scaleTargetRef: { apiVersion: "v1", kind: "ReplicationController", name: "web" },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }],
      ...spec,
    },
  });
  return {
    ...world,
    replicas: () => world.get(replicationControllers, "a/web")?.spec?.replicas,
    status: () => world.get(horizontalPodAutoscalers, "a/h")?.status,
    reasons() {
      const { conditions } = world.get(horizontalPodAutoscalers, "a/h")?.status ?? {};
      return conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
    },
  };
}

for (const { what, usage, count, replicas } of [
  { what: "double use doubles", usage: 100, count: 2, replicas: 4 },
  { what: "within a tenth nothing happens", usage: 54, count: 3, replicas: 3 },
  { what: "one step goes no further than twice, or 4", usage: 1000, count: 2, replicas: 4 },
  { what: "above the maximum it goes down at once", usage: 50, count: 12, replicas: 10 },
]) {
  test(`scaling: ${what}`, async () => {
    const world = setUp({ usage, count });
    await world.settle(1000);
    assert.equal(world.replicas(), replicas);
    assert.deepEqual(world.errors, []);
  });
}

test("scaling up says so", async () => {
  const world = setUp({ usage: 75, count: 2 });
  await world.settle(1000);
  const reason = "cpu resource utilization (percentage of request) above target";
  assert.deepEqual(world.events(), [`SuccessfulRescale: New size: 3; reason: ${reason}`]);
  assert.deepEqual(world.reasons(), [
    "AbleToScale=True SucceededRescale",
    "ScalingActive=True ValidMetricFound",
    "ScalingLimited=False DesiredWithinRange",
  ]);
  assert.deepEqual(world.status()?.currentMetrics, [
    { type: "Resource", resource: { name: "cpu", current: { averageValue: "75m", averageUtilization: 75 } } },
  ]);
  assert.deepEqual([world.status()?.currentReplicas, world.status()?.desiredReplicas], [2, 3]);
});

test("scaling down waits for five minutes of low use", async () => {
  const world = setUp({ usage: 10, count: 5 });
  await world.settle(280_000);
  assert.equal(world.replicas(), 5);
  assert.ok(world.reasons()?.includes("AbleToScale=True ScaleDownStabilized"));
  await world.settle(40_000);
  assert.equal(world.replicas(), 1);
});

test("without metrics the replicas stay, and the reason is told", async () => {
  const world = setUp({ usage: undefined, count: 2 });
  await world.settle(1000);
  assert.equal(world.replicas(), 2);
  assert.deepEqual(world.reasons(), ["AbleToScale=True SucceededGetScale", "ScalingActive=False FailedGetResourceMetric"]);
  const message =
    "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API";
  assert.deepEqual(world.events(), [
    `FailedGetResourceMetric: ${message}`,
    "FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), " +
      `first error is: failed to get cpu resource metric value: ${message}`,
  ]);
});

test("a target of zero is left alone; a missing one is reported", async () => {
  const off = setUp({ usage: 50, count: 0 });
  await off.settle(1000);
  assert.ok(off.reasons()?.includes("ScalingActive=False ScalingDisabled"));
  const scaleTargetRef = { apiVersion: "v1", kind: "ReplicationController", name: "nothing" };
  const lost = setUp({ usage: 50, count: 1 }, { scaleTargetRef });
  await lost.settle(1000);
  assert.deepEqual(lost.reasons(), ["AbleToScale=False FailedGetScale"]);
});

const behavior = {
  scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: [{ type: "Pods", value: 2, periodSeconds: 60 }] },
  scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: "Min", policies: [
    { type: "Percent", value: 50, periodSeconds: 60 },
    { type: "Pods", value: 1, periodSeconds: 60 },
  ] },
};

for (const { what, current, desired, ups = 0, replicas, reason } of [
  { what: "two Pods a minute", current: 3, desired: 9, replicas: 5, reason: "ScaleUpLimit" },
  { what: "two Pods a minute, used up", current: 5, desired: 9, ups: 2, replicas: 5, reason: "ScaleUpLimit" },
  { what: "the smaller policy down", current: 8, desired: 1, replicas: 7, reason: "ScaleDownLimit" },
  { what: "the minimum", current: 3, desired: 1, replicas: 2, reason: "TooFewReplicas" },
  { what: "nothing in range", current: 4, desired: 5, replicas: 5, reason: "DesiredWithinRange" },
]) {
  test(`behavior limits to ${what}`, () => {
    const history = newHistory();
    if (ups > 0) history.ups = [{ replicas: ups, atMs: 999_000 }];
    const result = pace(history, { current, desired, min: 2, max: 10, nowMs: 1_000_000, behavior });
    assert.deepEqual([result.replicas, result.limited[0]], [replicas, reason]);
  });
}
