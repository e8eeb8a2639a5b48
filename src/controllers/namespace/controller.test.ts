import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { namespaces } from "#api/core/v1/namespace.ts";
import { pods } from "#api/core/v1/pod.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { namespaceController } from "./controller.ts";

function setUp() {
  const world = startControllerWorld([namespaceController], { served: [pods, configMaps] });
  world.seed(namespaces, {
    kind: "Namespace",
    metadata: { name: "a" },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
  const conditions = () =>
    (world.get(namespaces, "a")?.status?.conditions ?? [])
      .filter(({ status }) => status === "True")
      .map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  return { world, conditions };
}

test("an empty namespace goes at once", async () => {
  const { world } = setUp();
  await world.client.resource(namespaces).delete("a");
  await world.settle(0);
  assert.equal(world.get(namespaces, "a"), undefined);
});

test("Pods go before everything else, and their end is noticed without waiting", async () => {
  const { world, conditions } = setUp();
  world.seed(pods, {
    metadata: { namespace: "a", name: "p" },
    spec: { nodeName: "n", containers: [] },
  });
  world.seed(configMaps, { metadata: { namespace: "a", name: "c" } });
  await world.client.resource(namespaces).delete("a");
  await world.settle(0);
  assert.equal(world.get(namespaces, "a")?.status?.phase, "Terminating");
  assert.notEqual(world.get(configMaps, "a/c"), undefined);
  assert.deepEqual(conditions(), [
    "NamespaceContentRemaining SomeResourcesRemain Some resources are remaining: pods. has 1 resource instances",
  ]);
  world.api.remove(pods, "a/p");
  await world.settle(0);
  assert.equal(world.get(configMaps, "a/c"), undefined);
  assert.equal(world.get(namespaces, "a"), undefined);
});

test("a Pod that is done and not yet gone is waited for, which is no failure", async () => {
  const { world } = setUp();
  world.seed(pods, {
    metadata: { namespace: "a", name: "p" },
    spec: { nodeName: "n", containers: [] },
  });
  await world.client.resource(pods).delete("a/p");
  const status = { phase: "Succeeded" };
  await world.client.resource(pods).patch("a/p", { type: "merge", body: { status }, subresource: "status" });
  await world.client.resource(namespaces).delete("a");
  await world.settle(900);
  assert.notEqual(world.get(pods, "a/p"), undefined);
  world.api.remove(pods, "a/p");
  await world.settle(0);
  assert.equal(world.get(namespaces, "a"), undefined);
  assert.deepEqual(world.errors, []);
});

test("finalizers hold the namespace and are told in a condition", async () => {
  const { world, conditions } = setUp();
  world.seed(configMaps, { metadata: { namespace: "a", name: "c", finalizers: ["x/y"] } });
  await world.client.resource(namespaces).delete("a");
  await world.settle(0);
  assert.deepEqual(conditions(), [
    "NamespaceContentRemaining SomeResourcesRemain Some resources are remaining: configmaps. has 1 resource instances",
    "NamespaceFinalizersRemaining SomeFinalizersRemain Some content in the namespace has finalizers remaining: x/y in 1 resource instances",
  ]);
  await world.client
    .resource(configMaps)
    .patch("a/c", { type: "merge", body: { metadata: { finalizers: null } } });
  await world.settle(10_000);
  assert.equal(world.get(namespaces, "a"), undefined);
});
