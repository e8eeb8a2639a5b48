import assert from "node:assert/strict";
import { test } from "node:test";
import { nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { silentLogger } from "#base/log.ts";
import { startControllerWorld } from "./controller-world.ts";
import { startHollowNodes } from "./hollow-node.ts";

function podOn(nodeName: string, name: string, annotations: Record<string, string> = {}): Pod {
  return {
    metadata: { name, namespace: "default", uid: name, annotations },
    spec: { nodeName, restartPolicy: "Never", containers: [{ name: "main", image: "app" }] },
    status: { phase: "Pending" },
  };
}

async function startWorld() {
  const world = startControllerWorld([]);
  const { client, informers, clock, lifetime } = world;
  const starting = startHollowNodes({
    client,
    informers,
    clock,
    lifetime,
    log: silentLogger,
    count: 3,
  });
  await world.settle();
  return { world, hollow: await starting };
}

test("startHollowNodes registers nodes that run what is bound to them", async () => {
  const { world, hollow } = await startWorld();
  assert.deepEqual(
    world.list(nodes).map((node) => node.status?.conditions?.[0]?.status),
    ["True", "True", "True"],
  );
  world.seed(pods, podOn("hollow-0", "a"));
  world.seed(pods, podOn("hollow-1", "b"));
  world.seed(pods, podOn("elsewhere", "c"));
  await world.settle();
  const [a, b, c] = ["a", "b", "c"].map((name) => world.get(pods, `default/${name}`));
  assert.deepEqual(
    [a, b, c].map((pod) => pod?.status?.phase),
    ["Running", "Running", "Pending"],
  );
  assert.notEqual(a?.status?.podIP, b?.status?.podIP);
  await world.client.resource(pods).delete("default/a");
  await world.settle();
  assert.equal(world.get(pods, "default/a"), undefined);
  assert.equal(hollow.names.length, 3);
});

test("startHollowNodes ends Pods as their annotations say", async () => {
  const { world } = await startWorld();
  const exit = { "hollow.kubets/exit-after-ms": "500", "hollow.kubets/exit-code": "3" };
  world.seed(pods, podOn("hollow-2", "job", exit));
  await world.settle(200);
  assert.equal(world.get(pods, "default/job")?.status?.phase, "Running");
  await world.settle(1000);
  const { status } = world.get(pods, "default/job") ?? {};
  assert.equal(status?.phase, "Failed");
  assert.equal(status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 3);
});

test("a crashed hollow node says nothing until it recovers", async () => {
  const { world, hollow } = await startWorld();
  hollow.crash("hollow-0");
  world.seed(pods, podOn("hollow-0", "lost"));
  await world.settle();
  assert.equal(world.get(pods, "default/lost")?.status?.phase, "Pending");
  hollow.recover("hollow-0");
  await world.settle();
  assert.equal(world.get(pods, "default/lost")?.status?.phase, "Running");
});
