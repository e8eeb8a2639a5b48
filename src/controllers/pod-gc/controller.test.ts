import assert from "node:assert/strict";
import { test } from "node:test";
import { nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { podGarbageCollector } from "./controller.ts";

function pod(
  name: string,
  nodeName: string,
  phase = "Running",
  extra: Partial<Pod["metadata"]> = {},
): Pod {
  return {
    metadata: { namespace: "a", name, ...extra },
    spec: { nodeName, containers: [] },
    status: { phase },
  };
}

test("Pods of a node that is gone are failed and deleted after the quarantine", async () => {
  const world = startControllerWorld([podGarbageCollector]);
  world.seed(nodes, { metadata: { name: "n1" }, spec: {} });
  world.seed(pods, pod("stays", "n1"));
  world.seed(pods, pod("lost", "n2", "Running", { finalizers: ["x/y"] }));
  await world.settle(39_000);
  assert.equal(world.get(pods, "a/lost")?.metadata.deletionTimestamp, undefined);
  await world.settle(2000);
  const lost = world.get(pods, "a/lost");
  assert.notEqual(lost?.metadata.deletionTimestamp, undefined);
  assert.equal(lost?.status?.phase, "Failed");
  assert.deepEqual(
    lost?.status?.conditions?.map(({ type, reason }) => [type, reason]),
    [["DisruptionTarget", "DeletionByPodGC"]],
  );
  assert.equal(world.get(pods, "a/stays")?.status?.phase, "Running");
});

test("a node that comes back in time keeps its Pods", async () => {
  const world = startControllerWorld([podGarbageCollector]);
  world.seed(pods, pod("p", "n1"));
  await world.settle(30_000);
  world.seed(nodes, { metadata: { name: "n1" }, spec: {} });
  await world.settle(60_000);
  assert.notEqual(world.get(pods, "a/p"), undefined);
});

test("Pods that were deleted without a node, or on one out of service, go at once", async () => {
  const world = startControllerWorld([podGarbageCollector]);
  const going = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 };
  world.seed(nodes, {
    metadata: { name: "n1" },
    spec: { taints: [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }] },
  });
  world.seed(pods, pod("unassigned", "", "Pending", going));
  world.seed(pods, pod("stuck", "n1", "Running", going));
  await world.settle();
  assert.deepEqual(world.list(pods), []);
});

test("of ended Pods beyond the limit the oldest go, evicted ones before others", async () => {
  const world = startControllerWorld([podGarbageCollector], { settings: { terminatedPodsMax: 1 } });
  for (const [i, name] of ["old", "young", "evicted"].entries()) {
    const made = pod(name, "n1", "Failed", { creationTimestamp: `2026-01-01T00:00:0${i}Z` });
    world.seed(
      pods,
      name === "evicted" ? { ...made, status: { phase: "Failed", reason: "Evicted" } } : made,
    );
  }
  await world.settle();
  assert.deepEqual(
    world.list(pods).map(({ metadata }) => metadata.name),
    ["young"],
  );
});
