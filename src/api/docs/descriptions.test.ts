import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCommon } from "#apimachinery/openapi/descriptions.ts";
import { type Fields, flatFields, resolve, type Schema, type StructSchema } from "#apimachinery/schema.ts";
import { resources } from "../registry.ts";
import { describeType, packages } from "./descriptions.ts";

const types = new Map<string, StructSchema<Fields>>();
for (const { version, schema, subresources } of resources) {
  if (!/^v\d+$/.test(version)) continue;
  collect(schema);
  for (const subresource of Object.values(subresources)) if (subresource.schema !== undefined) collect(subresource.schema);
}

function collect(schema: Schema): void {
  const resolved = resolve(schema);
  if (resolved.type === "list") return collect(resolved.items);
  if (resolved.type === "map") return collect(resolved.values);
  if (resolved.type === "either") return collect(resolved.schema);
  if (resolved.type !== "struct" || types.has(resolved.name)) return;
  types.set(resolved.name, resolved);
  for (const field of flatFields(resolved).values()) collect(field.schema);
}

test("every type of a stable version, and every field of it, is told of", () => {
  const describe = describeCommon(describeType);
  const missing: string[] = [];
  for (const [name, schema] of types) {
    if (describe(name) === undefined) missing.push(name);
    for (const [field, { hidden }] of flatFields(schema)) {
      if (hidden !== true && describe(name, field) === undefined) missing.push(`${name} ${field}`);
    }
  }
  assert.deepEqual(missing, []);
});

test("nothing is told of what is not there", () => {
  const stale: string[] = [];
  for (const [prefix, docs] of Object.entries(packages)) {
    for (const [type, fields] of Object.entries(docs)) {
      const schema = types.get(`${prefix}.${type}`);
      if (schema === undefined) stale.push(`${prefix}.${type}`);
      const known = new Set(schema === undefined ? [] : [...flatFields(schema).keys(), "", "kind", "apiVersion"]);
      stale.push(...Object.keys(fields).filter((field) => !known.has(field)).map((field) => `${type} ${field}`));
    }
  }
  assert.deepEqual(stale, []);
});

test("a beta version has the words of the stable one", () => {
  assert.equal(describeType("io.k8s.api.resource.v1beta1.DeviceClass"), describeType("io.k8s.api.resource.v1.DeviceClass"));
});
