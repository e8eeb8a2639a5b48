import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { otherKinds, resources } from "#api/registry.ts";
import { parseYaml, writeYaml } from "#wire/yaml.ts";
import { canonical, decodeJson, encodeJson } from "./json-codec.ts";
import { decodeProto, encodeProto, unwrapUnknown, wrapUnknown } from "./proto-codec.ts";
import type { Fields, StructSchema } from "./schema.ts";
import { arbitraryOf } from "./testing/arbitrary.ts";
import { goldenObjects } from "./testing/golden.ts";

const schemas = new Map<string, StructSchema<Fields>>();
for (const { group, version, schema } of [...resources, ...otherKinds]) {
  const kind = schema.name.slice(schema.name.lastIndexOf(".") + 1);
  schemas.set(`${group || "core"}.${version}.${kind}`, schema);
}
const goldens = goldenObjects().filter(({ name }) => schemas.has(name));
const skip = goldens.length === 0 ? "upstream's golden objects are absent" : false;

function schemaOf(name: string): StructSchema<Fields> {
  const schema = schemas.get(name);
  assert.ok(schema !== undefined, name);
  return schema;
}

interface Root {
  kind: string;
  apiVersion: string;
}

test("golden objects cover the kinds", { skip }, () => {
  assert.ok(goldens.length >= 118, `${goldens.length} kinds`);
});

test("golden JSON decodes without findings and encodes to the same bytes", { skip }, () => {
  for (const { name, json } of goldens) {
    const parsed: unknown = JSON.parse(json);
    const { object, findings } = decodeJson<object>(schemaOf(name), parsed);
    assert.deepEqual(findings, [], name);
    const text = Buffer.from(encodeJson(schemaOf(name), object)).toString();
    assert.equal(text, JSON.stringify(parsed), name);
  }
});

test("golden YAML decodes to golden JSON, and is what JSON is written as", { skip }, () => {
  for (const { name, json, yaml } of goldens) {
    const { object, findings } = decodeJson<object>(schemaOf(name), parseYaml(yaml).value);
    assert.deepEqual(findings, [], name);
    const text = Buffer.from(encodeJson(schemaOf(name), object)).toString();
    assert.equal(text, JSON.stringify(JSON.parse(json)), name);
    assert.equal(writeYaml(canonical(schemaOf(name), object)), yaml, name);
  }
});

test("golden JSON encodes to golden protobuf", { skip }, () => {
  for (const { name, json, proto } of goldens) {
    const { object } = decodeJson<Root>(schemaOf(name), JSON.parse(json));
    const { kind, apiVersion } = object;
    const bytes = wrapUnknown({ kind, apiVersion, raw: encodeProto(schemaOf(name), object) });
    assert.equal(Buffer.compare(bytes, proto), 0, name);
  }
});

test("golden protobuf decodes to golden JSON", { skip }, () => {
  for (const { name, json, proto } of goldens) {
    const envelope = unwrapUnknown(proto);
    assert.ok(envelope !== undefined, name);
    const { kind, apiVersion } = envelope;
    const message = decodeProto<object>(schemaOf(name), envelope.raw);
    const object = decodeJson<object>(schemaOf(name), { kind, apiVersion, ...message }).object;
    const text = Buffer.from(encodeJson(schemaOf(name), object)).toString();
    assert.equal(text, JSON.stringify(JSON.parse(json)), name);
  }
});

test("objects of every kind survive JSON and protobuf", () => {
  for (const [name, schema] of schemas) {
    const property = fc.property(arbitraryOf(schema), (value) => {
      const { object, findings } = decodeJson<object>(schema, value);
      assert.deepEqual(findings, []);
      const bytes = encodeJson(schema, object);
      const again = decodeJson<object>(schema, JSON.parse(Buffer.from(bytes).toString())).object;
      assert.equal(Buffer.compare(encodeJson(schema, again), bytes), 0, `${name} as JSON`);
      if (!hasProto(schema)) return;
      const { kind, apiVersion } = object as Partial<Root>;
      const message = encodeProto(schema, object);
      const decoded = { kind, apiVersion, ...decodeProto<object>(schema, message) };
      assert.equal(
        Buffer.from(encodeJson(schema, decoded)).toString(),
        Buffer.from(bytes).toString(),
        `${name} as protobuf`,
      );
    });
    fc.assert(property, { numRuns: 6 });
  }
});

function hasProto(schema: StructSchema<Fields>): boolean {
  return Object.values(schema.fields).every(({ tag }) => tag > 0);
}
