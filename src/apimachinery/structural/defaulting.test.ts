import assert from "node:assert/strict";
import { test } from "node:test";
import { applyStructuralDefaults, dropNulls } from "./defaulting.ts";
import type { Structural } from "./structural.ts";

const withDefaults: Structural = {
  type: "object",
  properties: {
    a: { type: "string", default: "x" },
    nullable: { type: "string", nullable: true, default: "y" },
    plain: { type: "string" },
    nested: { type: "object", default: {}, properties: { b: { type: "integer", default: 7 } } },
    list: { type: "array", items: { type: "object", properties: { c: { type: "boolean", default: true } } } },
    map: {
      type: "object",
      additionalProperties: { type: "object", properties: { d: { type: "integer", default: 1 } } },
    },
  },
};

const rows: readonly (readonly [about: string, value: object, expected: object])[] = [
  ["absent fields take them", {}, { a: "x", nullable: "y", nested: { b: 7 } }],
  ["given fields keep theirs", { a: "", nested: { b: 0 } }, { a: "", nullable: "y", nested: { b: 0 } }],
  [
    "null takes one unless null is allowed",
    { a: null, nullable: null, nested: null },
    { a: "x", nullable: null, nested: { b: 7 } },
  ],
  ["null without a default goes", { plain: null }, { a: "x", nullable: "y", nested: { b: 7 } }],
  [
    "items and values take them",
    { list: [{}, { c: false }], map: { k: {} } },
    { list: [{ c: true }, { c: false }], map: { k: { d: 1 } }, a: "x", nullable: "y", nested: { b: 7 } },
  ],
];

for (const [about, value, expected] of rows) {
  test(`defaults: ${about}`, () => {
    dropNulls(value, withDefaults);
    applyStructuralDefaults(value, withDefaults);
    assert.deepEqual(value, expected);
  });
}

test("defaults are copied: no two objects share one", () => {
  const [one, other] = [{}, {}] as { nested?: { b?: number } }[];
  applyStructuralDefaults(one, withDefaults);
  applyStructuralDefaults(other, withDefaults);
  assert.notEqual(one?.nested, other?.nested);
});
