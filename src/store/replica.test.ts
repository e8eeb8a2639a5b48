import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createMemoryStore, type MemoryStore } from "./memory.ts";
import { openReplica, type ReplicaStore } from "./replica.ts";
import { Collector, putOp, runStoreTests, shown } from "./store-contract.ts";
import { CompactedError, FutureRevisionError, type Store, type TxnResult } from "./store.ts";
import { laggyStore } from "./testing/laggy-store.ts";

for (const [name, prefix] of [
  ["a replica of everything", ""],
  ["a replica of a part, the rest passed through", "/contract/1"],
] as const) {
  runStoreTests({
    name,
    async open() {
      const clock = createVirtualClock();
      const random = createVirtualRandom(1);
      const remote = laggyStore(createMemoryStore({ clock }), random);
      const store = await openReplica({ remote, clock, prefix });
      return {
        store,
        passSeconds: (seconds) => clock.advance(seconds * 1000),
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      };
    },
  });
}

interface Subject extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly remote: MemoryStore;
  readonly replica: ReplicaStore;
  readonly feed: { broken: boolean; progressAsked: number };
  /** Ends the replica's feed, as a compaction of what it missed does. */
  endFeed(): void;
}

/** A replica whose feed a test breaks: what comes meanwhile is lost until the feed is ended. */
async function setUp(history: (remote: Store) => Promise<void> = async () => {}): Promise<Subject> {
  const clock = createVirtualClock();
  const remote = createMemoryStore({ clock });
  await history(remote);
  const feed = { broken: false, progressAsked: 0 };
  let end = (_error: Error): void => {};
  const seen: Store = Object.assign(Object.create(remote) as Store, {
    watch: ((query, sink) => {
      end = (error) => sink.onClosed(error);
      const watch = remote.watch(query, {
        onBatch: (batch) => void (feed.broken || sink.onBatch(batch)),
        onClosed: (error) => sink.onClosed(error),
      });
      return {
        requestProgress: () => ++feed.progressAsked > 0,
        [Symbol.dispose]: () => watch[Symbol.dispose](),
      };
    }) satisfies Store["watch"],
    range: remote.range.bind(remote),
    txn: remote.txn.bind(remote),
    compact: remote.compact.bind(remote),
    [Symbol.asyncDispose]: () => remote[Symbol.asyncDispose](),
  });
  const replica = await openReplica({ remote: seen, clock, prefix: "/r/" });
  return {
    clock,
    remote,
    replica,
    feed,
    endFeed: () => end(new CompactedError(remote.revision)),
    [Symbol.asyncDispose]: () => replica[Symbol.asyncDispose](),
  };
}

function put(store: Store, key: string, text: string): Promise<TxnResult> {
  return store.txn({ compare: [], success: [putOp(key, text)] });
}

const all = { key: "/r/", end: "/r0" };

test("what others wrote is read, and watched, at once", async () => {
  await using t = await setUp();
  using watch = new Collector(t.replica, { ...all, startRevision: t.replica.revision + 1 });
  await t.clock.settle();
  await put(t.remote, "/r/a", "1");
  assert.deepEqual(shown((await t.replica.range(all)).entries, "/r/"), ["a=1"]);
  await watch.until(() => watch.batches.length === 1);
  const { consistentReads, fallbacks } = t.replica.stats();
  assert.deepEqual({ consistentReads, fallbacks }, { consistentReads: 1, fallbacks: 0 });
});

test("a writer's bytes are those that reads and watches of its process show", async () => {
  await using t = await setUp();
  using watch = new Collector(t.replica, { ...all, startRevision: t.replica.revision + 1 });
  const value = Buffer.from("mine");
  await t.replica.txn({ compare: [], success: [{ op: "put", key: "/r/a", value }] });
  assert.equal((await t.replica.range(all)).entries[0]?.value, value);
  assert.equal(watch.batches[0]?.events[0]?.kv.value, value);
});

test("a broken feed: the remote answers what must be newest, any state is still here", async () => {
  await using t = await setUp();
  await put(t.remote, "/r/a", "1");
  t.feed.broken = true;
  await put(t.remote, "/r/a", "2");
  const newest = t.replica.range(all);
  await t.clock.advance(1_000);
  assert.deepEqual(shown((await newest).entries, "/r/"), ["a=2"]);
  assert.equal(t.replica.stats().fallbacks, 1);
  const any = await t.replica.range({ ...all, notOlderThan: 0 });
  assert.deepEqual(shown(any.entries, "/r/"), ["a=1"]);
  const recent = t.replica.range({ ...all, notOlderThan: t.remote.revision });
  await t.clock.advance(1_000);
  assert.deepEqual(shown((await recent).entries, "/r/"), ["a=2"]);
  const future = t.replica.range({ ...all, notOlderThan: t.remote.revision + 1 });
  await assert.rejects(future, FutureRevisionError);
});

