import assert from "node:assert/strict";
import { CompactedError, FutureRevisionError, keyOf, prefixEnd } from "../store.ts";
import { shown, type StoreTestContext, type StoreTests } from "../store-contract.ts";

async function fill(t: StoreTestContext, names: readonly string[]): Promise<void> {
  for (const name of names) await t.put(name, name);
}

/** Reads: order, limits, history, compaction. */
export const rangeTests: StoreTests = {
  async "a range is in byte order and ends before its end"(t) {
    await fill(t, ["b", "a", "a/1", "a0", "B", keyOf("é"), keyOf("\u{1F600}"), keyOf("豈")]);
    const names = async (key: string, end: string): Promise<string[]> =>
      (await t.store.range({ key, end })).entries.map((kv) => kv.key.slice(t.prefix.length));
    const expected = ["B", "a", "a/1", "a0", "b", keyOf("é"), keyOf("豈"), keyOf("\u{1F600}")];
    assert.deepEqual(await names(t.prefix, prefixEnd(t.prefix)), expected);
    assert.deepEqual(await names(t.prefix + "a", t.prefix + "a0"), ["a", "a/1"]);
    assert.deepEqual(await names(t.prefix + "a", prefixEnd(t.prefix + "a")), ["a", "a/1", "a0"]);
    assert.deepEqual(await names(t.prefix + "b", t.prefix + "a"), []);
  },

  async "an end of NUL means no upper bound"(t) {
    await fill(t, ["x", "y"]);
    const { entries } = await t.store.range({ key: t.prefix + "y", end: "\0" });
    assert.equal(entries[0]?.key, t.prefix + "y");
    const { entries: all } = await t.store.range({ key: "\0", end: "\0" });
    assert.ok(all.some((kv) => kv.key === t.prefix + "x"));
  },

  async "a range without an end is one key"(t) {
    await fill(t, ["a", "a/1"]);
    const { entries, count } = await t.store.range({ key: t.prefix + "a" });
    assert.deepEqual([shown(entries, t.prefix), count], [["a=a"], 1]);
  },

  async "limit cuts the entries, count does not know it, more tells"(t) {
    await fill(t, ["a", "b", "c"]);
    const asked = async (limit: number): Promise<unknown[]> => {
      const { entries, count, more } = await t.store.range({ ...t.all, limit });
      return [shown(entries, t.prefix), count, more];
    };
    assert.deepEqual(await asked(2), [["a=a", "b=b"], 3, true]);
    assert.deepEqual(await asked(3), [["a=a", "b=b", "c=c"], 3, false]);
    assert.deepEqual(await asked(0), [["a=a", "b=b", "c=c"], 3, false]);
  },

  async "keysOnly leaves the values empty, countOnly the entries"(t) {
    await fill(t, ["a", "b"]);
    const keys = await t.store.range({ ...t.all, keysOnly: true });
    assert.deepEqual([shown(keys.entries, t.prefix), keys.count], [["a=", "b="], 2]);
    assert.equal(keys.entries[0]?.version, 1);
    const counted = await t.store.range({ ...t.all, countOnly: true });
    assert.deepEqual([counted.entries, counted.count, counted.more], [[], 2, false]);
    assert.deepEqual(shown((await t.store.range(t.all)).entries, t.prefix), ["a=a", "b=b"]);
  },

  async "a range at a revision shows the state after that transaction"(t) {
    const states: [number, string[]][] = [];
    const state = (): string[] => [...current].map(([k, v]) => `${k}=${v}`).toSorted();
    const current = new Map<string, string>();
    for (let i = 0; i < 40; i++) {
      const name = `k${i % 7}`;
      const remove = i % 5 === 4 && current.has(name);
      if (remove) current.delete(name);
      else current.set(name, String(i));
      const { revision } = await (remove ? t.remove(name) : t.put(name, String(i)));
      states.push([revision, state()]);
    }
    const newest = states.at(-1)?.[0];
    for (const [revision, expected] of states) {
      const result = await t.store.range({ ...t.all, revision });
      assert.deepEqual(shown(result.entries, t.prefix), expected, `at ${revision}`);
      assert.equal(result.count, expected.length);
      assert.equal(result.revision, newest);
    }
  },

  async "reading above the newest revision fails"(t) {
    const { revision } = await t.put("a", "1");
    await assert.rejects(t.store.range({ ...t.all, revision: revision + 1 }), FutureRevisionError);
  },

  async "compaction keeps the newest entry of each key and fails reads below it"(t) {
    await t.put("gone", "1");
    await t.put("a", "1");
    await t.remove("gone");
    const at = (await t.put("a", "2")).revision;
    const after = (await t.put("a", "3")).revision;
    await t.store.compact(at);
    await assert.rejects(
      t.store.range({ ...t.all, revision: at - 1 }),
      (error) => error instanceof CompactedError && error.compactRevision >= at,
    );
    const show = async (revision?: number): Promise<string[]> =>
      shown((await t.store.range({ ...t.all, ...(revision && { revision }) })).entries, t.prefix);
    assert.deepEqual(await show(at), ["a=2"]);
    assert.deepEqual(await show(after), ["a=3"]);
    assert.deepEqual(await show(), ["a=3"]);
    assert.equal(t.store.revision, after);
  },

  async "compaction refuses to go back or ahead"(t) {
    const { revision } = await t.put("a", "1");
    await t.put("a", "2");
    await t.store.compact(revision);
    await assert.rejects(t.store.compact(revision), CompactedError);
    await assert.rejects(t.store.compact(revision - 1), CompactedError);
    await assert.rejects(t.store.compact(revision + 2), FutureRevisionError);
  },

  async "a key deleted and put again after compaction starts anew"(t) {
    await t.put("a", "1");
    const { revision } = await t.remove("a");
    await t.store.compact(revision);
    assert.equal(await t.get("a", revision), undefined);
    await t.put("a", "2");
    assert.equal((await t.get("a"))?.version, 1);
    assert.equal(await t.get("a", revision), undefined);
  },

  async "pages at one revision make up its state while writes go on"(t) {
    await fill(
      t,
      Array.from({ length: 50 }, (_, i) => `k${String(i).padStart(2, "0")}`),
    );
    const { revision } = await t.store.range(t.all);
    const pages: string[] = [];
    let key = t.all.key;
    for (;;) {
      const page = await t.store.range({ key, end: t.all.end, revision, limit: 7 });
      pages.push(...shown(page.entries, t.prefix));
      if (!page.more) break;
      key = `${page.entries.at(-1)?.key}\0`;
      await t.remove(`k${String(pages.length + 3)}`);
      await t.put(`k${String(pages.length)}x`, "new");
    }
    assert.deepEqual(
      pages,
      Array.from({ length: 50 }, (_, i) => {
        const name = `k${String(i).padStart(2, "0")}`;
        return `${name}=${name}`;
      }),
    );
  },

  async "values of any bytes and sizes come back"(t) {
    const values = [0, 1, 255, 4096, 300_000].map((size) =>
      Uint8Array.from({ length: size }, (_, i) => (i * 31) & 0xff),
    );
    for (const [i, value] of values.entries()) {
      await t.store.txn({ compare: [], success: [{ op: "put", key: `${t.prefix}v${i}`, value }] });
    }
    for (const [i, value] of values.entries()) {
      const kv = await t.get(`v${i}`);
      assert.ok(kv !== undefined && Buffer.compare(kv.value, value) === 0, `value ${i}`);
    }
  },

  async "values are shared, never copied"(t) {
    const value = Buffer.from("shared");
    const key = t.prefix + "a";
    await t.store.txn({ compare: [], success: [{ op: "put", key, value }] });
    assert.equal((await t.get("a"))?.value, value);
    assert.equal((await t.store.range(t.all)).entries[0]?.value, value);
  },
};
