import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseYaml } from "#wire/yaml.ts";
import { ProtoReader } from "../proto-reader.ts";
import type { Json } from "./definitions.ts";
import { encodeSwagger } from "./gnostic-v2.ts";
import { encodeOpenApi } from "./gnostic-v3.ts";

const root = new URL("../../../../shared/kubernetes-1.36/", import.meta.url);
const skip = existsSync(root) ? false : "upstream's OpenAPI documents are absent";

function read(file: string): Json {
  return JSON.parse(readFileSync(new URL(file, root), "utf8")) as Json;
}

function sha256(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

// What gnostic-models v0.7.0 makes of the same files: ParseDocument, then proto.Marshal.
const gnosticV3 = "ee4b2be1c4d98c2f2f75f70697d831000f0867e0650164409ccdb3240a9a14df";
const gnosticV2 = "9cdefbc16c363062fe32b679a9707f14de3a68f94d2a8ab120619bea1d2f69d1";

test("the protobuf of upstream's documents is that of gnostic, byte for byte", { skip }, () => {
  const files = readdirSync(new URL("openapi-v3", root)).toSorted();
  assert.equal(sha256(files.map((file) => encodeOpenApi(read(`openapi-v3/${file}`)))), gnosticV3);
  assert.equal(sha256([encodeSwagger(read("swagger.json"))]), gnosticV2);
});

/** Kinds of fields: scalars, a message, `*` for many of it, a map of named ones, or one of two in its place. */
type Kind = string;

/**
 * Fields by number: name in JSON and kind. Of OpenAPIv3.proto, as much as documents of custom resources have.
 * A map is a message that repeats entries of a name and a value in the field before the colon.
 */
const messages: Readonly<Record<string, Readonly<Record<number, readonly [name: string, kind: Kind]>>>> = {
  Document: { 1: ["openapi", "string"], 2: ["info", "Info"], 4: ["paths", "map:1 PathItem"], 5: ["components", "Components"] },
  Info: { 1: ["title", "string"], 6: ["version", "string"] },
  PathItem: { 4: ["get", "Operation"], 13: ["parameters", "* ParameterOrReference"] },
  Operation: {
    1: ["tags", "* string"],
    3: ["description", "string"],
    5: ["operationId", "string"],
    8: ["responses", "map:2 ResponseOrReference"],
  },
  ParameterOrReference: { 1: ["", "Parameter"], 2: ["", "Reference"] },
  Parameter: { 1: ["name", "string"], 2: ["in", "string"], 10: ["schema", "SchemaOrReference"] },
  ResponseOrReference: { 1: ["", "Response"], 2: ["", "Reference"] },
  Response: { 1: ["description", "string"], 3: ["content", "map:1 MediaType"] },
  MediaType: { 1: ["schema", "SchemaOrReference"] },
  Reference: { 1: ["$ref", "string"] },
  Components: { 1: ["schemas", "map:1 SchemaOrReference"] },
  SchemaOrReference: { 1: ["", "Schema"], 2: ["", "Reference"] },
  Schema: {
    1: ["nullable", "bool"],
    9: ["title", "string"],
    10: ["multipleOf", "double"],
    11: ["maximum", "double"],
    12: ["exclusiveMaximum", "bool"],
    13: ["minimum", "double"],
    15: ["maxLength", "int"],
    17: ["pattern", "string"],
    18: ["maxItems", "int"],
    20: ["uniqueItems", "bool"],
    23: ["required", "* string"],
    24: ["enum", "* Any"],
    25: ["type", "string"],
    26: ["allOf", "* SchemaOrReference"],
    27: ["oneOf", "* SchemaOrReference"],
    28: ["anyOf", "* SchemaOrReference"],
    29: ["not", "Schema"],
    30: ["items", "ItemsItem"],
    31: ["properties", "map:1 SchemaOrReference"],
    32: ["additionalProperties", "AdditionalPropertiesItem"],
    33: ["default", "DefaultType"],
    34: ["description", "string"],
    35: ["format", "string"],
    36: ["", "extension"],
  },
  ItemsItem: { 1: ["", "SchemaOrReference"] },
  AdditionalPropertiesItem: { 1: ["", "SchemaOrReference"], 2: ["", "bool"] },
  DefaultType: { 1: ["", "double"], 2: ["", "bool"], 3: ["", "string"] },
  Any: { 2: ["", "yaml"] },
};

function scalar(kind: Kind, from: ProtoReader): unknown {
  if (kind === "bool") return from.varint() === 1;
  if (kind === "int") return from.varint();
  if (kind === "double") return from.double();
  const text = Buffer.from(from.bytes()).toString();
  return kind === "yaml" ? parseYaml(text).value : text;
}

function value(kind: Kind, from: ProtoReader): unknown {
  if (kind.startsWith("map:")) return entries(kind.slice("map:1 ".length), Number(kind["map:".length]), from.bytes());
  return kind in messages ? decode(kind, from.bytes()) : scalar(kind, from);
}

function entries(kind: Kind, field: number, bytes: Uint8Array): Json {
  const from = new ProtoReader(bytes);
  const found: Json = {};
  while (from.more) {
    assert.equal(from.varint(), field * 8 + 2);
    Object.assign(found, entry(kind, from.bytes()));
  }
  return found;
}

function entry(kind: Kind, bytes: Uint8Array): Json {
  const from = new ProtoReader(bytes);
  let name = "";
  let found: unknown;
  while (from.more) {
    if (from.varint() >> 3 === 1) name = Buffer.from(from.bytes()).toString();
    else found = value(kind, from);
  }
  return { [name]: found };
}

/** A message as JSON; one of several things in one place is that thing. */
function decode(message: string, bytes: Uint8Array): unknown {
  const from = new ProtoReader(bytes);
  const json: Json = {};
  while (from.more) {
    const number = from.varint() >> 3;
    const [name, kind] = messages[message]?.[number] ?? assert.fail(`${message} has no field ${number}`);
    if (kind === "extension") Object.assign(json, entry("Any", from.bytes()));
    else if (name === "") return value(kind, from);
    else if (kind.startsWith("* ")) json[name] = [...((json[name] ?? []) as unknown[]), value(kind.slice(2), from)];
    else json[name] = value(kind, from);
  }
  return message === "DefaultType" ? "some" : json;
}

const ref = { $ref: "#/components/schemas/com.example.v1.Item" };
const custom = {
  openapi: "3.0.0",
  info: { title: "Kubernetes CRD Swagger", version: "v0.1.0" },
  paths: {
    "/apis/example.com/v1/tests": {
      get: {
        tags: ["exampleCom_v1"],
        operationId: "list",
        responses: { 200: { description: "OK", content: { "application/json": { schema: ref } } }, 401: { description: "Unauthorized" } },
      },
      parameters: [{ name: "pretty", in: "query", schema: { type: "string", uniqueItems: true } }],
    },
  },
  components: {
    schemas: {
      "com.example.v1.Test": {
        required: ["spec", ""],
        type: "object",
        properties: {
          bool: { type: "boolean", default: false },
          zero: { type: "integer", default: 0 },
          empty: { type: "string", default: "" },
          half: { multipleOf: 0.25, maximum: 1e21, exclusiveMaximum: true, minimum: -1.5, type: "number", default: 0.5 },
          closed: { type: "object", additionalProperties: false },
          open: { type: "object", additionalProperties: true },
          typed: { type: "object", additionalProperties: { type: "string" } },
          list: { maxItems: 5, uniqueItems: true, items: ref, "x-kubernetes-list-map-keys": ["name"], "x-kubernetes-list-type": "map" },
          text: { nullable: true, title: "A", maxLength: 3, pattern: "^[a-z]+$", enum: ["", "a", null, 1, true, "yes", "1"], format: "date" },
          port: { anyOf: [{ type: "integer" }, { type: "string" }], "x-kubernetes-int-or-string": true },
          not: { allOf: [ref], oneOf: [{ required: ["a"] }], not: { type: "string" } },
          rules: { "x-kubernetes-validations": [{ rule: "self.a == 'b'\n&& true", message: 'must: be "b"' }] },
        },
        description: "Tests.",
        "x-kubernetes-group-version-kind": [{ group: "example.com", kind: "Test", version: "v1" }],
      },
    },
  },
};

test("the protobuf of a v3 document says what its JSON says", () => {
  assert.deepEqual(decode("Document", encodeOpenApi(custom)), custom);
});

test("of defaults that are no scalars only their presence is told", () => {
  const schemas = { A: { default: { a: 1 } }, B: { default: [1] }, C: { default: null }, D: {} };
  const { components } = decode("Document", encodeOpenApi({ components: { schemas } })) as Json;
  assert.deepEqual(components, { schemas: { A: { default: "some" }, B: { default: "some" }, C: { default: "some" }, D: {} } });
});
