import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JsonMap } from "./json-value.ts";
import { anyJson, int32, kind, listOf, mapOf, opt, ptr, string, struct } from "./schema.ts";
import { StrategicMergeError } from "./strategic-merge-lists.ts";
import { applyStrategicMergePatch } from "./strategic-merge.ts";

const Item = struct("x.Item", {
  name: opt(1, string),
  value: opt(2, string),
  tags: opt(3, listOf(string), { patch: "merge" }),
  atomic: opt(4, listOf(int32)),
  labels: opt(5, mapOf(string)),
});
const Kind = kind("x.Kind", {
  items: opt(1, listOf(Item), { patch: "merge", mergeKey: "name" }),
  tags: opt(2, listOf(string), { patch: "merge" }),
  atomic: opt(3, listOf(int32)),
  union: ptr(4, Item, { patch: "retainKeys" }),
  whole: ptr(5, Item, { patch: "replace" }),
  labels: opt(6, mapOf(string)),
  raw: opt(7, anyJson),
  keyless: opt(8, listOf(Item), { patch: "merge" }),
});

function outcome(original: JsonMap, patch: JsonMap): string {
  try {
    return JSON.stringify(applyStrategicMergePatch(original, patch, Kind));
  } catch (error) {
    if (error instanceof StrategicMergeError) return `${error.code} ${error.message}`;
    throw error;
  }
}

const abc = { items: [{ name: "a", value: "1" }, { name: "b" }, { name: "c" }] };

