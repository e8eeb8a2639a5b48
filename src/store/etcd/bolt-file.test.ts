import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createMemoryStore } from "../memory.ts";
import { putOp } from "../store-contract.ts";
import type { Store } from "../store.ts";
import { StoreDamagedError } from "../wal/damage.ts";
import { isEtcdSnapshot, readEtcdSnapshot } from "./bolt-reader.ts";
import { snapshotChunks } from "./server-snapshot.ts";

async function snapshotOf(store: Store): Promise<Buffer> {
  const blobs: Uint8Array[] = [];
  let total: number | undefined;
  for await (const { blob, remainingBytes } of snapshotChunks(store)) {
    total ??= blob.length + remainingBytes;
    blobs.push(blob);
  }
  const whole = Buffer.concat(blobs);
  assert.equal(whole.length, total);
  return whole;
}

test("what is written as etcd's database is read back, at every size of tree", async () => {
  const random = createVirtualRandom(2);
  for (const count of [0, 1, 2, 100, 3_000, 20_000]) {
    await using store = createMemoryStore({ clock: createVirtualClock() });
    const lease = await store.grantLease(77);
    for (let at = 0; at < count; at += 50) {
      const names = Array.from({ length: Math.min(50, count - at) }, (_, i) => `/k/${at + i}`);
      const success = names.map((name) => {
        const text = "v".repeat(random.below(random.below(40) === 0 ? 20_000 : 100));
        return putOp(name, text, random.below(10) === 0 ? lease : 0n);
      });
      await store.txn({ compare: [], success });
    }
    const snapshot = await snapshotOf(store);
    assert.ok(isEtcdSnapshot(snapshot));
    const read = readEtcdSnapshot("snapshot", snapshot);
    const { entries, revision } = await store.range({ key: "", end: "\0" });
    assert.equal(read.revision, revision);
    assert.deepEqual(
      read.entries.map((kv) => ({ ...kv, value: Buffer.from(kv.value).toString() })),
      entries.map((kv) => ({ ...kv, value: Buffer.from(kv.value).toString() })),
    );
    assert.deepEqual(read.leases, [{ id: lease, ttlSeconds: 77 }]);
  }
});

test("a flipped bit is noticed", async () => {
  await using store = createMemoryStore({ clock: createVirtualClock() });
  await store.txn({ compare: [], success: [putOp("a", "1")] });
  const snapshot = await snapshotOf(store);
  const at = snapshot.length - 5_000;
  snapshot[at] = (snapshot[at] ?? 0) ^ 1;
  assert.throws(() => readEtcdSnapshot("snapshot", snapshot), StoreDamagedError);
});
