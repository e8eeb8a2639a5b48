import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { csiNodes } from "#api/storage/v1/csi-node.ts";
import { type StorageClass, storageClasses } from "#api/storage/v1/storage-class.ts";
import { makeWorld, node, pod } from "../../testing/world.ts";

interface ClaimSketch {
  readonly storageClassName?: string;
  readonly volumeName?: string;
  readonly size?: string;
  readonly accessModes?: string[];
}

function claim(name: string, sketch: ClaimSketch = {}): PersistentVolumeClaim {
  const { storageClassName = "local", volumeName, size = "1Gi", accessModes = ["ReadWriteOnce"] } = sketch;
  return {
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      ...(volumeName && { annotations: { "pv.kubernetes.io/bind-completed": "yes" } }),
    },
    spec: {
      accessModes,
      storageClassName,
      resources: { requests: { storage: size } },
      ...(volumeName && { volumeName }),
    },
    status: { phase: volumeName ? "Bound" : "Pending" },
  };
}

function volume(
  name: string,
  on: string,
  more: {
    readonly size?: string;
    readonly labels?: Record<string, string>;
    readonly handle?: string;
  } = {},
): PersistentVolume {
  const required = {
    nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [on] }] }],
  };
  return {
    metadata: { name, ...(more.labels && { labels: more.labels }) },
    spec: {
      capacity: { storage: more.size ?? "1Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "local",
      ...(on !== "" && { nodeAffinity: { required } }),
      ...(more.handle && { csi: { driver: "csi.example.com", volumeHandle: more.handle } }),
    },
    status: { phase: "Available" },
  } as PersistentVolume;
}

const storageClass = (provisioner: string, volumeBindingMode = "WaitForFirstConsumer"): StorageClass =>
  ({ metadata: { name: "local" }, provisioner, volumeBindingMode }) as StorageClass;

const mounts = (claimName: string) => ({
  volumes: [{ name: "data", persistentVolumeClaim: { claimName } }],
});

function makeStorage(provisioner = "kubernetes.io/no-provisioner", mode?: string) {
  const world = makeWorld();
  for (const name of ["a", "b"]) world.addNode(node(name));
  world.api.seed(storageClasses, storageClass(provisioner, mode));
  const claimOf = (name: string) => world.api.get(persistentVolumeClaims, `default/${name}`) as PersistentVolumeClaim;
  /** What the volume controller does. */
  const bind = (name: string, volumeName: string): void => {
    const current = claimOf(name);
    const annotations = {
      ...current.metadata?.annotations,
      "pv.kubernetes.io/bind-completed": "yes",
    };
    world.api.seed(persistentVolumeClaims, {
      ...current,
      metadata: { ...current.metadata, annotations },
      spec: { ...current.spec, volumeName },
    });
  };
  return { world, claimOf, bind };
}

