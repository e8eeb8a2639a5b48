import assert from "node:assert/strict";
import { test } from "node:test";
import { nodes } from "#api/core/v1/node.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { nodeIpamController } from "./controller.ts";
import { createPartSet } from "./ranges.ts";

test("nodes get parts of each range, those of services and other nodes left out; freed ones are used again", async () => {
  const world = startControllerWorld([nodeIpamController], {
    settings: {
      allocateNodeCidrs: true,
      clusterCidrs: ["10.0.0.0/22", "fd00::/62"],
      serviceCidrs: ["10.0.0.0/24"],
      nodeCidrMaskSizeIpv6: 64,
    },
  });
  world.seed(nodes, { metadata: { name: "old" }, spec: { podCIDR: "10.0.2.0/24", podCIDRs: ["10.0.2.0/24", "fd00::/64"] } });
  const add = async (name: string) => {
    world.seed(nodes, { metadata: { name }, spec: {} });
    await world.settle(1000);
    return world.get(nodes, name)?.spec.podCIDRs;
  };
  assert.deepEqual(await add("a"), ["10.0.1.0/24", "fd00:0:0:1::/64"]);
  assert.deepEqual(await add("b"), ["10.0.3.0/24", "fd00:0:0:2::/64"]);
  assert.equal(await add("late"), undefined);
  assert.deepEqual(world.events(), ["CIDRNotAvailable: Node late status is now: CIDRNotAvailable"]);
  world.api.remove(nodes, "old");
  await world.settle(60_000);
  assert.equal(world.get(nodes, "late")?.spec.podCIDR, "10.0.2.0/24");
});

test("nobody asked: nothing is given", async () => {
  const world = startControllerWorld([nodeIpamController], { settings: { clusterCidrs: ["10.0.0.0/16"] } });
  world.seed(nodes, { metadata: { name: "a" }, spec: {} });
  await world.settle();
  assert.equal(world.get(nodes, "a")?.spec.podCIDR, undefined);
});

for (const [occupied, first] of [
  ["10.1.0.0/24", "10.1.1.0/24"],
  ["10.1.0.0/30", "10.1.1.0/24"],
  ["10.0.0.0/8", undefined],
  ["10.1.0.0/17", "10.1.128.0/24"],
  ["192.168.0.0/16", "10.1.0.0/24"],
] as const) {
  test(`beside ${occupied} the first part is ${first}`, () => {
    const set = createPartSet("10.1.0.0/16", 24);
    set.occupy(occupied, "x");
    assert.equal(set.allocate("y"), first);
  });
}