test("a silent feed: nobody waits for it twice, and it is begun anew where it was", async () => {
  await using t = await setUp();
  using watch = new Collector(t.replica, { ...all, startRevision: t.replica.revision + 1 });
  await t.clock.settle();
  t.feed.broken = true;
  for (const value of ["1", "2"]) await put(t.remote, "/r/a", value);
  const waiting = t.replica.range(all);
  await t.clock.advance(100);
  assert.equal(t.feed.progressAsked, 1);
  await t.clock.advance(900);
  await waiting;
  const beganMs = t.clock.monotonicMs();
  assert.deepEqual(shown((await t.replica.range(all)).entries, "/r/"), ["a=2"]);
  assert.equal(t.clock.monotonicMs(), beganMs);
  assert.equal(t.replica.stats().fallbacks, 2);
  t.feed.broken = false;
  await t.clock.advance(5_000);
  await watch.until(() => watch.batches.length === 2);
  assert.deepEqual(shown((await t.replica.range(all)).entries, "/r/"), ["a=2"]);
  const { fallbacks, loads } = t.replica.stats();
  assert.deepEqual({ fallbacks, loads }, { fallbacks: 2, loads: 1 });
});

test("a feed that lost history: watches end with CompactedError, reads go on", async () => {
  await using t = await setUp();
  await put(t.remote, "/r/a", "1");
  using watch = new Collector(t.replica, { ...all, startRevision: t.replica.revision + 1 });
  await t.clock.settle();
  t.feed.broken = true;
  await put(t.remote, "/r/a", "2");
  await t.remote.compact(t.remote.revision);
  t.feed.broken = false;
  t.endFeed();
  assert.ok(watch.closed instanceof CompactedError);
  assert.deepEqual(shown((await t.replica.range(all)).entries, "/r/"), ["a=2"]);
  using again = new Collector(t.replica, { ...all, startRevision: t.remote.revision + 1 });
  await put(t.remote, "/r/b", "3");
  await again.until(() => again.batches.length === 1);
  assert.equal(t.replica.stats().loads, 2);
});

test("a watch of an API server that was there before goes on", async () => {
  const values = ["1", "2", "3"];
  await using t = await setUp(async (remote) => {
    for (const value of values) await put(remote, "/r/a", value);
  });
  using watch = new Collector(t.replica, { ...all, startRevision: 3 });
  await watch.until(() => watch.batches.length === 2);
  assert.equal(t.replica.revision, 4);
});

test("what was compacted before the start is no obstacle: history begins there", async () => {
  await using t = await setUp(async (remote) => {
    for (const value of ["1", "2", "3", "4"]) await put(remote, "/r/a", value);
    await remote.compact(3);
  });
  using watch = new Collector(t.replica, { ...all, startRevision: 4 });
  await watch.until(() => watch.batches.length === 2);
  const { oldestRevision, revision } = t.replica.stats();
  assert.deepEqual({ oldestRevision, revision }, { oldestRevision: 4, revision: 5 });
  assert.deepEqual(shown((await t.replica.range({ ...all, revision: 3 })).entries, "/r/"), ["a=2"]);
});

test("history older than the interval goes, and is asked of the remote", async () => {
  await using t = await setUp();
  const { revision } = await put(t.replica, "/r/a", "1");
  await put(t.replica, "/r/a", "2");
  assert.equal(t.replica.stats().historyBytes, 1);
  await t.clock.advance(75_000);
  assert.equal(t.replica.stats().oldestRevision, 1);
  await t.clock.advance(75_000);
  const { historyRevisions, historyBytes, objects, objectBytes } = t.replica.stats();
  assert.deepEqual([historyRevisions, historyBytes, objects, objectBytes], [0, 0, 1, 1]);
  const old = await t.replica.range({ ...all, revision });
  assert.deepEqual(shown(old.entries, "/r/"), ["a=1"]);
  using watch = new Collector(t.replica, { ...all, startRevision: revision });
  await t.clock.settle();
  assert.ok(watch.closed instanceof CompactedError);
});

test("a compaction by another API server is followed", async () => {
  await using t = await setUp();
  const { revision } = await put(t.remote, "/r/a", "1");
  await put(t.remote, "/r/a", "2");
  await put(t.remote, "compact_rev_key", String(revision + 1));
  await t.remote.compact(revision + 1);
  await t.replica.catchUp?.();
  await assert.rejects(t.replica.range({ ...all, revision }), CompactedError);
  assert.equal(t.replica.stats().oldestRevision, revision + 2);
});
