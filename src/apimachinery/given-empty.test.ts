import assert from "node:assert/strict";
import { test } from "node:test";
import { applySchemaOf } from "./apply/struct-schema.ts";
import { type FieldManagement, updateManagedFields } from "./apply/field-manager.ts";
import { decodeJson, encodeJson } from "./json-codec.ts";
import { ObjectMeta } from "./meta/object-meta.ts";
import type { KubeObject } from "./object.ts";
import { kind, listOf, mapOf, opt, req, string } from "./schema.ts";

const Role = kind("x.Role", {
  metadata: req(1, ObjectMeta),
  rules: req(2, listOf(string), { listType: "atomic" }),
  limits: req(3, mapOf(string)),
  subjects: opt(4, listOf(string)),
});

const management: FieldManagement = {
  kind: "Role",
  subresource: "",
  apiVersion: "v1",
  schemaOf: () => applySchemaOf(Role),
  convert: (object) => object,
  filterOf: () => undefined,
  blank: () => decodeJson<object>(Role, {}).object,
};

/** The fields that a creator owns. */
function owned(body: object, base?: object): unknown {
  const { object } = decodeJson<KubeObject>(Role, body, base && { base });
  const entries = updateManagedFields(management, { live: undefined, updated: object, manager: "m", time: "2026-01-01T00:00:00Z" });
  return entries?.[0]?.fieldsV1;
}

test("who sends an empty list for a field that Go always writes, owns the field", () => {
  assert.equal(owned({}), undefined);
  assert.equal(owned({ rules: null, limits: null }), undefined);
  assert.deepEqual(owned({ rules: [] }), { "f:rules": {} });
  assert.deepEqual(owned({ rules: [], limits: {}, subjects: [] }), { "f:limits": {}, "f:rules": {} });
  // Again: what was remembered of the shape of one is not taken for the other.
  assert.equal(owned({}), undefined);
});

test("empty lists of the object that was patched were sent by nobody", () => {
  const { object: base } = decodeJson<{ rules: string[] }>(Role, {});
  assert.equal(owned({ rules: base.rules }, base), undefined);
  assert.deepEqual(owned({ rules: [] }, base), { "f:rules": {} });
});

test("the object itself is the same either way", () => {
  const [sent, absent] = [{ rules: [] }, {}].map((body) => encodeJson(Role, decodeJson<object>(Role, body).object));
  assert.deepEqual(sent, absent);
});
