import assert from "node:assert/strict";
import { test } from "node:test";
import { controllerRevisions } from "#api/apps/v1/controller-revision.ts";
import { type DaemonSet, daemonSets } from "#api/apps/v1/daemon-set.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { pods } from "#api/core/v1/pod.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { runPods } from "#testing/pod-runner.ts";
import { daemonSetController } from "./controller.ts";
import { nodeNameOf } from "./daemon-pods.ts";

const labels = { app: "d" };

function node(
  name: string,
  spec: Partial<Node["spec"]> = {},
  nodeLabels: Record<string, string> = {},
): Node {
  return { metadata: { name, labels: nodeLabels }, spec };
}

function setUp(spec: Partial<DaemonSet["spec"]> = {}) {
  const world = startControllerWorld([daemonSetController]);
  runPods(world);
  for (const name of ["n1", "n2", "n3"]) world.seed(nodes, node(name));
  world.seed(daemonSets, {
    kind: "DaemonSet",
    apiVersion: "apps/v1",
    metadata: { namespace: "a", name: "d" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "v1" }] } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      revisionHistoryLimit: 10,
      ...spec,
    },
  });
  const patch = (body: object) =>
    world.client.resource(daemonSets).patch("a/d", { type: "merge", body: { spec: body } });
  const image = (name: string) =>
    patch({ template: { spec: { containers: [{ name: "c", image: name }] } } });
  const spread = () =>
    world
      .list(pods)
      .map((pod) => `${nodeNameOf(pod)}:${pod.spec.containers[0]?.image}`)
      .toSorted()
      .join(" ");
  return { world, patch, image, spread, status: () => world.get(daemonSets, "a/d")?.status };
}

test("one Pod is made for each node, pinned to it and tolerant of trouble", async () => {
  const { world, spread, status } = setUp();
  await world.settle();
  assert.equal(spread(), "n1:v1 n2:v1 n3:v1");
  assert.deepEqual(status(), {
    currentNumberScheduled: 3,
    numberMisscheduled: 0,
    desiredNumberScheduled: 3,
    numberReady: 3,
    observedGeneration: 1,
    updatedNumberScheduled: 3,
    numberAvailable: 3,
    numberUnavailable: 0,
  });
  const [pod] = world.list(pods);
  assert.ok(
    pod?.spec.tolerations?.some(
      ({ key, effect }) => key === "node.kubernetes.io/unreachable" && effect === "NoExecute",
    ),
  );
  const [revision] = world.list(controllerRevisions);
  const hash = revision?.metadata.labels?.["controller-revision-hash"];
  assert.equal(pod?.metadata.labels?.["controller-revision-hash"], hash);
  assert.equal(revision?.metadata.name, `d-${hash}`);
  // Go's order of members, which clients compare by bytes.
  const text = JSON.stringify(revision?.data);
  assert.match(text, /^\{"spec":\{"template":\{"\$patch":"replace","metadata":.*"containers":\[\{"image":"v1","name":"c"/);
});

test("taints and labels decide where Pods come and go", async () => {
  const { world, spread, patch } = setUp();
  await world.settle();
  world.seed(nodes, node("n1", { taints: [{ key: "x", effect: "NoSchedule" }] }));
  world.seed(nodes, node("n2", { taints: [{ key: "x", effect: "NoExecute" }] }));
  world.seed(nodes, node("n4", { taints: [{ key: "x", effect: "NoSchedule" }] }));
  world.seed(
    nodes,
    node(
      "n5",
      {
        unschedulable: true,
        taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }],
      },
      { disk: "ssd" },
    ),
  );
  await world.settle();
  assert.equal(spread(), "n1:v1 n3:v1 n5:v1");
  await patch({ template: { spec: { nodeSelector: { disk: "ssd" } } } });
  await world.settle();
  assert.equal(spread(), "n5:v1");
});

test("a rolling update takes one node at a time", async () => {
  const { world, image, spread } = setUp();
  await world.settle();
  await image("v2");
  for (let i = 0; i < 60; i++) {
    await world.settle(1);
    const running = world.list(pods).filter(({ status }) => status?.phase === "Running");
    assert.ok(running.length >= 2, spread());
  }
  assert.equal(spread(), "n1:v2 n2:v2 n3:v2");
  assert.deepEqual(
    world.list(controllerRevisions).map(({ revision }) => revision),
    [1, 2],
  );
});

test("with a surge the new Pod is up before the old one goes", async () => {
  const { world, image, spread } = setUp({
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  });
  await world.settle();
  await image("v2");
  for (let i = 0; i < 60; i++) {
    await world.settle(1);
    const covered = new Set(
      world
        .list(pods)
        .filter(({ status }) => status?.phase === "Running")
        .map(nodeNameOf),
    );
    assert.equal(covered.size, 3, spread());
  }
  assert.equal(spread(), "n1:v2 n2:v2 n3:v2");
});

test("OnDelete leaves old Pods until somebody deletes them", async () => {
  const { world, image, spread } = setUp({ updateStrategy: { type: "OnDelete" } });
  await world.settle();
  await image("v2");
  await world.settle();
  assert.equal(spread(), "n1:v1 n2:v1 n3:v1");
  world.api.remove(
    pods,
    `a/${world.list(pods).find((pod) => nodeNameOf(pod) === "n2")?.metadata.name}`,
  );
  await world.settle();
  assert.equal(spread(), "n1:v1 n2:v2 n3:v1");
});

test("failed Pods are replaced, ever more slowly, and told of", async () => {
  const { world } = setUp();
  await world.settle();
  const fail = (): void => {
    const pod = world.list(pods).find((each) => nodeNameOf(each) === "n1");
    if (pod) world.seed(pods, { ...pod, status: { phase: "Failed" } });
  };
  fail();
  await world.settle(100);
  assert.ok(world.list(pods).every(({ status }) => status?.phase === "Running"));
  fail();
  await world.settle(100);
  assert.ok(world.list(pods).some(({ status }) => status?.phase === "Failed"));
  await world.settle(5000);
  assert.ok(world.list(pods).every(({ status }) => status?.phase === "Running"));
  assert.equal(world.events().filter((text) => text.startsWith("FailedDaemonPod")).length, 2);
});
