import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { deepEqual } from "./deep-equal.ts";
import type { JsonMap } from "./json-value.ts";
import { applyMergePatch, createMergePatch, decodeMergePatch } from "./merge-patch.ts";

describe("applyMergePatch", () => {
  for (const [document, patch, expected] of [
    [{ a: "b" }, { a: "c" }, '{"a":"c"}'],
    [{ a: "b" }, { b: "c" }, '{"a":"b","b":"c"}'],
    [{ b: 1, a: 1 }, { a: null }, '{"b":1}'],
    [{ a: "b" }, { x: null }, '{"a":"b"}'],
    [{ a: { b: 1 } }, { a: { c: null, d: 2 } }, '{"a":{"b":1,"d":2}}'],
    [{ a: [1] }, { a: { b: null, c: 1 } }, '{"a":{"c":1}}'],
    [{}, { a: { b: { c: null } } }, '{"a":{"b":{}}}'],
    [{ a: null }, { a: { b: null } }, '{"a":{}}'],
    [{}, { a: [null, { b: null, c: 1 }] }, '{"a":[null,{"c":1}]}'],
    [{ a: [1] }, { a: [{ b: null }] }, '{"a":[{}]}'],
    [{ a: { x: 1 } }, { a: [{ b: null }] }, '{"a":[{"b":null}]}'],
    [{ a: { x: 1 } }, { a: "s" }, '{"a":"s"}'],
  ] as const) {
    it(`${JSON.stringify(patch)} on ${JSON.stringify(document)}`, () => {
      assert.equal(JSON.stringify(applyMergePatch(document, patch)), expected);
    });
  }

  it("keeps a member named __proto__", () => {
    const patch = JSON.parse('{"m":{"__proto__":{"x":1}}}') as JsonMap;
    assert.equal(JSON.stringify(applyMergePatch({ m: {} }, patch)), JSON.stringify(patch));
  });

  const json = fc.object({
    maxDepth: 3,
    key: fc.constantFrom("a", "b", "c", "__proto__"),
    values: [fc.integer(), fc.boolean(), fc.string()],
  });
  it("is undone and redone by created patches", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const from = a as JsonMap;
        const to = b as JsonMap;
        const patch = createMergePatch(from, to);
        assert.ok(deepEqual(patch === undefined ? from : applyMergePatch(from, patch), to));
        assert.equal(patch === undefined, deepEqual(from, to));
      }),
    );
  });
});

describe("decodeMergePatch", () => {
  const what = "error decoding patch: json: cannot unmarshal";
  for (const [document, strict, message] of [
    [[], true, `${what} array into Go value of type map[string]interface {}`],
    ["x", true, `${what} string into Go value of type map[string]interface {}`],
    [true, true, `${what} bool into Go value of type map[string]interface {}`],
    [null, true, "Invalid JSON Patch"],
    [5, false, "Invalid JSON Patch"],
  ] as const) {
    it(`refuses ${JSON.stringify(document)}`, () => {
      assert.throws(() => decodeMergePatch(document, strict), {
        name: "PatchDocumentError",
        message,
      });
    });
  }
});
