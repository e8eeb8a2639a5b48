import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ObjectMeta } from "../meta/object-meta.ts";
import type { KubeObject } from "../object.ts";
import { bool, int32, kind, listOf, mapOf, opt, ptr, req, string, struct } from "../schema.ts";
import { type FieldManagement, updateManagedFields } from "./field-manager.ts";
import { applySchemaOf } from "./struct-schema.ts";
import { valueShape, valueShapeMax } from "./value-shape.ts";

const Item = struct("x.Item", { name: req(1, string), port: opt(2, int32), on: opt(3, bool) });
const Kind = kind("x.Kind", {
  metadata: req(1, ObjectMeta),
  data: opt(2, mapOf(string)),
  items: opt(3, listOf(Item), { listType: "map", mapKeys: ["name", "port"] }),
  tags: opt(4, listOf(string), { listType: "set" }),
  atoms: opt(5, listOf(Item)),
  inner: req(6, Item),
  replicas: ptr(7, int32),
});
const schema = applySchemaOf(Kind);

function freshManagement(): FieldManagement {
  return {
    kind: "Kind",
    subresource: "",
    apiVersion: "v1",
    schemaOf: () => schema,
    convert: (object) => object,
    blank: () => ({ apiVersion: "v1", kind: "Kind" }),
    filterOf: () => undefined,
  };
}

function fieldsOf(management: FieldManagement, updated: KubeObject): unknown {
  return updateManagedFields(management, { live: undefined, updated, manager: "m", time: "2026-01-01T00:00:00Z" });
}

const name = fc.constantFrom("", "a", "b", "1:a", "__proto__");
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const item = fc.record(
  { name, port: fc.constantFrom(0, 1, 11), on: fc.boolean() },
  { requiredKeys: [] },
);
const object = fc.record({
  metadata: fc.record({ name, labels: maybe(fc.dictionary(name, name)), finalizers: maybe(fc.array(name)) }),
  data: maybe(fc.dictionary(name, name)),
  items: maybe(fc.array(item, { maxLength: 3 })),
  tags: maybe(fc.array(name, { maxLength: 3 })),
  atoms: maybe(fc.array(item, { maxLength: 2 })),
  inner: maybe(item),
  replicas: fc.constantFrom(undefined, null, 0, 1),
});

describe("valueShape", () => {
  it("is equal only for objects of which a creator owns the same", () => {
    const shared = freshManagement();
    fc.assert(
      fc.property(object, (value) => {
        const created = { apiVersion: "v1", kind: "Kind", ...value } as unknown as KubeObject;
        assert.deepEqual(fieldsOf(shared, created), fieldsOf(freshManagement(), created));
      }),
      { numRuns: 2000 },
    );
  });

  it("does not depend on values, but on whether they are zero", () => {
    const shape = (value: object): string | undefined => valueShape(schema, value);
    assert.equal(shape({ data: { a: "x" } }), shape({ data: { a: "y" } }));
    assert.notEqual(shape({ data: { a: "x" } }), shape({ data: { a: "" } }));
    assert.notEqual(shape({ tags: ["x"] }), shape({ tags: ["y"] }));
    assert.equal(shape({ atoms: [{ name: "x" }] }), shape({ atoms: [{ name: "y" }] }));
  });

  it("is undefined for large values, and items whose keys are no scalars", () => {
    assert.equal(valueShape(schema, { data: { ["k".repeat(valueShapeMax)]: "v" } }), undefined);
    assert.equal(valueShape(schema, { items: [{ name: {} }] }), undefined);
  });
});
