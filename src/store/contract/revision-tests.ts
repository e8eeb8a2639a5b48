import assert from "node:assert/strict";
import { DuplicateKeyError, LeaseNotFoundError, StoreUnavailableError } from "../store.ts";
import { putOp, shown, type StoreTests } from "../store-contract.ts";

/** Counters, and what a transaction does to them. */
export const revisionTests: StoreTests = {
  async "an empty store is at revision 1"({ store, all }) {
    assert.equal(store.revision, 1);
    const { revision, entries, count, more } = await store.range(all);
    assert.deepEqual(
      { revision, entries, count, more },
      { revision: 1, entries: [], count: 0, more: false },
    );
  },

  async "a transaction raises the revision by one, whatever the number of its writes"(t) {
    const before = (await t.put("a", "1")).revision;
    const key = (name: string): string => t.prefix + name;
    const { revision } = await t.store.txn({
      compare: [],
      success: [putOp(key("b"), "2"), putOp(key("c"), "3"), { op: "delete", key: key("a") }],
    });
    assert.equal(revision, before + 1);
    assert.equal(t.store.revision, before + 1);
    assert.equal((await t.get("b"))?.modRevision, before + 1);
    assert.equal((await t.get("c"))?.modRevision, before + 1);
  },

  async "a transaction that writes nothing leaves the revision alone"(t) {
    const before = (await t.put("a", "1")).revision;
    const none = t.prefix + "none";
    const results = [
      await t.store.txn({ compare: [], success: [{ op: "delete", key: none }] }),
      await t.store.txn({ compare: [], success: [{ op: "range", key: none }] }),
      await t.store.txn({ compare: [], success: [] }),
      await t.store.txn({
        compare: [{ key: none, target: "version", relation: ">", number: 0 }],
        success: [putOp(none, "1")],
      }),
    ];
    assert.deepEqual(
      results.map((result) => result.revision),
      [before, before, before, before],
    );
    assert.deepEqual(
      results.map((result) => result.succeeded),
      [true, true, true, false],
    );
    assert.equal(t.store.revision, before);
  },

  async "a key counts its puts since it was created"(t) {
    const first = (await t.put("a", "1")).revision;
    await t.put("a", "2");
    const third = (await t.put("a", "3")).revision;
    const kv = await t.get("a");
    assert.deepEqual(
      { ...kv, value: Buffer.from(kv?.value ?? []).toString() },
      {
        key: t.prefix + "a",
        value: "3",
        createRevision: first,
        modRevision: third,
        version: 3,
        lease: 0n,
      },
    );
    await t.remove("a");
    assert.equal(await t.get("a"), undefined);
    const again = (await t.put("a", "4")).revision;
    assert.equal((await t.get("a"))?.createRevision, again);
    assert.equal((await t.get("a"))?.version, 1);
  },

  async "a put answers with the version before"(t) {
    const first = await t.put("a", "1");
    assert.deepEqual(first.results, [{ op: "put" }]);
    const [second] = (await t.put("a", "2")).results;
    assert.ok(second?.op === "put" && second.prevKv !== undefined);
    assert.deepEqual(shown([second.prevKv], t.prefix), ["a=1"]);
    assert.equal(second.prevKv.modRevision, first.revision);
  },

  async "a delete answers with its number, and with the versions when asked"(t) {
    for (const name of ["a", "b", "c", "d"]) await t.put(name, name);
    const { results } = await t.store.txn({
      compare: [],
      success: [
        { op: "delete", key: t.prefix + "b", end: t.prefix + "d", prevKv: true },
        { op: "delete", key: t.prefix + "a" },
        { op: "delete", key: t.prefix + "none", prevKv: true },
      ],
    });
    const texts = results.map((result) =>
      result.op === "delete" ? [result.deleted, ...shown(result.prevKvs, t.prefix)] : [],
    );
    assert.deepEqual(texts, [[2, "b=b", "c=c"], [1], [0]]);
    assert.deepEqual(shown((await t.store.range(t.all)).entries, t.prefix), ["d=d"]);
  },

  async "operations of a transaction see those before them"(t) {
    await t.put("a", "1");
    const key = t.prefix + "a";
    const { results } = await t.store.txn({
      compare: [],
      success: [{ op: "range", key }, putOp(key, "2"), { op: "range", key }],
    });
    const texts = results.map((result) =>
      result.op === "range" ? shown(result.entries, t.prefix) : [],
    );
    assert.deepEqual(texts, [["a=1"], [], ["a=2"]]);
  },

  async "a transaction that puts a key twice, or deletes it beside, is refused whole"(t) {
    const { revision } = await t.put("a", "1");
    const [a, b] = [t.prefix + "a", t.prefix + "b"];
    for (const success of [
      [putOp(b, "1"), putOp(b, "2")],
      [putOp(a, "2"), { op: "delete" as const, key: a }],
      [{ op: "delete" as const, ...t.all }, putOp(b, "2")],
    ]) {
      await assert.rejects(t.store.txn({ compare: [], success }), DuplicateKeyError);
    }
    assert.equal((await t.store.range(t.all)).revision, revision);
    assert.deepEqual(shown((await t.store.range(t.all)).entries, t.prefix), ["a=1"]);
  },

  async "a transaction that fails in the middle has written nothing"(t) {
    const { revision } = await t.put("a", "1");
    const success = [putOp(t.prefix + "a", "2"), putOp(t.prefix + "b", "2", 0x7eadn)];
    await assert.rejects(t.store.txn({ compare: [], success }), LeaseNotFoundError);
    const now = await t.store.range(t.all);
    assert.deepEqual([now.revision, ...shown(now.entries, t.prefix)], [revision, "a=1"]);
  },

  async "concurrent read-modify-writes lose no increment"(t) {
    await t.put("n", "0");
    const key = t.prefix + "n";
    let retries = 0;
    const increment = async (): Promise<void> => {
      for (;;) {
        const kv = await t.get("n");
        const next = String(Number(Buffer.from(kv?.value ?? []).toString()) + 1);
        const number = kv?.modRevision ?? 0;
        const { succeeded } = await t.store.txn({
          compare: [{ key, target: "modRevision", relation: "=", number }],
          success: [putOp(key, next)],
        });
        if (succeeded) return;
        retries++;
      }
    };
    await Promise.all(Array.from({ length: 40 }, increment));
    assert.deepEqual(shown([(await t.get("n"))!], t.prefix), ["n=40"]);
    assert.equal((await t.get("n"))?.version, 41);
    assert.ok(retries > 0);
  },

  async "concurrent writes get one revision each, without gaps"(t) {
    const { revision } = await t.put("start", "");
    const names = Array.from({ length: 200 }, (_, i) => `k${i}`);
    const results = await Promise.all(names.map((name) => t.put(name, name)));
    const revisions = results.map((result) => result.revision).toSorted((a, b) => a - b);
    assert.deepEqual(
      revisions,
      names.map((_, i) => revision + 1 + i),
    );
  },

  async "a lazy write is visible at once and takes its place in the order"(t) {
    const first = (await t.put("a", "1")).revision;
    const value = Buffer.from("lazy");
    const [lazy, sync] = await Promise.all([
      t.store.txn({
        compare: [],
        success: [{ op: "put", key: t.prefix + "b", value, durability: "lazy" }],
      }),
      t.put("c", "3"),
    ]);
    const revisions = [lazy.revision, sync.revision].toSorted((a, b) => a - b);
    assert.deepEqual(revisions, [first + 1, first + 2]);
    assert.deepEqual(shown([(await t.get("b"))!], t.prefix), ["b=lazy"]);
  },

  async "after closing, every call fails as unavailable"(t) {
    await t.put("a", "1");
    await t.store[Symbol.asyncDispose]();
    await assert.rejects(t.put("a", "2"), StoreUnavailableError);
    await assert.rejects(t.store.range(t.all), StoreUnavailableError);
    await assert.rejects(t.store.compact(1), StoreUnavailableError);
    await t.store[Symbol.asyncDispose]();
  },
};
