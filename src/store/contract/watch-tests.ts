import assert from "node:assert/strict";
import { CompactedError, StoreUnavailableError } from "../store.ts";
import { Collector, putOp, type StoreTests } from "../store-contract.ts";

/** Watches: once, in order, whole, resumable. */
export const watchTests: StoreTests = {
  async "a watch without a start delivers what comes after it"(t) {
    using watch = new Collector(t.store, t.all);
    // A store elsewhere has begun the watch when it shows something.
    let base = 0;
    for (let i = 0; events(watch) === 0; i++) base = (await t.put("a", String(i))).revision;
    await watch.until(() => watch.batches.at(-1)?.revision === base);
    await t.put("a", "1");
    await t.put("b", "2");
    await t.remove("a");
    await watch.until(() => watch.batches.at(-1)?.revision === base + 3);
    const texts = withoutProgress(watch, t.prefix, base).slice(-3).map(withoutWas);
    assert.deepEqual(texts, ["+1: put a=1", "+2: put b=2", "+3: delete a"]);
  },

  async "a watch from a revision delivers history, then what comes"(t) {
    const base = (await t.put("a", "0")).revision - 1;
    await t.put("b", "1");
    await t.put("a", "2");
    using watch = new Collector(t.store, { ...t.all, startRevision: base + 2 });
    await t.put("c", "3");
    await watch.until(() => events(watch) >= 3);
    const texts = withoutProgress(watch, t.prefix, base).map(withoutWas);
    assert.deepEqual(texts, ["+2: put b=1", "+3: put a=2", "+4: put c=3"]);
  },

  async "a transaction comes as one batch"(t) {
    const base = (await t.put("a", "0")).revision;
    using live = new Collector(t.store, { ...t.all, startRevision: base + 1 });
    const keys = ["a", "b", "c"].map((name) => t.prefix + name);
    await t.store.txn({ compare: [], success: keys.map((key) => putOp(key, "1")) });
    await t.store.txn({ compare: [], success: [{ op: "delete", ...t.all }] });
    await live.until(() => events(live) >= 6);
    using replayed = new Collector(t.store, { ...t.all, startRevision: base + 1 });
    await replayed.until(() => events(replayed) >= 6);
    for (const watch of [live, replayed]) {
      assert.deepEqual(withoutProgress(watch, t.prefix, base).map(withoutWas), [
        "+1: put a=1, put b=1, put c=1",
        "+2: delete a, delete b, delete c",
      ]);
    }
  },

  async "a watch sees its range only"(t) {
    const base = (await t.put("seed", "")).revision;
    const range = { key: t.prefix + "b", end: t.prefix + "d" };
    using ranged = new Collector(t.store, { ...range, startRevision: base + 1 });
    using single = new Collector(t.store, { key: t.prefix + "c", startRevision: base + 1 });
    using open = new Collector(t.store, {
      key: t.prefix + "d",
      end: "\0",
      startRevision: base + 1,
    });
    for (const name of ["a", "b", "c", "c/1", "d", "e"]) await t.put(name, "1");
    const names = ["a", "c", "e"].map((name) => t.prefix + name);
    await t.store.txn({ compare: [], success: names.map((key) => putOp(key, "2")) });
    await ranged.until(() => events(ranged) >= 4);
    await single.until(() => events(single) >= 2);
    await open.until(() => events(open) >= 3);
    const texts = [ranged, single, open].map((watch) =>
      withoutProgress(watch, t.prefix, base).map(withoutWas),
    );
    assert.deepEqual(texts, [
      ["+2: put b=1", "+3: put c=1", "+4: put c/1=1", "+7: put c=2"],
      ["+3: put c=1", "+7: put c=2"],
      ["+5: put d=1", "+6: put e=1", "+7: put e=2"],
    ]);
  },

  async "a watch above the newest revision waits for it"(t) {
    const base = (await t.put("a", "0")).revision;
    using watch = new Collector(t.store, { ...t.all, startRevision: base + 3 });
    for (const text of ["1", "2", "3", "4"]) await t.put("a", text);
    await watch.until(() => events(watch) >= 2);
    const texts = withoutProgress(watch, t.prefix, base).map(withoutWas);
    assert.deepEqual(texts, ["+3: put a=3", "+4: put a=4"]);
  },

  async "prevKv adds the state before each event"(t) {
    const base = (await t.put("a", "0")).revision - 1;
    await t.put("a", "1");
    await t.remove("a");
    await t.put("a", "2");
    using watch = new Collector(t.store, { ...t.all, startRevision: base + 1, prevKv: true });
    await watch.until(() => events(watch) >= 4);
    assert.deepEqual(withoutProgress(watch, t.prefix, base), [
      "+1: put a=0",
      "+2: put a=1 (was 0)",
      "+3: delete a (was 1)",
      "+4: put a=2",
    ]);
  },

  async "an event carries the whole version, a deletion only key and revision"(t) {
    const created = (await t.put("a", "0")).revision;
    await t.put("a", "1");
    const kv = await t.get("a");
    const deleted = (await t.remove("a")).revision;
    using watch = new Collector(t.store, { ...t.all, startRevision: created + 1 });
    await watch.until(() => events(watch) >= 2);
    const [put, removal] = watch.batches.flatMap((batch) => batch.events);
    assert.deepEqual({ ...put?.kv, value: text(put?.kv) }, { ...kv, value: text(kv) });
    assert.equal(removal?.type, "delete");
    const { key, value, modRevision, createRevision, version, lease } = removal.kv;
    assert.deepEqual(
      { key, sizeBytes: value.length, modRevision, createRevision, version, lease },
      {
        key: t.prefix + "a",
        sizeBytes: 0,
        modRevision: deleted,
        createRevision: 0,
        version: 0,
        lease: 0n,
      },
    );
  },

  async "a disposed watch gets nothing more"(t) {
    const { revision } = await t.put("a", "0");
    const watch = new Collector(t.store, { ...t.all, startRevision: revision });
    await watch.until(() => events(watch) === 1);
    watch[Symbol.dispose]();
    watch[Symbol.dispose]();
    using other = new Collector(t.store, { ...t.all, startRevision: revision });
    await t.put("a", "1");
    await other.until(() => events(other) === 2);
    assert.deepEqual([events(watch), watch.closed], [1, undefined]);
  },

  async "a watch below the compact revision ends with CompactedError"(t) {
    const { revision } = await t.put("a", "0");
    await t.put("a", "1");
    await t.put("a", "2");
    await t.store.compact(revision + 1);
    using watch = new Collector(t.store, { ...t.all, startRevision: revision });
    await watch.until(() => watch.closed !== undefined);
    assert.ok(watch.closed instanceof CompactedError, String(watch.closed));
    assert.ok(watch.closed.compactRevision >= revision + 1);
    using above = new Collector(t.store, { ...t.all, startRevision: revision + 2 });
    await above.until(() => events(above) === 1);
    assert.deepEqual(withoutProgress(above, t.prefix, revision).map(withoutWas), ["+2: put a=2"]);
  },

  async "compaction leaves live watches alone"(t) {
    const { revision } = await t.put("a", "0");
    using watch = new Collector(t.store, { ...t.all, startRevision: revision });
    await watch.until(() => events(watch) === 1);
    await t.put("a", "1");
    await t.store.compact(revision + 1);
    await t.put("a", "2");
    await watch.until(() => events(watch) === 3);
    assert.equal(watch.closed, undefined);
  },

  async "closing the store ends its watches"(t) {
    const { revision } = await t.put("a", "0");
    using watch = new Collector(t.store, { ...t.all, startRevision: revision });
    await watch.until(() => events(watch) === 1);
    await t.store[Symbol.asyncDispose]();
    await watch.until(() => watch.closed !== undefined);
    assert.ok(watch.closed instanceof StoreUnavailableError, String(watch.closed));
  },

  async "progress tells a revision up to which everything was delivered"(t) {
    const { revision } = await t.put("a", "0");
    using watch = new Collector(t.store, { ...t.all, startRevision: revision });
    await watch.until(() => events(watch) === 1);
    const newest = (await t.put("a", "1")).revision;
    const reached = (): boolean =>
      watch.batches.some((batch) => batch.events.length === 0 && batch.revision >= newest);
    watch.requestProgress();
    while (!reached()) {
      await watch.until(() => reached() || watch.batches.at(-1)?.events.length === 0);
      if (!reached()) watch.requestProgress();
    }
    const at = watch.batches.findIndex((b) => b.events.length === 0 && b.revision >= newest);
    const before = watch.batches.slice(0, at).filter((batch) => batch.events.length > 0);
    assert.equal(before.at(-1)?.revision, newest);
  },

  async "watches cut at random and resumed see every revision once, in order"(t) {
    const { revision } = await t.put("k", "start");
    const seen: number[] = [];
    const cuts = [3, 1, 7, 2, 20, 1, 1, 11, 40];
    const writes = (async () => {
      for (let i = 0; i < 100; i++) await t.put(`k${i % 5}`, String(i));
    })();
    for (let i = 0; seen.length < 100; i++) {
      const startRevision = (seen.at(-1) ?? revision) + 1;
      const wanted = Math.min(100, seen.length + (cuts[i % cuts.length] ?? 1));
      const watch = new Collector(t.store, { ...t.all, startRevision }, (batch) => {
        if (batch.events.length > 0 && seen.length < wanted) seen.push(batch.revision);
      });
      await watch.until(() => seen.length >= wanted);
      watch[Symbol.dispose]();
    }
    await writes;
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, i) => revision + 1 + i),
    );
  },

  async "a sink that writes still gets everything in order"(t) {
    const base = (await t.put("a", "0")).revision;
    const done: Promise<unknown>[] = [];
    using watch = new Collector(t.store, { ...t.all, startRevision: base + 1 }, (batch) => {
      const value = Number(text(batch.events[0]?.kv));
      if (batch.events.length > 0 && value < 20) done.push(t.put("a", String(value + 1)));
    });
    using other = new Collector(t.store, { ...t.all, startRevision: base + 1 });
    await t.put("a", "1");
    await watch.until(() => events(watch) >= 20);
    await other.until(() => events(other) >= 20);
    await Promise.all(done);
    for (const each of [watch, other]) {
      const revisions = each.batches
        .filter((b) => b.events.length > 0)
        .map((b) => b.revision - base);
      assert.deepEqual(
        revisions,
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
    }
  },
};

function text(kv: { readonly value: Uint8Array } | undefined): string {
  return Buffer.from(kv?.value ?? []).toString();
}

function events(watch: Collector): number {
  return watch.batches.reduce((sum, batch) => sum + batch.events.length, 0);
}

/** Whether a store adds the state before unasked is its own choice. */
function withoutWas(line: string): string {
  return line.replaceAll(/ \(was [^)]*\)/g, "");
}

function withoutProgress(watch: Collector, prefix: string, base: number): string[] {
  return watch.texts(prefix, base).filter((line) => !line.endsWith(":"));
}
