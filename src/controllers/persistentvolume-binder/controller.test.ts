import assert from "node:assert/strict";
import { test } from "node:test";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { pods } from "#api/core/v1/pod.ts";
import { storageClasses } from "#api/storage/v1/storage-class.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { ephemeralVolumeController } from "../ephemeral-volume/controller.ts";
import { persistentVolumeExpander } from "../persistentvolume-expander/controller.ts";
import { persistentVolumeBinder } from "./controller.ts";

const start = () => startControllerWorld([persistentVolumeBinder, ephemeralVolumeController, persistentVolumeExpander]);

function volumeOf(name: string, storage: string, spec: Partial<PersistentVolume["spec"]> = {}): PersistentVolume {
  return {
    metadata: { name },
    spec: {
      capacity: { storage },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: "/data" },
      persistentVolumeReclaimPolicy: "Retain",
      ...spec,
    },
  } as PersistentVolume;
}

function claimOf(name: string, spec: Partial<PersistentVolumeClaim["spec"]> = {}): PersistentVolumeClaim {
  return {
    metadata: { namespace: "a", name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "", ...spec },
  };
}

const phases = (world: ReturnType<typeof start>) => ({
  volumes: Object.fromEntries(world.list(persistentVolumes).map(({ metadata, status }) => [metadata.name, status?.phase])),
  claims: Object.fromEntries(world.list(persistentVolumeClaims).map(({ metadata, status }) => [metadata.name, status?.phase])),
});

test("a claim gets the smallest volume that fits; without it the volume is released and kept", async () => {
  const world = start();
  for (const [name, size] of [["small", "500Mi"], ["big", "5Gi"], ["fits", "2Gi"]] as const) {
    world.seed(persistentVolumes, volumeOf(name, size));
  }
  await world.settle();
  world.seed(persistentVolumeClaims, claimOf("c"));
  await world.settle();
  const claim = world.get(persistentVolumeClaims, "a/c");
  assert.equal(claim?.spec.volumeName, "fits");
  assert.deepEqual(claim.status?.capacity, { storage: "2Gi" });
  assert.deepEqual(claim.metadata.annotations, {
    "pv.kubernetes.io/bind-completed": "yes",
    "pv.kubernetes.io/bound-by-controller": "yes",
  });
  assert.deepEqual(phases(world), { volumes: { small: "Available", big: "Available", fits: "Bound" }, claims: { c: "Bound" } });
  world.api.remove(persistentVolumeClaims, "a/c");
  await world.settle();
  assert.equal(phases(world).volumes["fits"], "Released");
  assert.deepEqual(world.errors, []);
});

test("a claim waits for a volume to come, and says why", async () => {
  const world = start();
  world.seed(persistentVolumeClaims, claimOf("c"));
  await world.settle();
  assert.equal(phases(world).claims["c"], "Pending");
  assert.deepEqual(world.events(), ["FailedBinding: no persistent volumes available for this claim and no storage class is set"]);
  world.seed(persistentVolumes, volumeOf("v", "1Gi"));
  await world.settle();
  assert.equal(phases(world).claims["c"], "Bound");
});

test("names on either side are honoured", async () => {
  const world = start();
  world.seed(persistentVolumes, volumeOf("for-d", "9Gi", { claimRef: { namespace: "a", name: "d" } }));
  world.seed(persistentVolumes, volumeOf("tiny", "1Mi"));
  world.seed(persistentVolumeClaims, claimOf("c", { volumeName: "tiny" }));
  world.seed(persistentVolumeClaims, claimOf("d"));
  world.seed(persistentVolumeClaims, claimOf("e"));
  await world.settle();
  assert.deepEqual(phases(world).claims, { c: "Pending", d: "Bound", e: "Pending" });
  assert.equal(world.get(persistentVolumes, "for-d")?.metadata.annotations, undefined);
  assert.ok(world.events().includes('VolumeMismatch: Cannot bind to requested volume "tiny": requested PV is too small'));
});

test("classes: the default is filled in, consumers are waited for, external provisioners are asked", async () => {
  const world = start();
  world.seed(storageClasses, {
    metadata: { name: "std", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "example.com/disk",
    volumeBindingMode: "WaitForFirstConsumer",
  });
  const { storageClassName: _none, ...spec } = claimOf("c").spec;
  world.seed(persistentVolumeClaims, { ...claimOf("c"), spec });
  await world.settle();
  const claim = world.get(persistentVolumeClaims, "a/c");
  assert.equal(claim?.spec.storageClassName, "std");
  assert.deepEqual(world.events(), ["WaitForFirstConsumer: waiting for first consumer to be created before binding"]);
  const annotations = { "volume.kubernetes.io/selected-node": "n" };
  world.seed(persistentVolumeClaims, { ...claim, metadata: { ...claim.metadata, annotations } });
  await world.settle();
  assert.equal(
    world.get(persistentVolumeClaims, "a/c")?.metadata.annotations?.["volume.kubernetes.io/storage-provisioner"],
    "example.com/disk",
  );
  assert.match(world.events()[1] ?? "", /^ExternalProvisioning: Waiting for a volume/);
});

test("reclaiming by deletion is left to the provisioner, and fails without one", async () => {
  const world = start();
  const claimRef = { namespace: "a", name: "gone", uid: "u" };
  const spec = { persistentVolumeReclaimPolicy: "Delete", claimRef };
  world.seed(persistentVolumes, volumeOf("own", "1Gi", spec));
  const made = volumeOf("made", "1Gi", spec);
  world.seed(persistentVolumes, { ...made, metadata: { name: "made", annotations: { "pv.kubernetes.io/provisioned-by": "x" } } });
  await world.settle();
  assert.deepEqual(phases(world).volumes, { own: "Failed", made: "Released" });
});

test("a bound claim whose volume is gone is lost", async () => {
  const world = start();
  world.seed(persistentVolumes, volumeOf("v", "1Gi"));
  world.seed(persistentVolumeClaims, claimOf("c"));
  await world.settle();
  world.api.remove(persistentVolumes, "v");
  await world.settle();
  assert.equal(phases(world).claims["c"], "Lost");
});

test("a Pod's ephemeral volume gets its claim, which then grows only from outside", async () => {
  const world = start();
  const volumes = [{ name: "v", ephemeral: { volumeClaimTemplate: { metadata: {}, spec: claimOf("x").spec } } }];
  world.seed(pods, { metadata: { namespace: "a", name: "p" }, spec: { containers: [], volumes } });
  world.seed(persistentVolumes, volumeOf("vol", "1Gi"));
  await world.settle();
  const claim = world.get(persistentVolumeClaims, "a/p-v");
  assert.equal(claim?.metadata.ownerReferences?.[0]?.name, "p");
  assert.equal(claim.status?.phase, "Bound");
  const resources = { requests: { storage: "3Gi" } };
  world.seed(persistentVolumeClaims, { ...claim, spec: { ...claim.spec, resources } });
  await world.settle();
  assert.ok(world.events().includes("ExternalExpanding: waiting for an external controller to expand this PVC"));
});
