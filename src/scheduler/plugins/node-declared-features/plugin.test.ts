import assert from "node:assert/strict";
import { it } from "node:test";
import type { Node } from "#api/core/v1/node.ts";
import { makeWorld, node, pod } from "../../testing/world.ts";

function declaring(name: string, ...features: string[]): Node {
  const plain = node(name);
  return { ...plain, status: { ...plain.status, declaredFeatures: features } };
}

const restarting = { hostNetwork: true, hostUsers: false };

it("NodeDeclaredFeatures waits for a node that declares what a Pod needs", async () => {
  await using world = makeWorld({ features: ["NodeDeclaredFeatures"] });
  world.addNode(declaring("old"));
  world.addPod(pod("plain"));
  world.addPod(pod("web", restarting));
  await world.settle();
  assert.equal(world.nodeOf("plain"), "old");
  assert.equal(
    world.conditionOf("web", "PodScheduled").message,
    "0/1 nodes are available: 1 node(s) didn't match Pod's required features. no new claims to deallocate, " +
      "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  );
  world.addNode(declaring("old", "UserNamespacesHostNetworkSupport"));
  await world.advance(2000);
  assert.equal(world.nodeOf("web"), "old");
});

it("NodeDeclaredFeatures asks for nothing while its gate is off", async () => {
  await using world = makeWorld();
  world.addNode(declaring("old"));
  world.addPod(pod("web", restarting));
  await world.settle();
  assert.equal(world.nodeOf("web"), "old");
});
