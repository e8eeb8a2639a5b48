import assert from "node:assert/strict";
import { test } from "node:test";
import { type Fields, flatFields, resolve, type Schema, type StructSchema } from "#apimachinery/schema.ts";
import { resources } from "../registry.ts";
import { enumOf, enums } from "./enums.ts";

/** Structs by the name of their definition. */
const structs = new Map<string, StructSchema<Fields>>();
for (const { schema } of resources) collect(schema);

function leafOf(schema: Schema): Schema {
  const resolved = resolve(schema);
  if (resolved.type === "list") return leafOf(resolved.items);
  return resolved.type === "map" ? leafOf(resolved.values) : resolved;
}

function collect(schema: Schema): void {
  const leaf = leafOf(schema);
  if (leaf.type === "either") return collect(leaf.schema);
  if (leaf.type !== "struct" || structs.has(leaf.name)) return;
  structs.set(leaf.name, leaf);
  for (const field of flatFields(leaf).values()) collect(field.schema);
}

test("enumerations are of fields that are texts, and have their defaults among their values", () => {
  let count = 0;
  for (const [prefix, types] of Object.entries(enums)) {
    for (const [type, fields] of Object.entries(types)) {
      const schema = structs.get(`${prefix}.${type}`);
      assert.ok(schema !== undefined, `${prefix}.${type}`);
      for (const [name, values] of Object.entries(fields)) {
        const field = flatFields(schema).get(name);
        assert.ok(field !== undefined && leafOf(field.schema).type === "string", `${type} ${name}`);
        if (field.default !== undefined && field.default !== "") assert.ok(values.includes(String(field.default)), `${type} ${name}`);
        assert.deepEqual(values, [...new Set(values)].toSorted(), `${type} ${name}`);
        count++;
      }
    }
  }
  assert.equal(count, 124);
});

test("a version has the enumerations of its own types alone", () => {
  const spec = "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicySpec";
  assert.deepEqual([enumOf(spec, "reinvocationPolicy"), enumOf(spec, "failurePolicy")], [["IfNeeded", "Never"], undefined]);
});
