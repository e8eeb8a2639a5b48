import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "./clock.ts";

test("timers fire by due time, then by creation, at their due time", async () => {
  const clock = createVirtualClock();
  const fired: string[] = [];
  for (const [name, delayMs] of [
    ["c", 20],
    ["a", 10],
    ["b", 10],
    ["z", -5],
  ] as const) {
    clock.after(delayMs, () => fired.push(`${name}@${clock.monotonicMs()}`));
  }
  await clock.advance(15);
  assert.deepEqual(fired, ["z@0", "a@10", "b@10"]);
  assert.equal(clock.monotonicMs(), 15);
  await clock.advance(5);
  assert.deepEqual(fired.at(-1), "c@20");
});

test("microtasks run to the end between two timers", async () => {
  const clock = createVirtualClock();
  const log: string[] = [];
  clock.after(1, () => {
    void (async () => {
      for (let i = 0; i < 50; i++) await Promise.resolve();
      log.push("first settled");
    })();
  });
  clock.after(1, () => log.push("second"));
  await clock.advance(1);
  assert.deepEqual(log, ["first settled", "second"]);
});

test("a timer made during an advance fires in it when due", async () => {
  const clock = createVirtualClock();
  let ticks = 0;
  const tick = (): void => {
    ticks++;
    clock.after(10, tick);
  };
  clock.after(10, tick);
  await clock.advance(100);
  assert.equal(ticks, 10);
});

test("a disposed timer never fires, and is not pending", async () => {
  const clock = createVirtualClock();
  const timer = clock.after(1, () => assert.fail("fired"));
  timer[Symbol.dispose]();
  timer[Symbol.dispose]();
  assert.equal(clock.pendingCount, 0);
  assert.equal(await clock.advanceToNext(), false);
});

test("sleep rejects with the signal's reason", async () => {
  const clock = createVirtualClock();
  const controller = new AbortController();
  const slept = clock.sleep(1000, controller.signal);
  controller.abort(new Error("stop"));
  await assert.rejects(slept, /stop/);
  assert.equal(clock.pendingCount, 0);
});

test("an error in a timer rejects the advance", async () => {
  const clock = createVirtualClock();
  clock.after(1, () => {
    throw new Error("boom");
  });
  await assert.rejects(clock.advance(5), /boom/);
});

test("the wall clock can step without moving durations", async () => {
  const clock = createVirtualClock({ startMs: 1000 });
  await clock.advance(500);
  clock.setNowMs(1_000_000);
  assert.deepEqual([clock.nowMs(), clock.monotonicMs()], [1_000_000, 500]);
  await clock.advance(1);
  assert.equal(clock.nowMs(), 1_000_001);
});

test("an endless loop of timers is stopped by timersMax", async () => {
  const clock = createVirtualClock({ timersMax: 100 });
  const again = (): void => void clock.after(0, again);
  again();
  await assert.rejects(clock.advance(1), /more than 100 timers/);
});
