import assert from "node:assert/strict";
import { test } from "node:test";
import { Lifetime } from "#base/lifetime.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createWakeLoop, type WakeLoop } from "./wake-loop.ts";

function start(step: (loop: WakeLoop, count: number) => Promise<void> | void) {
  const clock = createVirtualClock();
  const lifetime = new Lifetime("loop");
  const startMs = clock.monotonicMs();
  const steps: number[] = [];
  const failures: number[] = [];
  const loop: WakeLoop = createWakeLoop({
    clock,
    lifetime,
    async step() {
      steps.push(clock.monotonicMs() - startMs);
      await step(loop, steps.length);
    },
    failed(_, before) {
      failures.push(before);
      loop.wakeAfter(100);
    },
  });
  return { clock, lifetime, loop, steps, failures };
}

test("createWakeLoop runs one step at a time, and one more for what came meanwhile", async () => {
  const { clock, loop, steps } = start((_, count) => clockOf(count));
  const gate = Promise.withResolvers<void>();
  function clockOf(count: number): Promise<void> | void {
    if (count === 1) return gate.promise;
  }
  loop.wake();
  loop.wake();
  loop.wake();
  await clock.settle();
  assert.equal(steps.length, 1);
  assert.equal(loop.busy, true);
  gate.resolve();
  await clock.settle();
  assert.equal(steps.length, 2);
  assert.equal(loop.busy, false);
});

test("createWakeLoop wakes at the earliest time, and a step forgets the others", async () => {
  const { clock, loop, steps } = start(() => undefined);
  loop.wakeAfter(500);
  loop.wakeAfter(200);
  loop.wakeAfter(900);
  await clock.advance(2000);
  assert.deepEqual(steps, [200]);
});

test("createWakeLoop tells how many steps failed in a row", async () => {
  const { clock, loop, steps, failures } = start((_, count) => {
    if (count < 3 || count === 4) throw new Error("no");
  });
  loop.wake();
  await clock.advance(1000);
  loop.wake();
  await clock.advance(1000);
  assert.deepEqual(failures, [0, 1, 0]);
  assert.deepEqual(steps, [0, 100, 200, 1000, 1100]);
});

test("createWakeLoop does nothing after its lifetime", async () => {
  const { clock, lifetime, loop, steps } = start(() => undefined);
  loop.wakeAfter(10);
  await lifetime.end();
  loop.wake();
  await clock.advance(100);
  assert.deepEqual(steps, []);
});
