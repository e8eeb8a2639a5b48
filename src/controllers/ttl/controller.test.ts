import assert from "node:assert/strict";
import { test } from "node:test";
import { nodes } from "#api/core/v1/node.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { ttlController } from "./controller.ts";

test("every node learns the cache time of the cluster's size, again when a step is crossed", async () => {
  const world = startControllerWorld([ttlController]);
  const values = () =>
    new Set(
      world
        .list(nodes)
        .map(({ metadata }) => metadata.annotations?.["node.alpha.kubernetes.io/ttl"]),
    );
  for (let i = 0; i < 100; i++) world.seed(nodes, { metadata: { name: `n${i}` }, spec: {} });
  await world.settle();
  assert.deepEqual([...values()], ["0"]);
  world.seed(nodes, { metadata: { name: "one-more" }, spec: {} });
  await world.settle();
  assert.deepEqual([...values()], ["15"]);
});
