import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.ts";

test("timers fire once due, in the order of their due times", async () => {
  const fired: string[] = [];
  const startMs = systemClock.monotonicMs();
  await new Promise<void>((resolve) => {
    systemClock.after(30, () => {
      fired.push("late");
      resolve();
    });
    systemClock.after(5, () => fired.push("early"));
    systemClock.after(-10, () => fired.push("at once"));
    systemClock.after(1, () => assert.fail("was disposed"))[Symbol.dispose]();
  });
  assert.deepEqual(fired, ["at once", "early", "late"]);
  assert.ok(systemClock.monotonicMs() - startMs >= 29);
});

test("a delay beyond what a Node timer takes does not fire at once", async () => {
  const timer = systemClock.after(2 ** 40, () => assert.fail("fired"));
  await systemClock.sleep(10);
  assert.ok(timer.dueMonotonicMs > systemClock.monotonicMs() + 2 ** 39);
  timer[Symbol.dispose]();
});

test("sleep rejects with the signal's reason, before and during it", async () => {
  const reason = new Error("stop");
  await assert.rejects(systemClock.sleep(1000, AbortSignal.abort(reason)), reason);
  const controller = new AbortController();
  const slept = systemClock.sleep(60_000, controller.signal);
  controller.abort(reason);
  await assert.rejects(slept, reason);
});
