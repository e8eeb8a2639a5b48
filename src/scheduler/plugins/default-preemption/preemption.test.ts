import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "#api/core/v1/pod.ts";
import { podDisruptionBudgets } from "#api/policy/v1/pod-disruption-budget.ts";
import type { PodDisruptionBudget } from "#api/policy/v1/pod-disruption-budget.ts";
import { makeWorld, node, pod, type PodSketch } from "../../testing/world.ts";

function running(name: string, nodeName: string, sketch: PodSketch & { readonly startTime?: string } = {}): Pod {
  const { startTime = "2026-01-01T00:00:00Z", ...rest } = sketch;
  const made = pod(name, { cpu: "2", ...rest, nodeName });
  return { ...made, status: { phase: "Running", startTime } } as Pod;
}

describe("DefaultPreemption", () => {
  it("removes the least important pod, and takes its place", async () => {
    await using world = makeWorld();
    world.addNode(node("a", { cpu: "4" }));
    world.addPod(running("low", "a", { priority: 1 }));
    world.addPod(running("middle", "a", { priority: 5 }));
    await world.settle();
    world.addPod(pod("high", { cpu: "2", priority: 10 }));
    await world.settle();
    assert.deepEqual(world.conditionOf("low", "DisruptionTarget"), {
      status: "True",
      reason: "PreemptionByScheduler",
      message: "default-scheduler: preempting to accommodate a higher priority pod",
    });
    assert.equal(world.podOf("high")?.status?.nominatedNodeName, "a");
    assert.deepEqual(world.finishDeletions(), ["low"]);
    assert.match(world.eventsOf("low").join(), /Normal Preempted Preempted by pod uid-default-high on node a/);
    await world.advance(2000);
    assert.equal(world.nodeOf("high"), "a");
  });

  it("says that nobody's going would help", async () => {
    await using world = makeWorld();
    world.addNode(node("a", { cpu: "4" }));
    world.addPod(running("equal", "a", { priority: 10, cpu: "4" }));
    world.addNode(node("small", { cpu: "1" }));
    await world.settle();
    world.addPod(pod("high", { cpu: "2", priority: 10 }));
    await world.settle();
    assert.equal(
      world.conditionOf("high", "PodScheduled").message,
      "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: " +
        "1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
    );
  });

  it("leaves others alone for a pod that never preempts", async () => {
    await using world = makeWorld();
    world.addNode(node("a", { cpu: "2" }));
    world.addPod(running("low", "a"));
    await world.settle();
    world.addPod(pod("polite", { cpu: "2", priority: 10, preemptionPolicy: "Never" }));
    await world.settle();
    assert.match(
      world.conditionOf("polite", "PodScheduled").message,
      /preemption: not eligible due to preemptionPolicy=Never\.$/,
    );
  });

  const choices: readonly (readonly [name: string, onA: readonly Pod[], onB: readonly Pod[], node: string])[] = [
    ["lower priority", [running("a1", "a", { priority: 3 })], [running("b1", "b", { priority: 2 })], "b"],
    ["fewer pods", [running("a1", "a", { cpu: "1" }), running("a2", "a", { cpu: "1" })], [running("b1", "b")], "b"],
    [
      "the later start",
      [running("a1", "a", { startTime: "2026-01-01T00:00:05Z" })],
      [running("b1", "b", { startTime: "2026-01-01T00:00:01Z" })],
      "a",
    ],
  ];
  for (const [name, onA, onB, expected] of choices) {
    it(`chooses the node whose victims have ${name}`, async () => {
      await using world = makeWorld();
      world.addNode(node("a", { cpu: "2" }));
      world.addNode(node("b", { cpu: "2" }));
      for (const each of [...onA, ...onB]) world.addPod(each);
      await world.settle();
      world.addPod(pod("high", { cpu: "2", priority: 10 }));
      await world.settle();
      world.finishDeletions();
      await world.advance(2000);
      assert.equal(world.nodeOf("high"), expected);
    });
  }

  it("keeps to budgets where it can", async () => {
    await using world = makeWorld();
    for (const name of ["a", "b"]) world.addNode(node(name, { cpu: "2" }));
    world.addPod(running("guarded", "a", { priority: 1, labels: { app: "guarded" } }));
    world.addPod(running("free", "b", { priority: 2 }));
    world.api.seed(podDisruptionBudgets, {
      metadata: { name: "budget", namespace: "default" },
      spec: { selector: { matchLabels: { app: "guarded" } } },
      status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    } as PodDisruptionBudget);
    await world.settle();
    world.addPod(pod("high", { cpu: "2", priority: 10 }));
    await world.settle();
    assert.deepEqual(world.finishDeletions(), ["free"]);
    await world.advance(2000);
    assert.equal(world.nodeOf("high"), "b");
  });
});
