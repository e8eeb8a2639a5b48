import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeWorld, node, pod } from "./testing/world.ts";

describe("scheduler", () => {
  it("binds a pod to a node that has room", async () => {
    await using world = makeWorld();
    world.addNode(node("a", { cpu: "1" }));
    world.addNode(node("b", { cpu: "4" }));
    world.addPod(pod("web", { cpu: "2" }));
    await world.settle();
    assert.equal(world.nodeOf("web"), "b");
    assert.deepEqual(world.eventsOf("web"), ["Normal Scheduled Successfully assigned default/web to b"]);
  });

  it("says in condition and event why no node will do", async () => {
    await using world = makeWorld();
    world.addNode(node("a", { cpu: "1" }));
    world.addNode(node("b", { cpu: "4", unschedulable: true }));
    world.addNode(node("c", { cpu: "4", taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] }));
    world.addPod(pod("web", { cpu: "2" }));
    await world.settle();
    assert.equal(world.nodeOf("web"), undefined);
    const { status, reason, message } = world.conditionOf("web", "PodScheduled");
    assert.deepEqual([status, reason], ["False", "Unschedulable"]);
    assert.match(
      message,
      /^0\/3 nodes are available: 1 Insufficient cpu, 1 node\(s\) had untolerated taint\(s\), 1 node\(s\) were unschedulable\./,
    );
    assert.equal(world.eventsOf("web")[0], `Warning FailedScheduling ${message}`);
  });

  it("tells when there are no nodes, and schedules with the first", async () => {
    await using world = makeWorld();
    world.addPod(pod("web"));
    await world.settle();
    assert.equal(world.conditionOf("web", "PodScheduled").message, "no nodes available to schedule pods");
    world.addNode(node("a"));
    await world.advance(1000);
    assert.equal(world.nodeOf("web"), "a");
  });

  it("leaves pods of other schedulers, and gated ones, alone", async () => {
    await using world = makeWorld();
    world.addNode(node("a"));
    world.addPod(pod("other", { schedulerName: "mine" }));
    world.addPod(pod("gated", { schedulingGates: [{ name: "wait" }] }));
    await world.settle();
    assert.deepEqual([world.nodeOf("other"), world.nodeOf("gated")], [undefined, undefined]);
    const { outcome, message } = world.scheduler.why("default", "gated") ?? {};
    assert.deepEqual([outcome, message], ["Gated", "waiting for scheduling gates: [wait]"]);
    world.updatePod("gated", { schedulingGates: [] });
    await world.settle();
    assert.equal(world.nodeOf("gated"), "a");
  });

  it("takes the more important pod first, of equals the first", async () => {
    await using world = makeWorld();
    for (const [name, priority] of [
      ["low", 0],
      ["high", 10],
      ["also-high", 10],
    ] as const) {
      world.addPod(pod(name, { priority, cpu: "1" }));
    }
    await world.settle();
    world.addNode(node("a", { cpu: "2" }));
    await world.advance(10_000);
    assert.deepEqual(["low", "high", "also-high"].map(world.nodeOf), [undefined, "a", "a"]);
  });

  it("tries again when a pod that goes makes room", async () => {
    await using world = makeWorld();
    world.addNode(node("a", { cpu: "2" }));
    world.addPod(pod("first", { cpu: "2" }));
    await world.settle();
    world.addPod(pod("second", { cpu: "2" }));
    await world.settle();
    assert.equal(world.nodeOf("second"), undefined);
    world.deletePod("first");
    await world.advance(1000);
    assert.equal(world.nodeOf("second"), "a");
  });

  it("honours selectors, affinity, ports, and explains", async () => {
    await using world = makeWorld();
    world.addNode(node("a", { labels: { disk: "ssd" } }));
    world.addNode(node("b"));
    world.addPod(pod("ssd", { nodeSelector: { disk: "ssd" }, hostPort: 80 }));
    world.addPod(pod("none", { nodeSelector: { disk: "tape" } }));
    await world.settle();
    world.addPod(pod("clash", { nodeSelector: { disk: "ssd" }, hostPort: 80 }));
    await world.settle();
    assert.equal(world.nodeOf("ssd"), "a");
    assert.match(
      world.conditionOf("none", "PodScheduled").message,
      /2 node\(s\) didn't match Pod's node affinity\/selector\./,
    );
    assert.match(
      world.conditionOf("clash", "PodScheduled").message,
      /1 node\(s\) didn't have free ports for the requested pod ports, 1 node\(s\) didn't match Pod's node affinity\/selector\./,
    );
    const why = world.scheduler.why("default", "clash");
    assert.deepEqual(
      why?.refusals.map(({ plugin, nodes }) => [plugin, nodes]),
      [
        ["NodePorts", ["a"]],
        ["NodeAffinity", ["b"]],
      ],
    );
  });
});
