import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { bucketLimiter, createWorkqueue, exponentialLimiter } from "./workqueue.ts";

function setUp() {
  const clock = createVirtualClock();
  return { clock, queue: createWorkqueue({ name: "test", clock }) };
}

test("keys come out in the order they were added, each once", async () => {
  const { queue } = setUp();
  for (const key of ["a", "b", "a", "c", "b"]) queue.add(key);
  assert.equal(queue.size, 3);
  assert.deepEqual([await queue.get(), await queue.get(), await queue.get()], ["a", "b", "c"]);
});

test("a key added while a worker has it comes again when it is done, not before", async () => {
  const { queue, clock } = setUp();
  queue.add("a");
  assert.equal(await queue.get(), "a");
  queue.add("a");
  queue.add("a");
  const next = queue.get();
  let got: string | undefined;
  void next.then((key) => (got = key));
  await clock.settle();
  assert.equal(got, undefined);
  queue.done("a");
  assert.equal(await next, "a");
  queue.done("a");
  assert.equal(queue.size, 0);
});

test("after shutdown what is queued is handed out, then undefined, and nothing is accepted", async () => {
  const { queue } = setUp();
  queue.add("a");
  queue.shutDown();
  queue.add("b");
  queue.addAfter("c", 1);
  assert.deepEqual([await queue.get(), await queue.get()], ["a", undefined]);
  let drained = false;
  const waited = queue.drained().then(() => (drained = true));
  await Promise.resolve();
  assert.equal(drained, false);
  queue.done("a");
  await waited;
});

test("a waiting worker gets undefined at shutdown", async () => {
  const { queue } = setUp();
  const got = queue.get();
  queue.shutDown();
  assert.equal(await got, undefined);
});

test("of two delays the shorter one counts", async () => {
  const { queue, clock } = setUp();
  queue.addAfter("a", 100);
  queue.addAfter("a", 10);
  queue.addAfter("a", 50);
  await clock.advance(9);
  assert.equal(queue.size, 0);
  await clock.advance(1);
  assert.equal(queue.size, 1);
  assert.equal(await queue.get(), "a");
  queue.done("a");
  await clock.advance(1000);
  assert.equal(queue.size, 0);
  assert.equal(clock.pendingCount, 0);
});

test("rate limited adds wait longer with every failure until forgotten", async () => {
  const { queue, clock } = setUp();
  const delays: number[] = [];
  for (const forget of [false, false, false, true]) {
    if (forget) queue.forget("a");
    queue.addRateLimited("a");
    const beforeMs = clock.monotonicMs();
    await clock.advanceToNext();
    delays.push(clock.monotonicMs() - beforeMs);
    queue.done((await queue.get()) ?? "");
  }
  assert.deepEqual(delays, [5, 10, 20, 5]);
  assert.equal(queue.requeues("a"), 1);
});

test("exponential limiter stops at its longest delay", () => {
  const limiter = exponentialLimiter(5, 1000);
  const delays = Array.from({ length: 10 }, () => limiter.delayMs("a"));
  assert.deepEqual(delays, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
});

test("bucket limiter spends its burst, then keeps the rate", async () => {
  const clock = createVirtualClock();
  const limiter = bucketLimiter({ clock, perSecond: 10, burst: 2 });
  assert.deepEqual(
    [1, 2, 3, 4].map(() => limiter.delayMs("x")),
    [0, 0, 100, 200],
  );
  await clock.advance(10_000);
  assert.equal(limiter.delayMs("x"), 0);
});
