import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { startCompactor, startRetention } from "./compactor.ts";
import { createMemoryStore } from "./memory.ts";
import { putOp } from "./store-contract.ts";
import { CompactedError, type Revision, type Store } from "./store.ts";
import { wrapStore } from "./wrap-store.ts";

const intervalMs = 1000;

async function put(store: Store): Promise<Revision> {
  return (await store.txn({ compare: [], success: [putOp("a", "x")] })).revision;
}

async function isReadable(store: Store, revision: Revision): Promise<boolean> {
  try {
    await store.range({ key: "a", revision });
    return true;
  } catch (error) {
    assert.ok(error instanceof CompactedError);
    return false;
  }
}

test("each interval compacts to where the store was one interval before", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock });
  using _compactor = startCompactor({ store, clock, intervalMs });
  const marks: Revision[] = [];
  for (let i = 0; i < 6; i++) {
    marks.push(await put(store));
    await clock.advance(intervalMs);
  }
  const readable = await Promise.all(marks.map((revision) => isReadable(store, revision)));
  // What was written in the last interval is not old enough.
  assert.deepEqual(readable, [false, false, false, false, false, true]);
});

test("of several on one store, one compacts in each interval", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock });
  const calls: Revision[] = [];
  const counted = wrapStore(store, {
    async compact(revision: Revision) {
      calls.push(revision);
      await store.compact(revision);
    },
  });
  using _first = startCompactor({ store: counted, clock, intervalMs });
  await clock.advance(intervalMs / 2);
  using _second = startCompactor({ store: counted, clock, intervalMs });
  using _third = startCompactor({ store: counted, clock, intervalMs });
  for (let i = 0; i < 10; i++) {
    await put(store);
    await clock.advance(intervalMs);
  }
  assert.ok(calls.length >= 8 && calls.length <= 10, `${calls.length} compactions`);
  assert.deepEqual(
    calls,
    [...new Set(calls)].toSorted((a, b) => a - b),
  );
});

test("retention compacts to where the store was that long ago, and writes nothing", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock });
  using _retention = startRetention({ store, clock, retentionMs: intervalMs });
  const first = await put(store);
  const second = await put(store);
  await clock.advance(intervalMs);
  assert.equal(await isReadable(store, first), true);
  const third = await put(store);
  await clock.advance(intervalMs);
  assert.deepEqual(
    [await isReadable(store, first), await isReadable(store, second)],
    [false, true],
  );
  assert.equal(store.revision, third);
  await clock.advance(5 * intervalMs);
  assert.equal(await isReadable(store, third), true);
});

test("an error is not the end, disposal is", async () => {
  const clock = createVirtualClock();
  const store = createMemoryStore({ clock });
  const compactor = startCompactor({ store, clock, intervalMs });
  await store[Symbol.asyncDispose]();
  await clock.advance(3 * intervalMs);
  assert.equal(clock.pendingCount, 1);
  compactor[Symbol.dispose]();
  assert.equal(clock.pendingCount, 0);
});
