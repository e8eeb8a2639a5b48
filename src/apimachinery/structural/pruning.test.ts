import assert from "node:assert/strict";
import { test } from "node:test";
import { prune } from "./pruning.ts";
import type { Structural } from "./structural.ts";

const open = { "x-kubernetes-preserve-unknown-fields": true };
const leaf: Structural = { type: "string" };

interface Row {
  readonly about: string;
  readonly schema: Structural;
  readonly value: unknown;
  readonly pruned: unknown;
  readonly unknown: readonly string[];
}

const rows: readonly Row[] = [
  {
    about: "unknown fields go, sorted by path",
    schema: {
      type: "object",
      properties: { a: leaf, list: { type: "array", items: { type: "object", properties: { a: leaf } } } },
    },
    value: { z: 1, a: "x", list: [{ a: "y", b: 2 }, { c: 3 }] },
    pruned: { a: "x", list: [{ a: "y" }, {}] },
    unknown: ["list[0].b", "list[1].c", "z"],
  },
  {
    about: "what preserves keeps unknown fields, and prunes known ones inside",
    schema: { type: "object", ...open, properties: { a: { type: "object", properties: { b: leaf } } } },
    value: { any: { deep: 1 }, a: { b: "x", c: 1 } },
    pruned: { any: { deep: 1 }, a: { b: "x" } },
    unknown: ["a.c"],
  },
  {
    about: "values of maps are pruned by their schema",
    schema: { type: "object", additionalProperties: { type: "object", properties: { a: leaf } } },
    value: { k: { a: "x", b: 1 } },
    pruned: { k: { a: "x" } },
    unknown: ["k.b"],
  },
  {
    about: "lists that preserve keep items that nothing describes",
    schema: { type: "object", properties: { l: { type: "array", ...open } } },
    value: { l: [{ a: 1 }] },
    pruned: { l: [{ a: 1 }] },
    unknown: [],
  },
  {
    about: "embedded objects keep what every object has",
    schema: {
      type: "object",
      properties: { e: { type: "object", "x-kubernetes-embedded-resource": true, properties: { a: leaf } } },
    },
    value: { kind: "K", metadata: { x: 1 }, e: { kind: "E", apiVersion: "v1", metadata: { y: 1 }, a: "x", b: 1 } },
    pruned: { kind: "K", metadata: { x: 1 }, e: { kind: "E", apiVersion: "v1", metadata: { y: 1 }, a: "x" } },
    unknown: ["e.b"],
  },
  {
    about: "names of the prototype are names like others",
    schema: { type: "object", properties: {} },
    value: JSON.parse('{"__proto__": {"x": 1}, "constructor": 1}'),
    pruned: {},
    unknown: ["__proto__", "constructor"],
  },
];

for (const { about, schema, value, pruned, unknown } of rows) {
  test(`prune: ${about}`, () => {
    const before = JSON.stringify(value);
    assert.deepEqual(prune(value, schema, true), { value: pruned, unknown });
    assert.equal(JSON.stringify(value), before);
  });
}
