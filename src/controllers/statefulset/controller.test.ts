import assert from "node:assert/strict";
import { test } from "node:test";
import { type StatefulSet, statefulSets } from "#api/apps/v1/stateful-set.ts";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { pods } from "#api/core/v1/pod.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { runPods } from "#testing/pod-runner.ts";
import { statefulSetController } from "./controller.ts";

const labels = { app: "db" };

function setUp(spec: Partial<StatefulSet["spec"]> = {}, run = true) {
  const world = startControllerWorld([statefulSetController]);
  if (run) runPods(world);
  world.seed(statefulSets, {
    kind: "StatefulSet",
    apiVersion: "apps/v1",
    metadata: { namespace: "a", name: "db" },
    spec: {
      replicas: 3,
      serviceName: "dbs",
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "v1" }] } },
      ...spec,
    },
  });
  const patch = (body: object) =>
    world.client.resource(statefulSets).patch("a/db", { type: "merge", body: { spec: body } });
  const image = (name: string) =>
    patch({ template: { spec: { containers: [{ name: "c", image: name }] } } });
  const show = () =>
    world
      .list(pods)
      .map(({ metadata, spec: { containers } }) => `${metadata.name}:${containers[0]?.image}`)
      .toSorted()
      .join(" ");
  const created = () =>
    world
      .events()
      .filter((text) => text.includes("create Pod"))
      .map((text) => /Pod (\S+)/.exec(text)?.[1])
      .join(" ");
  return {
    world,
    patch,
    image,
    show,
    created,
    status: () => world.get(statefulSets, "a/db")?.status,
  };
}

test("Pods come in order, each when the one before is up, with names of their own", async () => {
  const { world, show, created, status } = setUp();
  for (let i = 0; i < 20; i++) {
    await world.settle(1);
    const waiting = world.list(pods).filter(({ status: is }) => is?.phase !== "Running");
    assert.ok(waiting.length <= 1, show());
  }
  await world.settle();
  assert.equal(show(), "db-0:v1 db-1:v1 db-2:v1");
  assert.equal(created(), "db-0 db-1 db-2");
  const pod = world.get(pods, "a/db-1");
  assert.deepEqual([pod?.spec.hostname, pod?.spec.subdomain], ["db-1", "dbs"]);
  assert.equal(pod?.metadata.labels?.["statefulset.kubernetes.io/pod-name"], "db-1");
  assert.equal(pod?.metadata.labels?.["apps.kubernetes.io/pod-index"], "1");
  const { currentRevision, updateRevision, ...counts } = status() ?? {};
  assert.equal(pod?.metadata.labels?.["controller-revision-hash"], currentRevision);
  assert.equal(currentRevision, updateRevision);
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    collisionCount: 0,
  });
});

test("an ordered set waits for a Pod that does not come up, a parallel one does not", async () => {
  const ordered = setUp({}, false);
  await ordered.world.settle();
  assert.equal(ordered.show(), "db-0:v1");
  const parallel = setUp({ podManagementPolicy: "Parallel" }, false);
  await parallel.world.settle();
  assert.equal(parallel.show(), "db-0:v1 db-1:v1 db-2:v1");
});

test("shrinking takes the highest ordinal first, one at a time", async () => {
  const { world, patch, show } = setUp();
  await world.settle();
  await patch({ replicas: 1 });
  for (let i = 0; i < 20; i++) {
    await world.settle(1);
    const going = world
      .list(pods)
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    assert.ok(going.length <= 1);
  }
  await world.settle();
  assert.equal(show(), "db-0:v1");
});

test("a rolling update goes from the last Pod to the first, down to the partition", async () => {
  const { world, patch, image, show, status } = setUp();
  await world.settle();
  await patch({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } });
  await image("v2");
  await world.settle();
  assert.equal(show(), "db-0:v1 db-1:v1 db-2:v2");
  assert.notEqual(status()?.currentRevision, status()?.updateRevision);
  assert.deepEqual([status()?.currentReplicas, status()?.updatedReplicas], [2, 1]);
  world.api.remove(pods, "a/db-0");
  await world.settle();
  assert.equal(show(), "db-0:v1 db-1:v1 db-2:v2");
  await patch({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } } });
  await world.settle();
  assert.equal(show(), "db-0:v2 db-1:v2 db-2:v2");
  assert.equal(status()?.currentRevision, status()?.updateRevision);
});

test("OnDelete updates what is deleted", async () => {
  const { world, image, show } = setUp({ updateStrategy: { type: "OnDelete" } });
  await world.settle();
  await image("v2");
  world.api.remove(pods, "a/db-1");
  await world.settle();
  assert.equal(show(), "db-0:v1 db-1:v2 db-2:v1");
});

test("a failed Pod is made anew under its name", async () => {
  const { world, show } = setUp();
  await world.settle();
  const pod = world.get(pods, "a/db-1");
  if (pod) world.seed(pods, { ...pod, status: { phase: "Failed" } });
  await world.settle();
  assert.equal(show(), "db-0:v1 db-1:v1 db-2:v1");
  assert.notEqual(world.get(pods, "a/db-1")?.metadata.uid, pod?.metadata.uid);
  assert.ok(
    world.events().includes("RecreatingFailedPod: StatefulSet a/db is recreating failed Pod db-1"),
  );
});

test("claims are made by template, mounted, kept, and owned as the retention policy says", async () => {
  const { world, patch } = setUp({
    replicas: 2,
    volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }],
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Delete" },
  });
  await world.settle();
  const owners = () =>
    world
      .list(persistentVolumeClaims)
      .map(
        ({ metadata }) =>
          `${metadata.name}<${metadata.ownerReferences?.map(({ kind, name }) => `${kind}/${name}`)}`,
      );
  assert.deepEqual(owners(), ["data-db-0<StatefulSet/db", "data-db-1<StatefulSet/db"]);
  assert.deepEqual(world.get(pods, "a/db-0")?.spec.volumes, [
    { name: "data", persistentVolumeClaim: { claimName: "data-db-0" } },
  ]);
  await patch({ replicas: 1 });
  await world.settle();
  assert.deepEqual(owners(), ["data-db-0<StatefulSet/db", "data-db-1<Pod/db-1"]);
});

test("ordinals may start elsewhere", async () => {
  const { world, show } = setUp({ replicas: 2, ordinals: { start: 5 } });
  await world.settle();
  assert.equal(show(), "db-5:v1 db-6:v1");
});
