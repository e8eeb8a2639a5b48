import assert from "node:assert/strict";
import { test } from "node:test";
import { type Deployment, deployments } from "#api/apps/v1/deployment.ts";
import { replicaSets } from "#api/apps/v1/replica-set.ts";
import { pods } from "#api/core/v1/pod.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { runPods } from "#testing/pod-runner.ts";
import { replicaSetController } from "../replicaset/controller.ts";
import { deploymentController } from "./controller.ts";

const labels = { app: "web" };

function deployment(spec: Partial<Deployment["spec"]> = {}): Deployment {
  return {
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: { namespace: "a", name: "web", annotations: { note: "x" } },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "v1" }] } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      ...spec,
    },
  };
}

function setUp(spec: Partial<Deployment["spec"]> = {}, run = true) {
  const world = startControllerWorld([deploymentController, replicaSetController]);
  if (run) runPods(world);
  world.seed(deployments, deployment(spec));
  const patch = (body: object) =>
    world.client.resource(deployments).patch("a/web", { type: "merge", body });
  const image = (name: string) =>
    patch({ spec: { template: { spec: { containers: [{ name: "c", image: name }] } } } });
  const conditions = () =>
    Object.fromEntries(
      (world.get(deployments, "a/web")?.status?.conditions ?? []).map(
        ({ type, status, reason }) => [type, `${status} ${reason}`],
      ),
    );
  const sizes = () =>
    world
      .list(replicaSets)
      .map(
        ({ metadata, spec, status }) =>
          `${metadata?.annotations?.["deployment.kubernetes.io/revision"]}:${spec.replicas}/${status?.availableReplicas ?? 0}`,
      );
  return { world, patch, image, conditions, sizes };
}

test("a Deployment makes one ReplicaSet with a hash in name, labels and selector", async () => {
  const { world, conditions, sizes } = setUp();
  await world.settle();
  assert.deepEqual(sizes(), ["1:3/3"]);
  const [set] = world.list(replicaSets);
  const hash = set?.metadata?.labels?.["pod-template-hash"] ?? "";
  assert.match(hash, /^[a-z0-9]{8,10}$/);
  assert.equal(set?.metadata?.name, `web-${hash}`);
  assert.deepEqual(set?.spec.selector?.matchLabels, { app: "web", "pod-template-hash": hash });
  assert.equal(set?.spec.template.metadata?.labels?.["pod-template-hash"], hash);
  assert.equal(set?.metadata?.annotations?.["note"], "x");
  assert.deepEqual(conditions(), {
    Available: "True MinimumReplicasAvailable",
    Progressing: "True NewReplicaSetAvailable",
  });
  const current = world.get(deployments, "a/web");
  assert.equal(current?.metadata?.annotations?.["deployment.kubernetes.io/revision"], "1");
  const { conditions: _, ...counts } = current?.status ?? {};
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    unavailableReplicas: 0,
    terminatingReplicas: 0,
  });
});

test("a rolling update never leaves its fences, and ends with the old ReplicaSet at 0", async () => {
  const { world, image, sizes } = setUp();
  await world.settle();
  await image("v2");
  for (let i = 0; i < 200; i++) {
    await world.settle(1);
    const all = world
      .list(pods)
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    assert.ok(all.length <= 4, `${all.length} Pods`);
    const ready = all.filter(({ status }) => status?.phase === "Running");
    assert.ok(ready.length >= 3, `${ready.length} ready Pods`);
  }
  assert.deepEqual(sizes(), ["1:0/0", "2:3/3"]);
});

test("going back to an old template takes its ReplicaSet up again, with a new revision and a history", async () => {
  const { world, image, sizes } = setUp();
  await world.settle();
  await image("v2");
  await world.settle();
  await image("v1");
  await world.settle();
  assert.deepEqual(sizes(), ["3:3/3", "2:0/0"]);
  const [set] = world.list(replicaSets);
  assert.equal(set?.metadata?.annotations?.["deployment.kubernetes.io/revision-history"], "1");
});

