import assert from "node:assert/strict";
import { test } from "node:test";
import { IoError, isIoError } from "#base/files.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles, type VirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { openDurableStore, type DurableStore, type DurableStoreOptions } from "./durable.ts";
import { Collector, putOp, runStoreTests, shown } from "./store-contract.ts";
import {
  CompactedError,
  StoreReadOnlyError,
  StoreUnavailableError,
  type Store,
  type TxnResult,
} from "./store.ts";
import { lazyFlushMsMax, lazyRevisionsMax, repairEveryMs } from "./wal/pipeline.ts";

runStoreTests({
  name: "durable",
  async open() {
    const { store, clock } = await opened();
    return {
      store,
      passSeconds: (seconds) => clock.advance(seconds * 1000),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
});

const all = { key: "", end: "\0" };
const bootId = "/proc/sys/kernel/random/boot_id";

async function opened(
  files: VirtualFiles = createVirtualFiles(),
  options: Partial<DurableStoreOptions> = {},
): Promise<{ store: DurableStore; clock: ReturnType<typeof createVirtualClock> }> {
  const clock = createVirtualClock();
  const random = createVirtualRandom(1);
  const store = await openDurableStore({ files, directory: "/data", clock, random, ...options });
  return { store, clock };
}

/** A tree in which a restart of the process is not taken for a restart of the machine. */
async function bootedFiles(): Promise<VirtualFiles> {
  const files = createVirtualFiles();
  await files.makeDirectory("/proc/sys/kernel/random");
  for (const directory of ["/", "/proc", "/proc/sys", "/proc/sys/kernel"]) {
    await files.syncDirectory(directory);
  }
  await files.writeAtomic(bootId, "boot-1\n");
  return files;
}

function put(store: Store, key: string, text: string, lazy = false): Promise<TxnResult> {
  const op = { ...putOp(key, text), ...(lazy ? { durability: "lazy" as const } : {}) };
  return store.txn({ compare: [], success: [op] });
}

async function content(store: Store, revision = 0): Promise<string[]> {
  return shown((await store.range({ ...all, revision })).entries, "");
}

test("a closed store opens as it was: state, history, compaction, leases", async () => {
  const files = createVirtualFiles();
  const { store } = await opened(files);
  const lease = await store.grantLease(60);
  for (const text of ["1", "2", "3"]) await put(store, "a", text);
  await store.txn({ compare: [], success: [putOp("b", "leased", lease)] });
  await store.txn({ compare: [], success: [{ op: "delete", key: "a" }] });
  await store.compact(3);
  await store[Symbol.asyncDispose]();

  const again = (await opened(files)).store;
  assert.equal(again.revision, 6);
  assert.deepEqual(await content(again), ["b=leased"]);
  assert.deepEqual(await content(again, 4), ["a=3"]);
  assert.deepEqual((await again.range({ key: "a", revision: 4 })).entries[0]?.version, 3);
  await assert.rejects(again.range({ ...all, revision: 2 }), CompactedError);
  using watch = new Collector(again, { ...all, startRevision: 4 });
  await watch.until(() => watch.batches.length === 3);
  assert.deepEqual(watch.texts("", 0), [
    "+4: put a=3 (was 2)",
    "+5: put b=leased",
    "+6: delete a (was 3)",
  ]);
  assert.deepEqual(await again.leases(), [lease]);
  await again.revokeLease(lease);
  assert.deepEqual(await content(again), []);
  await again[Symbol.asyncDispose]();
});

test("a second process is refused while the first has the store", async () => {
  const files = createVirtualFiles();
  const { store } = await opened(files);
  await assert.rejects(opened(files), (error) => isIoError(error, "EWOULDBLOCK"));
  await store[Symbol.asyncDispose]();
  await (await opened(files)).store[Symbol.asyncDispose]();
});

test("a killed process loses nothing, lazy writes included, and history goes on", async () => {
  const files = await bootedFiles();
  const { store } = await opened(files);
  await put(store, "a", "1");
  const { revision } = await put(store, "b", "lazy", true);
  const again = (await opened(files.kill())).store;
  assert.equal(again.revision, revision);
  using watch = new Collector(again, { ...all, startRevision: 2 });
  await watch.until(() => watch.batches.length === 2);
  assert.deepEqual(watch.texts("", 0), ["+2: put a=1", "+3: put b=lazy"]);
});

test("a power cut may take lazy writes, and then no revision is used twice", async () => {
  const files = await bootedFiles();
  const { store, clock } = await opened(files);
  await put(store, "a", "1");
  await put(store, "early", "lazy", true);
  await clock.advance(lazyFlushMsMax);
  const { revision } = await put(store, "late", "lazy", true);
  assert.deepEqual(await content(store), ["a=1", "early=lazy", "late=lazy"]);
  const after = files.crash();
  await after.writeAtomic(bootId, "boot-2\n");
  const again = (await opened(after)).store;
  assert.deepEqual(await content(again), ["a=1", "early=lazy"]);
  assert.equal(again.revision, revision - 1 + lazyRevisionsMax);
  using watch = new Collector(again, { ...all, startRevision: revision + 1 });
  await watch.until(() => watch.closed !== undefined);
  assert.ok(watch.closed instanceof CompactedError);
  assert.equal((await put(again, "b", "2")).revision, revision + lazyRevisionsMax);
  await again[Symbol.asyncDispose]();
  const third = (await opened(after)).store;
  assert.equal(third.revision, revision + lazyRevisionsMax);
});

test("nothing is read, watched or acknowledged before it is synced", async () => {
  const files = createVirtualFiles();
  const { store } = await opened(files);
  await put(store, "a", "1");
  const gate = Promise.withResolvers<void>();
  files.intercept = ({ op }) => (op === "fdatasync" ? gate.promise : undefined);
  using watch = new Collector(store, { ...all, startRevision: 3 });
  let acknowledged = 0;
  const writes = [put(store, "a", "2"), put(store, "b", "lazy", true)];
  const loser = store.txn({
    compare: [{ key: "a", target: "version", relation: "=", number: 1 }],
    success: [],
    failure: [{ op: "range", key: "a" }],
  });
  for (const each of [...writes, loser]) void each.then(() => acknowledged++);
  for (let i = 0; i < 100; i++) await Promise.resolve();
  assert.deepEqual([await content(store), store.revision, watch.batches.length], [["a=1"], 2, 0]);
  assert.equal(acknowledged, 0);
  gate.resolve();
  await Promise.all(writes);
  const { results } = await loser;
  assert.deepEqual(results[0]?.op === "range" && shown(results[0].entries, ""), ["a=2"]);
  assert.equal(watch.batches.length, 2);
});

test("writes that come during a sync share the next one", async () => {
  const files = createVirtualFiles();
  const { store } = await opened(files);
  let syncs = 0;
  files.intercept = ({ op }) => void (op === "fdatasync" && syncs++);
  await Promise.all(Array.from({ length: 500 }, (_, i) => put(store, `k${i}`, "1")));
  assert.ok(syncs <= 2, `${syncs} syncs`);
});

test("a full disk refuses writes, serves reads, and recovers by itself", async () => {
  const files = createVirtualFiles();
  const { store, clock } = await opened(files);
  const lease = await store.grantLease(2);
  await put(store, "a", "kept");
  await store.txn({ compare: [], success: [putOp("leased", "1", lease)] });
  files.capacityBytes = files.usedBytes + 100;
  const big = "x".repeat(1000);
  const outcomes = await Promise.allSettled([put(store, "b", big), put(store, "c", big)]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === "rejected" && outcome.reason instanceof StoreReadOnlyError);
    assert.match(String(outcome.reason), /ENOSPC/);
  }
  assert.ok(store.readOnly instanceof StoreReadOnlyError);
  await assert.rejects(put(store, "small", "1"), StoreReadOnlyError);
  await assert.rejects(store.compact(2), StoreReadOnlyError);
  assert.deepEqual(await content(store), ["a=kept", "leased=1"]);
  assert.equal(
    (await store.txn({ compare: [], success: [{ op: "range", ...all }] })).succeeded,
    true,
  );
  await clock.advance(5 * repairEveryMs);
  assert.ok(store.readOnly !== undefined);

  files.capacityBytes = files.usedBytes + 10_000_000;
  await clock.advance(2 * repairEveryMs);
  assert.equal(store.readOnly, undefined);
  const { revision } = await put(store, "b", "after");
  assert.deepEqual(await content(store), ["a=kept", "b=after"], "the lease has ended meanwhile");
  await store[Symbol.asyncDispose]();
  const again = (await opened(files)).store;
  assert.deepEqual(await content(again), ["a=kept", "b=after"]);
  assert.equal(again.revision, revision);
});

test("a store is opened on a full disk, to be read", async () => {
  const files = createVirtualFiles();
  await put((await opened(files)).store, "a", "kept");
  const next = files.kill();
  next.capacityBytes = next.usedBytes;
  const { store, clock } = await opened(next);
  assert.deepEqual(await content(store), ["a=kept"]);
  await assert.rejects(put(store, "b", "1"), StoreReadOnlyError);
  next.capacityBytes += 10_000_000;
  await clock.advance(repairEveryMs);
  await put(store, "b", "2");
  assert.deepEqual(await content(store), ["a=kept", "b=2"]);
});

test("a failed sync is never acknowledged, and what came before survives it", async () => {
  const files = createVirtualFiles();
  const { store, clock } = await opened(files);
  await put(store, "a", "kept");
  await put(store, "lazy", "kept", true);
  let failing = true;
  files.intercept = ({ op, path }) => {
    if (failing && op === "fdatasync" && path.includes("wal-")) throw new IoError(op, "EIO");
  };
  await assert.rejects(put(store, "b", "lost"), StoreUnavailableError);
  assert.deepEqual(await content(store), ["a=kept", "lazy=kept"]);
  await clock.advance(3 * repairEveryMs);
  assert.ok(store.readOnly !== undefined);
  failing = false;
  await clock.advance(repairEveryMs);
  assert.equal(store.readOnly, undefined);
  await put(store, "c", "after");
  const again = (await opened(files.crash())).store;
  assert.deepEqual(await content(again), ["a=kept", "c=after", "lazy=kept"]);
});

test("checkpoints keep the files small, and lose neither state nor later history", async () => {
  const files = createVirtualFiles();
  const options = { segmentBytesMax: 4096 };
  const { store } = await opened(files, options);
  for (let i = 0; i < 2000; i++) {
    await put(store, `k${i % 50}`, `${i}`.padEnd(100, "."));
    if (i % 100 === 99) await store.compact(store.revision - 20);
  }
  await store[Symbol.asyncDispose]();
  assert.ok(files.usedBytes < 60_000, `${files.usedBytes} bytes for 5,000 of state`);
  const again = (await opened(files, options)).store;
  assert.equal(again.revision, 2001);
  assert.equal((await content(again)).length, 50);
  const old = await again.range({ key: "k40", revision: 1981 });
  assert.deepEqual([old.entries[0]?.modRevision, old.entries[0]?.version], [1942, 39]);
  using watch = new Collector(again, { ...all, startRevision: 1982 });
  await watch.until(() => watch.batches.length === 20);
});

test("history beyond its bound leaves the disk without a compaction", async () => {
  const files = createVirtualFiles();
  const options = { segmentBytesMax: 4096, historyBytesMax: 50_000 };
  const { store } = await opened(files, options);
  for (let i = 0; i < 3000; i++) await put(store, `k${i % 10}`, `${i}`.padEnd(100, "."));
  assert.ok(files.usedBytes < 120_000, `${files.usedBytes} bytes`);
  assert.equal((await store.range({ key: "k0", revision: 2 })).count, 1);
  await store[Symbol.asyncDispose]();
  const again = (await opened(files, options)).store;
  assert.deepEqual([(await content(again)).length, again.revision], [10, 3001]);
  await assert.rejects(again.range({ ...all, revision: 2 }), CompactedError);
});

test("a checkpoint that finds no room is put off, and the store goes on", async () => {
  const files = createVirtualFiles();
  const { store, clock } = await opened(files, { segmentBytesMax: 4096 });
  files.intercept = ({ op, path }) => {
    if (op === "write" && path.includes("checkpoint")) throw new IoError(op, "ENOSPC");
  };
  for (let i = 0; i < 300; i++) await put(store, `k${i % 5}`, "x".repeat(100));
  await store.compact(store.revision);
  await clock.settle();
  assert.ok(!(await files.list("/data")).some((name) => name.startsWith("checkpoint")));
  files.intercept = undefined;
  for (let i = 0; i < 300; i++) await put(store, `k${i % 5}`, "x".repeat(100));
  await store.compact(store.revision);
  await clock.settle();
  await store[Symbol.asyncDispose]();
  assert.ok((await files.list("/data")).some((name) => name.startsWith("checkpoint")));
});
