import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createMemoryStore } from "./memory.ts";
import { runStoreTests, putOp, shown } from "./store-contract.ts";
import { CompactedError, type Store } from "./store.ts";

runStoreTests({
  name: "memory",
  async open() {
    const clock = createVirtualClock();
    const store = createMemoryStore({ clock });
    return {
      store,
      passSeconds: (seconds) => clock.advance(seconds * 1000),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
  modelRuns: 300,
});

const all = { key: "", end: "\0" };
const put = (store: Store, key: string, text: string): Promise<unknown> =>
  store.txn({ compare: [], success: [putOp(key, text)] });

test("a snapshot stays as it was, and forks go their own ways", async () => {
  await using store = createMemoryStore({ clock: createVirtualClock() });
  for (let i = 0; i < 500; i++) await put(store, `k${i}`, "old");
  const snapshot = store.snapshot();
  await using fork = snapshot.fork();
  await put(store, "k1", "parent");
  await put(fork, "k1", "fork");
  await put(fork, "only", "fork");
  await store.compact(store.revision);
  const values = async (of: Store): Promise<string[]> =>
    shown((await of.range({ key: "k1" })).entries, "");
  assert.deepEqual(await values(store), ["k1=parent"]);
  assert.deepEqual(await values(fork), ["k1=fork"]);
  assert.deepEqual(shown(snapshot.range({ key: "k1" }).entries, ""), ["k1=old"]);
  assert.deepEqual([snapshot.range(all).count, (await fork.range(all)).count], [500, 501]);
  await assert.rejects(fork.range({ ...all, revision: snapshot.revision - 1 }), CompactedError);
  assert.equal((await fork.range({ ...all, revision: snapshot.revision })).count, 500);
});

test("a fork has the leases of its snapshot, with their whole time", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock });
  const lease = await store.grantLease(10);
  await store.txn({ compare: [], success: [putOp("a", "1", lease)] });
  const snapshot = store.snapshot();
  await clock.advance(9_000);
  await using fork = snapshot.fork();
  await clock.advance(2_000);
  assert.equal((await store.range(all)).count, 0);
  assert.equal((await fork.range(all)).count, 1);
  await clock.advance(9_000);
  assert.equal((await fork.range(all)).count, 0);
});