test("a revision is an int64, also beyond what a number holds exactly", async () => {
  const { world, sizes } = setUp();
  const annotations = { "deployment.kubernetes.io/revision": "3546343826724305832" };
  world.seed(replicaSets, {
    metadata: { namespace: "a", name: "old", labels, annotations },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "v0" }] } },
    },
  });
  await world.settle();
  assert.ok(sizes().includes("3546343826724305833:3/3"), String(sizes()));
});

test("the rollback annotation restores the template of a revision", async () => {
  const { world, image, patch } = setUp();
  await world.settle();
  await image("v2");
  await world.settle();
  await patch({ metadata: { annotations: { "deprecated.deployment.rollback.to": "0" } } });
  await world.settle();
  const current = world.get(deployments, "a/web");
  assert.equal(current?.spec.template.spec.containers[0]?.image, "v1");
  assert.equal(current?.metadata?.annotations?.["deprecated.deployment.rollback.to"], undefined);
  assert.ok(
    world.events().includes('DeploymentRollback: Rolled back deployment "web" to revision 1'),
  );
});

test("Recreate waits for the last old Pod to be gone before the first new one", async () => {
  const { world, image, sizes } = setUp({ strategy: { type: "Recreate" } });
  await world.settle();
  await image("v2");
  for (let i = 0; i < 50; i++) {
    await world.settle(1);
    const images = new Set(world.list(pods).map(({ spec }) => spec.containers[0]?.image));
    assert.ok(images.size <= 1, [...images].join(" "));
  }
  assert.deepEqual(sizes(), ["1:0/0", "2:3/3"]);
});

test("a paused Deployment is scaled, but not rolled out", async () => {
  const { world, image, patch, sizes, conditions } = setUp();
  await world.settle();
  await patch({ spec: { paused: true } });
  await image("v2");
  await patch({ spec: { replicas: 5 } });
  await world.settle();
  assert.deepEqual(sizes(), ["1:5/5"]);
  assert.equal(conditions()["Progressing"], "Unknown DeploymentPaused");
  await patch({ spec: { paused: false } });
  await world.settle();
  assert.deepEqual(sizes(), ["1:0/0", "2:5/5"]);
});

test("a rollout that does not move is reported at its deadline", async () => {
  const { world, conditions } = setUp({ progressDeadlineSeconds: 30 }, false);
  await world.settle(29_000);
  assert.equal(conditions()["Progressing"], "True ReplicaSetUpdated");
  await world.settle(5_000);
  assert.equal(conditions()["Progressing"], "False ProgressDeadlineExceeded");
  assert.equal(conditions()["Available"], "False MinimumReplicasUnavailable");
});

test("old ReplicaSets beyond the history limit are deleted", async () => {
  const { world, image, sizes } = setUp({ revisionHistoryLimit: 1 });
  for (const name of ["v1", "v2", "v3", "v4"]) {
    await image(name);
    await world.settle();
  }
  assert.deepEqual(sizes(), ["3:0/0", "4:3/3"]);
});

test("a hash that another's ReplicaSet has is counted as a collision, and another one is taken", async () => {
  const { world, sizes } = setUp();
  await world.settle();
  const name = world.list(replicaSets)[0]?.metadata?.name ?? "";
  const other = startControllerWorld([deploymentController, replicaSetController]);
  const template = { metadata: { labels: { app: "z" } }, spec: { containers: [] } };
  other.seed(replicaSets, {
    metadata: { namespace: "a", name },
    spec: { replicas: 0, selector: { matchLabels: { app: "z" } }, template },
  });
  other.seed(deployments, deployment());
  await other.settle();
  assert.equal(other.get(deployments, "a/web")?.status?.collisionCount, 1);
  assert.equal(other.list(replicaSets).length, 2);
  assert.equal(sizes().length, 1);
});

test("a selector of everything is refused with an event", async () => {
  const { world } = setUp({ selector: {} });
  await world.settle();
  assert.equal(world.list(replicaSets).length, 0);
  assert.deepEqual(world.events(), [
    "SelectingAll: This deployment is selecting all pods. A non-empty selector is required.",
  ]);
});