describe("applyStrategicMergePatch", () => {
  for (const [original, patch, expected] of [
    // Maps.
    [{ labels: { a: "1" } }, { labels: { b: "2", a: null } }, '{"labels":{"b":"2"}}'],
    [{}, { labels: { b: "2", a: null } }, '{"labels":{"b":"2"}}'],
    [{ labels: { a: "1" } }, { labels: { $patch: "replace", b: "2" } }, '{"labels":{"b":"2"}}'],
    [{ labels: { a: "1" } }, { labels: { $patch: "delete" } }, '{"labels":{}}'],
    [{}, { labels: { $patch: "bogus" } }, "{}"],
    [
      { labels: { a: "1" } },
      { labels: { $patch: 5, z: "1" } },
      "500 unknown patch type: %!s(int64=5) in map: map[$patch:5 z:1]",
    ],
    [{ whole: { name: "a" } }, { whole: { value: "1" } }, '{"whole":{"value":"1"}}'],
    [{ labels: { a: "1" } }, { labels: "x" }, '{"labels":"x"}'],
    // Retained keys.
    [
      { union: { name: "a", value: "1" } },
      { union: { $retainKeys: ["name"], value: null } },
      '{"union":{"name":"a"}}',
    ],
    [
      { union: { name: "a" } },
      { union: { $retainKeys: ["name"], value: "1" } },
      "400 invalid patch format of retainKeys",
    ],
    [{ union: {} }, { union: { $retainKeys: "x" } }, "400 invalid patch format of retainKeys"],
    // Lists of maps.
    [abc, { items: [{ name: "d" }] }, names("d", "a1", "b", "c")],
    [abc, { items: [{ name: "c" }, { name: "a" }] }, names("b", "c", "a1")],
    [abc, { items: [{ name: "b", value: "2" }] }, names("a1", "b2", "c")],
    [abc, { items: [{ name: "b", $patch: "delete" }] }, names("a1", "c")],
    [abc, { items: [{ name: "z", $patch: "delete" }] }, names("a1", "b", "c")],
    [abc, { items: [{ $patch: "replace" }, { name: "z" }] }, names("z")],
    [abc, { items: [{ $patch: "replace" }] }, '{"items":[]}'],
    [{}, { items: [{ $patch: "replace" }, { name: "z" }] }, names("z")],
    [
      abc,
      { items: [{ value: "nokey" }] },
      "500 map: map[value:nokey] does not contain declared merge key: name",
    ],
    [
      abc,
      { items: ["a"] },
      "500 list element types are not identical: " +
        "[[map[name:a value:1] map[name:b] map[name:c]] [a]]",
    ],
    [
      abc,
      { items: [{ $patch: "merge" }] },
      "500 merging lists cannot yet be specified in the patch",
    ],
    [{ keyless: [{}] }, { keyless: [{}] }, "500 cannot merge lists without merge key for struct"],
    [{ atomic: [1] }, { atomic: [2] }, '{"atomic":[2]}'],
    [{ tags: [["x"]] }, { tags: [["y"]] }, "422 lists of lists are not supported"],
    // Order.
    [
      abc,
      { "$setElementOrder/items": ["c", "a"].map((name) => ({ name })) },
      names("b", "c", "a1"),
    ],
    [
      abc,
      {
        "$setElementOrder/items": ["d", "a"].map((name) => ({ name })),
        items: [{ name: "d" }, { name: "b", $patch: "delete" }],
      },
      names("d", "a1", "c"),
    ],
    [
      abc,
      { "$setElementOrder/items": [{ name: "a" }], items: [{ name: "d" }] },
      "500 The order in patch list:\n[map[name:d]]\n doesn't match $setElementOrder list:\n" +
        "[map[name:a]]\n",
    ],
    [
      abc,
      { "$setElementOrder/items": "x" },
      "500 expected a []interface {}, but received a string",
    ],
    [abc, { $setElementOrder: [] }, "400 invalid patch format of setElementOrder list"],
    [
      abc,
      { "$setElementOrder/none": [] },
      '500 unable to find api field in struct Kind for the json field "none"',
    ],
    // Lists of scalars.
    [{ tags: ["a"] }, { tags: ["b"] }, '{"tags":["b","a"]}'],
    [{ tags: ["b", "a"] }, { tags: ["a"] }, '{"tags":["b","a"]}'],
    [{ tags: ["b", "a"] }, { tags: ["c", "b"] }, '{"tags":["c","b","a"]}'],
    [{ tags: ["a", "b"] }, { "$deleteFromPrimitiveList/tags": ["a", "z"] }, '{"tags":["b"]}'],
    [{ tags: ["a"] }, { "$deleteFromPrimitiveList/tags": "a" }, '{"tags":["a"]}'],
    [{}, { "$deleteFromPrimitiveList/tags": ["a"] }, "{}"],
    [{}, { $deleteFromPrimitiveListX: [] }, "400 invalid patch format of primitive list"],
    [
      { tags: ["a", "b", "c"] },
      { "$setElementOrder/tags": ["c", "b"], "$deleteFromPrimitiveList/tags": ["a"] },
      '{"tags":["c","b"]}',
    ],
    // Without schema.
    [
      { raw: { a: { b: 1 } } },
      { raw: { a: { c: 1 } } },
      '500 unable to find api field in struct JSON for the json field "a"',
    ],
    [{ raw: { a: 1 } }, { raw: { b: 1 } }, '{"raw":{"a":1,"b":1}}'],
  ] as [JsonMap, JsonMap, string][]) {
    it(`${JSON.stringify(patch)} on ${JSON.stringify(original)}`, () => {
      assert.equal(outcome(original, patch), expected);
    });
  }

  it("merges like a dictionary when items are unique", () => {
    const item = fc.record({ name: fc.constantFrom("a", "b", "c", "d"), value: fc.string() });
    const items = fc.uniqueArray(item, { selector: ({ name }) => name, maxLength: 4 });
    fc.assert(
      fc.property(items, items, (live, changes) => {
        const result = applyStrategicMergePatch({ items: live }, { items: changes }, Kind);
        const merged = result["items"] as { name: string; value: string }[];
        const naive = new Map([...live, ...changes].map(({ name, value }) => [name, value]));
        assert.deepEqual(new Map(merged.map(({ name, value }) => [name, value])), naive);
        assert.equal(merged.length, naive.size);
        const order = merged.map(({ name }) => name);
        const asked: string[] = changes.map(({ name }) => name);
        assert.deepEqual(
          order.filter((name) => asked.includes(name)),
          asked,
        );
        const others = live.map(({ name }) => name).filter((name) => !asked.includes(name));
        assert.deepEqual(
          order.filter((name) => !asked.includes(name)),
          others,
        );
      }),
    );
  });

  it("changes nothing when applied again", () => {
    const tags = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"));
    fc.assert(
      fc.property(tags, tags, (live, changes) => {
        const once = applyStrategicMergePatch({ tags: live }, { tags: changes }, Kind);
        assert.deepEqual(applyStrategicMergePatch(once, { tags: changes }, Kind), once);
      }),
    );
  });
});

/** Items written as name and value: `a1` has the value `1`. */
function names(...items: string[]): string {
  const shown = items.map(([name, value]) => ({ name, ...(value !== undefined && { value }) }));
  return JSON.stringify({ items: shown });
}