describe("VolumeBinding", () => {
  it("chooses the smallest volume that fits, with its node, and waits until it is bound", async () => {
    const { world, bind } = makeStorage();
    await using _ = world;
    world.api.seed(persistentVolumes, volume("large", "a", { size: "100Gi" }));
    world.api.seed(persistentVolumes, volume("fitting", "b", { size: "10Gi" }));
    world.api.seed(persistentVolumes, volume("tight", "b", { size: "6Gi" }));
    world.api.seed(persistentVolumeClaims, claim("data", { size: "5Gi" }));
    world.addPod(pod("db", { ...mounts("data"), nodeSelector: { "kubernetes.io/hostname": "b" } }));
    await world.settle();
    assert.equal(world.nodeOf("db"), undefined);
    const reserved = world.api.get(persistentVolumes, "tight") as PersistentVolume;
    assert.equal(reserved.spec.claimRef?.name, "data");
    bind("data", "tight");
    await world.settle();
    assert.equal(world.nodeOf("db"), "b");
  });

  it("asks for a volume on the chosen node, and starts over when that fails", async () => {
    const { world, claimOf, bind } = makeStorage("csi.example.com");
    await using _ = world;
    world.api.seed(persistentVolumeClaims, claim("data"));
    world.addPod(pod("db", mounts("data")));
    await world.settle();
    const chosen = claimOf("data").metadata?.annotations?.["volume.kubernetes.io/selected-node"] ?? "";
    assert.ok(["a", "b"].includes(chosen));
    world.api.seed(persistentVolumeClaims, claim("data"));
    await world.settle();
    assert.match(
      world.conditionOf("db", "PodScheduled").message,
      /running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "data"/,
    );
    await world.advance(2000);
    bind("data", "made");
    await world.settle();
    assert.notEqual(world.nodeOf("db"), undefined);
  });

  const refusals: readonly (readonly [
    name: string,
    claims: readonly PersistentVolumeClaim[],
    volumes: readonly PersistentVolume[],
    mode: string,
    message: string,
  ])[] = [
    ["no such claim", [], [], "Immediate", '0/2 nodes are available: persistentvolumeclaim "data" not found.'],
    [
      "unbound",
      [claim("data")],
      [],
      "Immediate",
      "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
    ],
    [
      "no volume",
      [claim("data")],
      [],
      "WaitForFirstConsumer",
      "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
    ],
    [
      "volume gone",
      [claim("data", { volumeName: "gone" })],
      [],
      "WaitForFirstConsumer",
      "0/2 nodes are available: 2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).",
    ],
    [
      "volume elsewhere",
      [claim("data", { volumeName: "far" })],
      [volume("far", "c")],
      "WaitForFirstConsumer",
      "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity.",
    ],
    [
      "another zone",
      [claim("data", { volumeName: "zoned" })],
      [volume("zoned", "", { labels: { "topology.kubernetes.io/zone": "west" } })],
      "WaitForFirstConsumer",
      "0/2 nodes are available: 2 node(s) had no available volume zone.",
    ],
  ];
  for (const [name, claims, volumes, mode, message] of refusals) {
    it(`says: ${name}`, async () => {
      const { world } = makeStorage(undefined, mode);
      await using _ = world;
      if (name === "another zone")
        for (const at of ["a", "b"]) world.addNode(node(at, { labels: { "topology.kubernetes.io/zone": "east" } }));
      for (const each of claims) world.api.seed(persistentVolumeClaims, each);
      for (const each of volumes) world.api.seed(persistentVolumes, each);
      world.addPod(pod("db", mounts("data")));
      await world.settle();
      const said = world.conditionOf("db", "PodScheduled").message;
      assert.equal(said.slice(0, message.length), message);
    });
  }
});

describe("VolumeRestrictions and NodeVolumeLimits", () => {
  it("let one pod have a volume that is for one only", async () => {
    const { world } = makeStorage();
    await using _ = world;
    world.api.seed(persistentVolumes, volume("single", ""));
    world.api.seed(persistentVolumeClaims, claim("data", { volumeName: "single", accessModes: ["ReadWriteOncePod"] }));
    world.addPod(pod("first", mounts("data")));
    world.addPod(pod("second", mounts("data")));
    await world.settle();
    const [waiting] = ["first", "second"].filter((name) => world.nodeOf(name) === undefined);
    assert.match(
      world.conditionOf(waiting ?? "", "PodScheduled").message,
      /2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode\./,
    );
  });

  it("keep to what a driver can attach", async () => {
    const { world } = makeStorage();
    await using _ = world;
    for (const name of ["a", "b"]) {
      world.api.seed(csiNodes, {
        metadata: { name },
        spec: {
          drivers: [{ name: "csi.example.com", nodeID: name, topologyKeys: [], allocatable: { count: 1 } }],
        },
      });
    }
    const names = ["one", "two", "three"];
    for (const name of names) {
      world.api.seed(persistentVolumes, volume(name, "", { handle: name }));
      world.api.seed(persistentVolumeClaims, claim(name, { volumeName: name }));
      world.addPod(pod(name, mounts(name)));
    }
    await world.settle();
    const waiting = names.filter((name) => world.nodeOf(name) === undefined);
    assert.equal(waiting.length, 1);
    assert.match(world.conditionOf(waiting[0] ?? "", "PodScheduled").message, /2 node\(s\) exceed max volume count\./);
  });
});
