import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { BTree, widthMax } from "./btree.ts";

const weigh = (entry: number): number => entry % 3;

function contentOf(tree: BTree<number>, key = "", end?: string): [string, number][] {
  const found: [string, number][] = [];
  tree.scan(key, end, (entry, at) => void found.push([at, entry]));
  return found;
}

function expected(model: Map<string, number>, key = "", end?: string): [string, number][] {
  return [...model]
    .filter(([at]) => at >= key && (end === undefined || at < end))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

test("random sets and deletes agree with a map, and forks stay apart", () => {
  const keyOf = (n: number): string => `/registry/${n.toString(36)}`;
  const step = fc.record({
    kind: fc.constantFrom("set", "set", "set", "delete", "fork"),
    key: fc.nat(400),
    run: fc.nat(40),
    which: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const pairs = [{ tree: new BTree<number>(weigh), model: new Map<string, number>() }];
      for (const [value, { kind, key, run, which }] of steps.entries()) {
        const pair = pairs[which % pairs.length] ?? assert.fail();
        if (kind === "fork") {
          if (pairs.length < 4) pairs.push({ tree: pair.tree.fork(), model: new Map(pair.model) });
          continue;
        }
        for (let n = key; n <= key + run; n++) {
          if (kind === "set") {
            pair.tree.set(keyOf(n), value);
            pair.model.set(keyOf(n), value);
          } else {
            assert.equal(pair.tree.delete(keyOf(n)), pair.model.delete(keyOf(n)));
          }
          assert.equal(pair.tree.get(keyOf(n)), pair.model.get(keyOf(n)));
        }
      }
      for (const { tree, model } of pairs) {
        tree.check();
        assert.deepEqual(contentOf(tree), expected(model));
        const sum = expected(model, keyOf(100), keyOf(300)).reduce(
          (all, [, e]) => all + weigh(e),
          0,
        );
        assert.equal(tree.weightOf(keyOf(100), keyOf(300)), sum);
      }
    }),
    { numRuns: 200 },
  );
});

test("scan gives exactly [key, end), and stops when told", () => {
  const tree = new BTree<number>(weigh);
  const model = new Map<string, number>();
  for (let i = 0; i < 5000; i++) {
    const key = `k${(i * 7919) % 5000}`;
    tree.set(key, i);
    model.set(key, i);
  }
  tree.check();
  for (const [key, end] of [
    ["k1", "k2"],
    ["k25", "k25"],
    ["k9", undefined],
    ["k3", "k1"],
    ["z", "zz"],
  ] as const) {
    assert.deepEqual(contentOf(tree, key, end), expected(model, key, end));
  }
  let seen = 0;
  tree.scan("", undefined, () => ++seen === 10);
  assert.equal(seen, 10);
});

test("fromSorted builds what sets build, at every width", () => {
  for (const size of [0, 1, widthMax, widthMax + 1, widthMax * widthMax, widthMax * widthMax + 1]) {
    const keys = Array.from({ length: size }, (_, i) => String(i).padStart(8, "0"));
    const tree = BTree.fromSorted(weigh, keys, keys.map(Number));
    tree.check();
    assert.equal(tree.size, size);
    tree.set("00000000x", -1);
    tree.delete("00000000");
    tree.check();
    assert.equal(tree.get("00000000x"), -1);
  }
});

test("deleting all in random order leaves an empty tree, sound at every step", () => {
  const random = createVirtualRandom(1);
  const tree = new BTree<number>(weigh);
  const keys = Array.from({ length: 10_000 }, (_, i) => `key-${i}`);
  for (const key of keys) tree.set(key, 1);
  for (let left = keys.length; left > 0; left--) {
    const at = random.below(left);
    assert.ok(tree.delete(keys[at] ?? ""));
    keys[at] = keys[left - 1] ?? "";
    if (left % 500 === 0) tree.check();
  }
  tree.check();
  assert.equal(tree.size, 0);
});
