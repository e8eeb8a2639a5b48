import assert from "node:assert/strict";
import { test } from "node:test";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { volumeAttributesClasses } from "#api/storage/v1/volume-attributes-class.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { volumeAttributesClassProtectionController } from "./controller.ts";

test("a class stays until no claim and no volume has it", async () => {
  const world = startControllerWorld([volumeAttributesClassProtectionController]);
  world.seed(volumeAttributesClasses, { metadata: { name: "fast" }, driverName: "d" });
  world.seed(persistentVolumeClaims, {
    metadata: { namespace: "a", name: "c" },
    spec: {},
    status: { currentVolumeAttributesClassName: "fast" },
  });
  world.seed(persistentVolumes, { metadata: { name: "v" }, spec: { volumeAttributesClassName: "fast" } });
  await world.settle();
  assert.deepEqual(world.get(volumeAttributesClasses, "fast")?.metadata.finalizers, ["kubernetes.io/vac-protection"]);
  await world.client.resource(volumeAttributesClasses).delete("fast");
  world.api.remove(persistentVolumeClaims, "a/c");
  await world.settle();
  assert.notEqual(world.get(volumeAttributesClasses, "fast"), undefined);
  world.api.remove(persistentVolumes, "v");
  await world.settle();
  assert.equal(world.get(volumeAttributesClasses, "fast"), undefined);
});
