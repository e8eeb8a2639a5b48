import assert from "node:assert/strict";
import { test } from "node:test";
import { replicaSets } from "#api/apps/v1/replica-set.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import {
  type PodDisruptionBudget,
  podDisruptionBudgets,
} from "#api/policy/v1/pod-disruption-budget.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { disruptionController } from "./controller.ts";

const labels = { app: "x" };

function pod(name: string, ready: boolean, owned = true): Pod {
  const owner = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    name: "rs",
    uid: "rs-uid",
    controller: true,
  };
  return {
    metadata: { namespace: "a", name, labels, ...(owned && { ownerReferences: [owner] }) },
    spec: { containers: [] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

function setUp(spec: Partial<PodDisruptionBudget["spec"]>, status?: PodDisruptionBudget["status"]) {
  const world = startControllerWorld([disruptionController]);
  const template = { metadata: {}, spec: { containers: [] } };
  world.seed(replicaSets, {
    metadata: { namespace: "a", name: "rs", uid: "rs-uid" },
    spec: { replicas: 4, selector: {}, template },
  });
  world.seed(podDisruptionBudgets, {
    kind: "PodDisruptionBudget",
    apiVersion: "policy/v1",
    metadata: { namespace: "a", name: "b" },
    spec: { selector: { matchLabels: labels }, ...spec },
    ...(status && { status }),
  });
  const numbers = () => {
    const {
      disruptionsAllowed,
      currentHealthy,
      desiredHealthy,
      expectedPods,
      conditions = [],
    } = world.get(podDisruptionBudgets, "a/b")?.status ?? {};
    return [
      disruptionsAllowed,
      currentHealthy,
      desiredHealthy,
      expectedPods,
      conditions[0]?.reason,
    ];
  };
  return { world, numbers };
}

test("budgets count healthy Pods against what is asked for", async () => {
  const rows: [Partial<PodDisruptionBudget["spec"]>, ready: number, expected: unknown[]][] = [
    [{ minAvailable: 2 }, 3, [1, 3, 2, 4, "SufficientPods"]],
    [{ minAvailable: 3 }, 3, [0, 3, 3, 4, "InsufficientPods"]],
    [{ minAvailable: "50%" }, 4, [2, 4, 2, 4, "SufficientPods"]],
    [{ minAvailable: "70%" }, 4, [1, 4, 3, 4, "SufficientPods"]],
    [{ maxUnavailable: 1 }, 4, [1, 4, 3, 4, "SufficientPods"]],
    [{ maxUnavailable: "30%" }, 4, [2, 4, 2, 4, "SufficientPods"]],
    [{ maxUnavailable: 0 }, 4, [0, 4, 4, 4, "InsufficientPods"]],
  ];
  for (const [spec, ready, expected] of rows) {
    const { world, numbers } = setUp(spec);
    for (let i = 0; i < 4; i++) world.seed(pods, pod(`p${i}`, i < ready));
    await world.settle();
    assert.deepEqual(numbers(), expected, JSON.stringify(spec));
  }
});

test("an eviction on its way counts as down until it is overdue", async () => {
  const disruptedPods = { p0: "2026-01-01T00:00:00Z", gone: "2026-01-01T00:00:00Z" };
  const status = {
    disruptedPods,
    disruptionsAllowed: 0,
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
  };
  const { world, numbers } = setUp({ minAvailable: 1 }, status);
  for (const name of ["p0", "p1", "p2"]) world.seed(pods, pod(name, true));
  await world.settle();
  assert.deepEqual(numbers().slice(0, 2), [1, 2]);
  assert.deepEqual(world.get(podDisruptionBudgets, "a/b")?.status?.disruptedPods, {
    p0: "2026-01-01T00:00:00Z",
  });
  await world.settle(120_000);
  assert.deepEqual(numbers().slice(0, 2), [2, 3]);
  assert.ok(world.events().some((text) => text.startsWith("NotDeleted")));
});

test("without a known size nothing may be evicted, and the budget says why", async () => {
  const { world, numbers } = setUp({ maxUnavailable: 1 });
  world.seed(pods, pod("bare", true, false));
  await world.settle();
  assert.deepEqual([numbers()[0], numbers()[4]], [0, "SyncFailed"]);
});

test("a Pod that was to be disrupted and was not says so no longer", async () => {
  const { world } = setUp({ minAvailable: 1 });
  const marked = pod("p", true);
  const target = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  world.seed(pods, {
    ...marked,
    status: { ...marked.status, conditions: [...(marked.status?.conditions ?? []), target] },
  });
  const status = () =>
    world.get(pods, "a/p")?.status?.conditions?.find(({ type }) => type === "DisruptionTarget")
      ?.status;
  await world.settle(100_000);
  assert.equal(status(), "True");
  await world.settle(30_000);
  assert.equal(status(), "False");
});
