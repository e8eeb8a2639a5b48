import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PodGroup, podGroups } from "#api/scheduling/v1alpha2/pod-group.ts";
import { makeWorld, node, pod } from "../../testing/world.ts";

const group = (name: string, minCount: number): PodGroup =>
  ({
    metadata: { name, namespace: "default" },
    spec: { schedulingPolicy: { gang: { minCount } } },
  }) as PodGroup;

describe("GangScheduling", () => {
  it("binds a gang when all of it has found room", async () => {
    await using world = makeWorld({ features: ["GangScheduling"] });
    const schedulingGroup = { podGroupName: "train" };
    world.addNode(node("a", { cpu: "2" }));
    world.addPod(pod("w0", { cpu: "1", schedulingGroup }));
    await world.settle();
    assert.equal(world.scheduler.queue.counts.gated, 1);
    world.api.seed(podGroups, group("train", 3));
    for (const name of ["w1", "w2"]) world.addPod(pod(name, { cpu: "1", schedulingGroup }));
    await world.advance(2000);
    const nodesOf = (): (string | undefined)[] => ["w0", "w1", "w2"].map(world.nodeOf);
    assert.deepEqual(nodesOf(), [undefined, undefined, undefined]);
    world.addNode(node("b", { cpu: "1" }));
    await world.advance(20_000);
    assert.deepEqual(nodesOf().toSorted(), ["a", "a", "b"]);
  });

  it("loses its places to more important pods, and after a while", async () => {
    await using world = makeWorld({ features: ["GangScheduling"] });
    world.addNode(node("a", { cpu: "1" }));
    world.api.seed(podGroups, group("train", 2));
    for (const name of ["w0", "w1"]) world.addPod(pod(name, { cpu: "1", schedulingGroup: { podGroupName: "train" } }));
    await world.settle();
    world.addPod(pod("other", { cpu: "1", priority: 10 }));
    await world.advance(2000);
    assert.equal(world.nodeOf("other"), "a");
    assert.deepEqual(["w0", "w1"].map(world.nodeOf), [undefined, undefined]);
    world.deletePod("other");
    await world.advance(310_000);
    const messages = ["w0", "w1"].map((name) => world.conditionOf(name, "PodScheduled").message);
    assert.ok(
      messages.some((text) => text === "rejected due to timeout after waiting 300s at plugin GangScheduling"),
      messages.join(),
    );
  });
});
