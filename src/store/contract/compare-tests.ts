import assert from "node:assert/strict";
import type { Compare } from "../store.ts";
import { bytes, putOp, type StoreTests } from "../store-contract.ts";

/** Conditions of transactions. */
export const compareTests: StoreTests = {
  async "each target compares in each relation"(t) {
    const lease = await t.store.grantLease(3600);
    const create = (await t.put("a", "m")).revision;
    const mod = (await t.put("a", "m", lease)).revision;
    const key = t.prefix + "a";
    const cases: [Compare, boolean][] = [];
    const relations = ["=", "!=", "<", ">"] as const;
    const numbers = { modRevision: mod, createRevision: create, version: 2 } as const;
    for (const target of ["modRevision", "createRevision", "version"] as const) {
      const actual = numbers[target];
      for (const number of [0, actual - 1, actual, actual + 1]) {
        const holds = [actual === number, actual !== number, actual < number, number < actual];
        for (const [i, relation] of relations.entries()) {
          cases.push([{ key, target, relation, number }, holds[i] === true]);
        }
      }
    }
    for (const text of ["l", "m", "mm"]) {
      const holds = [text === "m", text !== "m", "m" < text, "m" > text];
      for (const [i, relation] of relations.entries()) {
        cases.push([{ key, target: "value", relation, value: bytes(text) }, holds[i] === true]);
      }
    }
    cases.push([{ key, target: "lease", relation: "=", lease }, true]);
    cases.push([{ key, target: "lease", relation: "!=", lease: 0n }, true]);
    cases.push([{ key, target: "lease", relation: ">", lease: 0n }, true]);
    for (const [compare, expected] of cases) {
      const { succeeded } = await t.store.txn({ compare: [compare], success: [] });
      const text = JSON.stringify(compare, (_, v: unknown) =>
        typeof v === "bigint" ? String(v) : v,
      );
      assert.equal(succeeded, expected, text);
    }
  },

  async "an absent key has revision, version and lease 0 and equals no value"(t) {
    const key = t.prefix + "absent";
    const cases: [Compare, boolean][] = [
      [{ key, target: "modRevision", relation: "=", number: 0 }, true],
      [{ key, target: "createRevision", relation: "=", number: 0 }, true],
      [{ key, target: "version", relation: "<", number: 1 }, true],
      [{ key, target: "lease", relation: "=", lease: 0n }, true],
      [{ key, target: "modRevision", relation: ">", number: 0 }, false],
      [{ key, target: "value", relation: "=", value: bytes("") }, false],
    ];
    for (const round of ["never there", "deleted"]) {
      for (const [compare, expected] of cases) {
        const { succeeded } = await t.store.txn({ compare: [compare], success: [] });
        assert.equal(succeeded, expected, `${round}: ${compare.target} ${compare.relation}`);
      }
      await t.put("absent", "now");
      await t.remove("absent");
    }
  },

  async "all conditions must hold, and the branch that ran answers"(t) {
    await t.put("a", "1");
    const [a, b] = [t.prefix + "a", t.prefix + "b"];
    const isThere = (key: string): Compare => ({
      key,
      target: "version",
      relation: ">",
      number: 0,
    });
    const run = async (compare: readonly Compare[]): Promise<unknown[]> => {
      const failure = [
        { op: "range" as const, ...t.all, countOnly: true },
        { op: "range" as const, key: a },
      ];
      const { succeeded, results } = await t.store.txn({
        compare,
        success: [putOp(a, "2")],
        failure,
      });
      return [succeeded, results.map((result) => result.op)];
    };
    assert.deepEqual(await run([isThere(a)]), [true, ["put"]]);
    assert.deepEqual(await run([isThere(a), isThere(b)]), [false, ["range", "range"]]);
    assert.deepEqual(await run([isThere(b), isThere(a)]), [false, ["range", "range"]]);
    assert.deepEqual(await run([]), [true, ["put"]]);
  },

  async "the failure branch may write"(t) {
    const key = t.prefix + "a";
    const { succeeded, revision } = await t.store.txn({
      compare: [{ key, target: "version", relation: ">", number: 0 }],
      success: [],
      failure: [putOp(key, "made")],
    });
    assert.equal(succeeded, false);
    assert.equal((await t.get("a"))?.modRevision, revision);
  },
};
