import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { namespaces } from "#api/core/v1/namespace.ts";
import { secrets } from "#api/core/v1/secret.ts";
import type { KubeObject, OwnerReference } from "#apimachinery/object.ts";
import { type ControllerWorld, startControllerWorld } from "#testing/controller-world.ts";
import { garbageCollector } from "./controller.ts";

function setUp(): ControllerWorld {
  return startControllerWorld([garbageCollector], { served: [configMaps, secrets, namespaces] });
}

function owner(name: string, spec: Partial<OwnerReference> = {}): OwnerReference {
  return { apiVersion: "v1", kind: "ConfigMap", name, uid: `uid-${name}`, ...spec };
}

/** A ConfigMap `name` of uid `uid-name` with owners. */
function object(name: string, owners: readonly OwnerReference[] = [], namespace = "a"): KubeObject {
  const metadata = {
    namespace,
    name,
    uid: `uid-${name}`,
    ...(owners.length > 0 && { ownerReferences: [...owners] }),
  };
  return { kind: "ConfigMap", apiVersion: "v1", metadata };
}

function seedAll(world: ControllerWorld, objects: readonly KubeObject[]): void {
  for (const each of objects) world.api.seed(configMaps, each);
}

const names = (world: ControllerWorld): string =>
  world
    .list(configMaps)
    .map(({ metadata }) => metadata?.name)
    .join(" ");

test("dependents follow their owner in the background, also over generations", async () => {
  const world = setUp();
  seedAll(world, [
    object("o"),
    object("d", [owner("o")]),
    object("dd", [owner("d")]),
    object("free"),
  ]);
  await world.settle();
  assert.equal(names(world), "o d dd free");
  await world.client.resource(configMaps).delete("a/o", { propagationPolicy: "Background" });
  await world.settle();
  assert.equal(names(world), "free");
});

test("an owner that never existed counts as gone", async () => {
  const world = setUp();
  seedAll(world, [object("d", [owner("ghost")])]);
  await world.settle();
  assert.equal(names(world), "");
});

test("an owner of the same name but another uid counts as gone", async () => {
  const world = setUp();
  seedAll(world, [object("o"), object("d", [owner("o", { uid: "other" })])]);
  await world.settle();
  assert.equal(names(world), "o");
});

test("one owner that stays keeps the object, and the reference to the other goes", async () => {
  const world = setUp();
  seedAll(world, [object("o1"), object("o2"), object("d", [owner("o1"), owner("o2")])]);
  await world.settle();
  await world.client.resource(configMaps).delete("a/o1", { propagationPolicy: "Background" });
  await world.settle();
  assert.equal(names(world), "o2 d");
  assert.deepEqual(
    world.get(configMaps, "a/d")?.metadata?.ownerReferences?.map(({ name }) => name),
    ["o2"],
  );
});

test("orphaning frees the dependents", async () => {
  const world = setUp();
  seedAll(world, [object("o"), object("d", [owner("o")])]);
  await world.settle();
  await world.client.resource(configMaps).delete("a/o", { propagationPolicy: "Orphan" });
  await world.settle();
  assert.equal(names(world), "d");
  assert.deepEqual(world.get(configMaps, "a/d")?.metadata?.ownerReferences, []);
});

test("foreground deletion waits for dependents that block, and only for them", async () => {
  const world = setUp();
  const blocking = object("d", [owner("o", { blockOwnerDeletion: true })]);
  seedAll(world, [
    object("o"),
    { ...blocking, metadata: { ...blocking.metadata, finalizers: ["x/y"] } },
    object("e", [owner("o")]),
  ]);
  await world.settle();
  await world.client.resource(configMaps).delete("a/o", { propagationPolicy: "Foreground" });
  await world.settle();
  assert.equal(names(world), "o d");
  await world.client
    .resource(configMaps)
    .patch("a/d", { type: "merge", body: { metadata: { finalizers: null } } });
  await world.settle();
  assert.equal(names(world), "");
});

test("objects that own each other are deleted in the foreground all the same", async () => {
  const world = setUp();
  const block = { blockOwnerDeletion: true };
  seedAll(world, [
    object("a1", [owner("a3", block)]),
    object("a2", [owner("a1", block)]),
    object("a3", [owner("a2", block)]),
  ]);
  await world.settle();
  assert.equal(names(world), "a1 a2 a3");
  await world.client.resource(configMaps).delete("a/a1", { propagationPolicy: "Foreground" });
  await world.settle(10_000);
  assert.equal(names(world), "");
});

test("an owner in another namespace is no owner, and an event says so", async () => {
  const world = setUp();
  seedAll(world, [object("o", [], "b"), object("d", [owner("o")], "a")]);
  await world.settle();
  assert.equal(names(world), "o");
  assert.deepEqual(world.events(), [
    'OwnerRefInvalidNamespace: ownerRef [v1/ConfigMap, namespace: a, name: o, uid: uid-o] does not exist in namespace "a"',
  ]);
});

test("a cluster-scoped owner owns across namespaces", async () => {
  const world = setUp();
  world.api.seed(namespaces, { metadata: { name: "n", uid: "uid-n" } });
  seedAll(world, [object("d", [owner("n", { kind: "Namespace" })])]);
  await world.settle();
  assert.equal(names(world), "d");
  world.api.remove(namespaces, "n");
  await world.settle();
  assert.equal(names(world), "");
});
