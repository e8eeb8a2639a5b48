import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { inFlightEventsMax } from "./flights.ts";
import { podInfoOf } from "./pod-info.ts";
import { createQueue, unschedulableMsMax } from "./queue.ts";
import { pod, type PodSketch } from "./testing/world.ts";

function makeQueue() {
  const clock = createVirtualClock();
  const open = new Set<string>(["gate"]);
  let ready = 0;
  const queue = createQueue({
    clock,
    gate: ({ labels }) => (labels.gated && !open.has("opened") ? "Gate" : undefined),
    interests: new Map([
      ["Node/add", new Set(["Fit"])],
      ["Pod/add", new Set(["Gate"])],
    ]),
    helps: (event, _pod, by) => (event.name === "Node/add" ? by.has("Fit") : by.has("Gate")),
    initialBackoffMs: 1000,
    backoffMsMax: 10_000,
    onReady: () => void ready++,
  });
  const info = (name: string, sketch: PodSketch = {}) => podInfoOf(pod(name, sketch));
  const popped = (): string | undefined => queue.pop()?.info.name;
  /** Pops the pod and puts it back as refused. */
  const refuse = (by = "Fit"): void => {
    const entry = queue.pop();
    assert.ok(entry);
    queue.putBack(entry, new Set(by === "" ? [] : [by]));
  };
  return { clock, queue, info, popped, refuse, open, readyCount: () => ready };
}

describe("createQueue", () => {
  it("gives the highest priority first, of equals the first to come (2)", () => {
    const { queue, info, popped } = makeQueue();
    for (const [name, priority] of [
      ["a", 0],
      ["b", 5],
      ["c", 0],
      ["d", 5],
    ] as const)
      queue.add(info(name, { priority }));
    assert.deepEqual([popped(), popped(), popped(), popped(), popped()], ["b", "d", "a", "c", undefined]);
  });

  it("brings a refused pod back for an event that helps it only (3)", () => {
    const { queue, info, popped, refuse } = makeQueue();
    queue.add(info("a"));
    refuse();
    queue.happened({ name: "Node/delete" });
    queue.happened({ name: "Pod/add" });
    assert.equal(popped(), undefined);
    queue.happened({ name: "Node/add" });
    assert.equal(popped(), "a");
  });

  it("brings it back anyway after a while (3)", async () => {
    const { clock, queue, info, popped, refuse } = makeQueue();
    queue.add(info("a"));
    refuse();
    await clock.advance(unschedulableMsMax - 1);
    assert.equal(popped(), undefined);
    await clock.advance(1001);
    assert.equal(popped(), "a");
  });

  it("counts events that come while the pod is in flight, however many (4)", () => {
    const { queue, info, popped } = makeQueue();
    for (const events of [1, inFlightEventsMax + 10]) {
      queue.add(info(`a${events}`));
      const entry = queue.pop();
      for (let i = 0; i < events; i++) queue.happened({ name: "Node/add" });
      assert.ok(entry);
      queue.putBack(entry, new Set(["Fit"]));
      assert.equal(popped(), `a${events}`);
    }
  });

  it("doubles the backoff after errors, and waits for it (5)", async () => {
    const { clock, queue, info, popped, refuse } = makeQueue();
    queue.add(info("a"));
    for (const waitMs of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
      refuse("");
      await clock.advance(waitMs - 1);
      assert.equal(popped(), undefined);
      await clock.advance(1);
      assert.deepEqual(queue.counts, { active: 1, backoff: 0, unschedulable: 0, gated: 0 });
    }
  });

  it("does not wait for the backoff of a helped pod when it is idle, else it does (2)", () => {
    const { queue, info, popped, refuse } = makeQueue();
    queue.add(info("a"));
    refuse();
    queue.happened({ name: "Node/add" });
    queue.add(info("b"));
    assert.equal(queue.counts.backoff, 1);
    assert.deepEqual([popped(), popped()], ["b", "a"]);
  });

  it("holds gated pods until their gate opens (1)", () => {
    const { queue, info, popped, open } = makeQueue();
    const gated = info("a", { labels: { gated: "yes" } });
    queue.add(gated);
    assert.deepEqual([popped(), queue.counts.gated], [undefined, 1]);
    open.add("opened");
    queue.reconsider(gated.uid);
    assert.equal(popped(), "a");
  });

  it("forgets pods that go, wherever they are (1)", () => {
    const { queue, info, popped, refuse } = makeQueue();
    for (const name of ["active", "refused"]) queue.add(info(name));
    const entry = queue.pop();
    refuse();
    queue.remove(info("refused").uid);
    queue.happened({ name: "Node/add" });
    assert.equal(popped(), undefined);
    assert.ok(entry);
    queue.remove(entry.info.uid);
    queue.putBack(entry, new Set());
    assert.deepEqual(queue.counts, { active: 0, backoff: 0, unschedulable: 0, gated: 0 });
  });
});
