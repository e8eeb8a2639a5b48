import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createMemoryStore } from "#store/memory.ts";
import { CompactedError, keyOf, type Store } from "#store/store.ts";
import { startCompactor } from "./compactor.ts";

const intervalMs = 300_000;

async function put(store: Store, text: string): Promise<number> {
  const value = Buffer.from(text);
  const { revision } = await store.txn({ compare: [], success: [{ op: "put", key: keyOf("/a"), value }] });
  return revision;
}

test("a revision can be read for one interval, and not after two", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock, random: createVirtualRandom(1) });
  const first = await put(store, "1");
  await put(store, "2");
  using _compactor = startCompactor({ store, clock, log: silentLogger, intervalMs });
  await put(store, "3");
  assert.equal((await store.range({ key: keyOf("/a"), revision: first })).count, 1);
  await clock.advance(intervalMs);
  await assert.rejects(store.range({ key: keyOf("/a"), revision: first }), CompactedError);
  const kept = await store.range({ key: keyOf("/a"), revision: first + 1 });
  assert.equal(Buffer.from(kept.entries[0]?.value ?? []).toString(), "2");
});

test("nothing is compacted once it is disposed", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock, random: createVirtualRandom(1) });
  const first = await put(store, "1");
  await put(store, "2");
  startCompactor({ store, clock, log: silentLogger, intervalMs })[Symbol.dispose]();
  await clock.advance(3 * intervalMs);
  assert.equal((await store.range({ key: keyOf("/a"), revision: first })).count, 1);
});
