import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createCrashBackoff } from "./crash-backoff.ts";

test("createCrashBackoff lets the first restart pass, then waits 10, 20, ... 300 seconds", async () => {
  const clock = createVirtualClock();
  const backoff = createCrashBackoff(clock);
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    const finishedMs = clock.nowMs();
    const waitMs = backoff.admit("c", finishedMs);
    waits.push(waitMs / 1000);
    await clock.advance(waitMs);
    if (waitMs > 0) assert.equal(backoff.admit("c", finishedMs), 0);
  }
  assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
});

test("createCrashBackoff forgets after ten quiet minutes", async () => {
  const clock = createVirtualClock();
  const backoff = createCrashBackoff(clock);
  for (const _ of [1, 2]) {
    backoff.admit("c", clock.nowMs());
    await clock.advance(20_000);
  }
  await clock.advance(601_000);
  assert.equal(backoff.admit("c", clock.nowMs()), 0);
  assert.equal(backoff.delayMs("c"), 10_000);
});
