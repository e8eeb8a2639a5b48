import assert from "node:assert/strict";
import { test } from "node:test";
import { type ReplicaSet, replicaSets } from "#api/apps/v1/replica-set.ts";
import { pods } from "#api/core/v1/pod.ts";
import { replicationControllers } from "#api/core/v1/replication-controller.ts";
import { forbiddenStatus } from "#apimachinery/status.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { replicaSetController, replicationController } from "./controller.ts";

const labels = { app: "web" };

function replicaSet(replicas: number): ReplicaSet {
  return {
    kind: "ReplicaSet",
    apiVersion: "apps/v1",
    metadata: { namespace: "a", name: "web" },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [] } },
    },
  };
}

function setUp(replicas: number) {
  const world = startControllerWorld([replicaSetController, replicationController]);
  world.seed(replicaSets, replicaSet(replicas));
  const scale = (to: number) =>
    world.client
      .resource(replicaSets)
      .patch("a/web", { type: "merge", body: { spec: { replicas: to } } });
  return { world, scale };
}

test("Pods are made, replaced and taken away, each with an event", async () => {
  const { world, scale } = setUp(2);
  await world.settle();
  const [first] = world.list(pods);
  assert.equal(world.list(pods).length, 2);
  assert.match(first?.metadata?.name ?? "", /^web-[a-z0-9]{5}$/);
  assert.deepEqual(
    first?.metadata?.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
    [["ReplicaSet", "web", true]],
  );
  assert.equal(world.get(replicaSets, "a/web")?.status?.replicas, 2);
  world.api.remove(pods, `a/${first?.metadata?.name}`);
  await world.settle();
  assert.equal(world.list(pods).length, 2);
  await scale(0);
  await world.settle();
  assert.equal(world.list(pods).length, 0);
  assert.equal(world.get(replicaSets, "a/web")?.status?.replicas, 0);
  const reasons = world.events().map((text) => text.split(":")[0]);
  assert.deepEqual(reasons, [
    ...Array<string>(3).fill("SuccessfulCreate"),
    ...Array<string>(2).fill("SuccessfulDelete"),
  ]);
});

test("a cache that lags behind does not make too many Pods", async () => {
  const { world, scale } = setUp(0);
  await world.settle();
  const hold = world.api.holdEvents(pods);
  await scale(3);
  await world.settle();
  await scale(4);
  await world.settle(60_000);
  assert.equal(world.list(pods).length, 3);
  hold[Symbol.dispose]();
  await world.settle();
  assert.equal(world.list(pods).length, 4);
});

test("orphans that are selected are adopted, Pods that are not any more are released", async () => {
  const { world } = setUp(1);
  world.seed(pods, {
    metadata: { namespace: "a", name: "orphan", labels },
    spec: { containers: [] },
  });
  await world.settle();
  assert.deepEqual(
    world.list(pods).map(({ metadata }) => metadata?.name),
    ["orphan"],
  );
  assert.equal(world.get(pods, "a/orphan")?.metadata?.ownerReferences?.length, 1);
  await world.client
    .resource(pods)
    .patch("a/orphan", { type: "merge", body: { metadata: { labels: { app: "other" } } } });
  await world.settle();
  assert.equal(world.get(pods, "a/orphan")?.metadata?.ownerReferences?.length, 0);
  assert.equal(world.list(pods).length, 2);
});

test("a refusal becomes a condition, an event and few calls, and heals", async () => {
  const { world } = setUp(100);
  let calls = 0;
  world.api.intercept = ({ verb, resource }) => {
    if (verb !== "create" || resource !== "pods") return undefined;
    calls++;
    return forbiddenStatus({ group: "", resource: "pods" }, "", "exceeded quota");
  };
  await world.settle(4);
  assert.ok(calls <= 2, `${calls} calls`);
  const condition = world.get(replicaSets, "a/web")?.status?.conditions?.[0];
  assert.deepEqual(
    [condition?.type, condition?.reason, condition?.message],
    ["ReplicaFailure", "FailedCreate", "pods is forbidden: exceeded quota"],
  );
  world.api.intercept = () => undefined;
  await world.settle();
  assert.equal(world.list(pods).length, 100);
  assert.deepEqual(world.get(replicaSets, "a/web")?.status?.conditions, []);
});

test("minReadySeconds delays availability without anything happening", async () => {
  const { world } = setUp(1);
  await world.client
    .resource(replicaSets)
    .patch("a/web", { type: "merge", body: { spec: { minReadySeconds: 30 } } });
  await world.settle();
  const [pod] = world.list(pods);
  const lastTransitionTime = new Date(world.clock.nowMs()).toISOString();
  if (pod)
    world.seed(pods, {
      ...pod,
      status: {
        phase: "Running",
        conditions: [{ type: "Ready", status: "True", lastTransitionTime }],
      },
    });
  await world.settle(20_000);
  assert.deepEqual(
    [
      world.get(replicaSets, "a/web")?.status?.readyReplicas,
      world.get(replicaSets, "a/web")?.status?.availableReplicas,
    ],
    [1, 0],
  );
  await world.settle(11_000);
  assert.equal(world.get(replicaSets, "a/web")?.status?.availableReplicas, 1);
});

test("a ReplicationController does the same with its plain selector", async () => {
  const { world } = setUp(0);
  const template = { metadata: { labels: { app: "rc" } }, spec: { containers: [] } };
  world.seed(replicationControllers, {
    kind: "ReplicationController",
    apiVersion: "v1",
    metadata: { namespace: "a", name: "rc" },
    spec: { replicas: 2, selector: { app: "rc" }, template },
  });
  await world.settle();
  assert.equal(world.list(pods).length, 2);
  assert.equal(world.get(replicationControllers, "a/rc")?.status?.replicas, 2);
});
