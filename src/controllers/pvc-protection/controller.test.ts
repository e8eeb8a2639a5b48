import assert from "node:assert/strict";
import { test } from "node:test";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { pods } from "#api/core/v1/pod.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { pvProtectionController } from "../pv-protection/controller.ts";
import { pvcProtectionController } from "./controller.ts";

test("a claim stays until the last Pod that uses it is gone", async () => {
  const world = startControllerWorld([pvcProtectionController]);
  world.seed(persistentVolumeClaims, { metadata: { namespace: "a", name: "c" }, spec: {} });
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "c" } }];
  world.seed(pods, {
    metadata: { namespace: "a", name: "p" },
    spec: { nodeName: "n", containers: [], volumes },
  });
  await world.settle();
  assert.deepEqual(world.get(persistentVolumeClaims, "a/c")?.metadata.finalizers, [
    "kubernetes.io/pvc-protection",
  ]);
  await world.client.resource(persistentVolumeClaims).delete("a/c");
  await world.settle();
  assert.notEqual(world.get(persistentVolumeClaims, "a/c"), undefined);
  world.api.remove(pods, "a/p");
  await world.settle();
  assert.equal(world.get(persistentVolumeClaims, "a/c"), undefined);
});

test("a volume stays while it is bound", async () => {
  const world = startControllerWorld([pvProtectionController]);
  const volume = world.seed(persistentVolumes, {
    metadata: { name: "v" },
    spec: {},
    status: { phase: "Bound" },
  });
  await world.settle();
  await world.client.resource(persistentVolumes).delete("v");
  await world.settle();
  const held = world.get(persistentVolumes, "v") ?? volume;
  assert.deepEqual(held.metadata.finalizers, ["kubernetes.io/pv-protection"]);
  world.seed(persistentVolumes, { ...held, status: { phase: "Released" } });
  await world.settle();
  assert.equal(world.get(persistentVolumes, "v"), undefined);
});
