import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromUnstructured, UnstructuredError } from "./from-unstructured.ts";
import { bool, bytes, double, int32, int64, listOf, mapOf, opt, string, struct } from "./schema.ts";

const Inner = struct("x.Inner", { n: opt(1, int32), l: opt(2, listOf(int32)) });
const Outer = struct("x.Outer", {
  s: opt(1, string),
  b: opt(2, bool),
  i: opt(3, int32),
  j: opt(4, int64),
  d: opt(5, double),
  y: opt(6, bytes),
  inner: opt(7, Inner),
  inners: opt(8, listOf(Inner)),
  m: opt(9, mapOf(int32)),
});

describe("fromUnstructured", () => {
  for (const [value, expected] of [
    [{ s: "a", b: true, i: 1, j: 2, d: 1.5, y: "YQ==", m: { a: 1 }, zzz: {} }, undefined],
    [{ s: null, inner: null, inners: null }, undefined],
    [{ i: 3_000_000_000 }, { i: -1294967296 }],
    [{ inners: [{ n: 1 }, { n: 2 ** 32 }] }, { inners: [{ n: 1 }, { n: 0 }] }],
    [{ m: { a: 2 ** 31 } }, { m: { a: -(2 ** 31) } }],
    [{ d: 3 }, undefined],
  ] as const) {
    it(`of ${JSON.stringify(value)}`, () => {
      const converted = fromUnstructured(Outer, value);
      if (expected === undefined) assert.equal(converted, value);
      else assert.deepEqual(converted, expected);
    });
  }

  for (const [value, message] of [
    [[], "cannot restore struct from: slice"],
    [{ inner: "x" }, "cannot restore struct from: string"],
    [{ inners: { a: 1 } }, "cannot restore slice from map"],
    [{ inners: "x" }, "cannot restore slice from string"],
    [{ m: 5 }, "cannot restore map from int64"],
    [{ y: 5 }, "cannot restore slice from int64"],
    [{ i: "x" }, "unrecognized type: int32"],
    [{ i: 1.5 }, "cannot convert float64 to int32"],
    [{ s: 5 }, "cannot convert int64 to string"],
    [{ s: true }, "unrecognized type: string"],
    [{ b: "yes" }, "unrecognized type: bool"],
    [{ inner: { l: [1, "x"] } }, "unrecognized type: int32"],
  ] as const) {
    it(`refuses ${JSON.stringify(value)}: ${message}`, () => {
      assert.throws(() => fromUnstructured(Outer, value), new UnstructuredError(message));
    });
  }
});
