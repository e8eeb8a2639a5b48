import assert from "node:assert/strict";
import { test } from "node:test";
import { nodes } from "#api/core/v1/node.ts";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { pods } from "#api/core/v1/pod.ts";
import { csiDrivers } from "#api/storage/v1/csi-driver.ts";
import { volumeAttachments } from "#api/storage/v1/volume-attachment.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { attachDetachController } from "./controller.ts";
import { attachmentName } from "./volumes.ts";

function setUp(driver = "disk.example.com") {
  const world = startControllerWorld([attachDetachController]);
  world.seed(nodes, { metadata: { name: "n" }, spec: {} });
  const spec = { csi: { driver, volumeHandle: "h" } } as PersistentVolume["spec"];
  world.seed(persistentVolumes, { metadata: { name: "v" }, spec });
  world.seed(persistentVolumeClaims, { metadata: { namespace: "a", name: "c" }, spec: { volumeName: "v" }, status: { phase: "Bound" } });
  world.seed(csiDrivers, { metadata: { name: "share.example.com" }, spec: { attachRequired: false } });
  world.seed(pods, {
    metadata: { namespace: "a", name: "p" },
    spec: { nodeName: "n", containers: [], volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] },
  });
  return world;
}

test("a Pod's volume is attached, reported, and detached when it is unmounted", async () => {
  const world = setUp();
  await world.settle();
  const [attachment] = world.list(volumeAttachments);
  assert.equal(attachment?.metadata.name, attachmentName("h", "disk.example.com", "n"));
  assert.deepEqual(attachment.spec, { attacher: "disk.example.com", nodeName: "n", source: { persistentVolumeName: "v" } });
  world.seed(volumeAttachments, { ...attachment, status: { attached: true } });
  await world.settle();
  const name = "kubernetes.io/csi/disk.example.com^h";
  const node = world.get(nodes, "n");
  assert.deepEqual(node?.status?.volumesAttached, [{ name, devicePath: "" }]);
  world.seed(nodes, { ...node, status: { ...node.status, volumesInUse: [name] } });
  await world.settle();
  world.api.remove(pods, "a/p");
  await world.settle();
  assert.equal(world.list(volumeAttachments).length, 1, "still mounted");
  const mounted = world.get(nodes, "n") ?? node;
  world.seed(nodes, { ...mounted, status: { ...mounted.status, volumesInUse: [] } });
  await world.settle();
  assert.deepEqual(world.list(volumeAttachments), []);
  assert.deepEqual(world.get(nodes, "n")?.status?.volumesAttached, []);
  assert.deepEqual(world.errors, []);
});

test("drivers that need no attaching get no attachment; those of others are left alone", async () => {
  const world = setUp("share.example.com");
  const spec = { attacher: "x", nodeName: "n", source: { persistentVolumeName: "v" } };
  world.seed(volumeAttachments, { metadata: { name: "foreign" }, spec });
  await world.settle();
  assert.deepEqual(world.list(volumeAttachments).map(({ metadata }) => metadata.name), ["foreign"]);
});
