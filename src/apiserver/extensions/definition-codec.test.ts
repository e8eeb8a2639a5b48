import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from "#api/apiextensions/v1/custom-resource-definition.ts";
import { decodeTrusted } from "#apimachinery/json-trusted.ts";
import { codecOf } from "../storage/codec.ts";
import { parsedSchemasBytesMax, readDefinitionsLazily } from "./definition-codec.ts";

readDefinitionsLazily();
const codec = codecOf(customResourceDefinitions);

function definitionOf(schemas: readonly (object | undefined)[], description = ""): object {
  return {
    kind: "CustomResourceDefinition",
    apiVersion: "apiextensions.k8s.io/v1",
    metadata: { name: "foos.g.io", annotations: { note: '"openAPIV3Schema":{"type":"object"} \\" {' } },
    spec: {
      group: "g.io",
      scope: "Cluster",
      names: { plural: "foos", kind: "Foo" },
      versions: schemas.map((schema, i) => ({
        name: `v${i + 1}`,
        served: true,
        storage: i === 0,
        ...(schema && { schema: { openAPIV3Schema: description === "" ? schema : { ...schema, description } } }),
      })),
    },
  };
}

function stored(definition: object): Uint8Array {
  const { object } = codec.decode(structuredClone(definition), false);
  return codec.encodeStored?.(object) ?? codec.encode(object);
}

function read(bytes: Uint8Array): CustomResourceDefinition {
  return codec.decodeStored(bytes) as CustomResourceDefinition;
}

const rows: Readonly<Record<string, readonly (object | undefined)[]>> = {
  "one": [{ type: "object", properties: { a: { type: "string", default: 'a "quoted\\" } text' } } }],
  "several, one of them absent": [{ type: "object" }, undefined, { type: "object", description: "}" }],
  "a property of the same name": [
    { type: "object", properties: { openAPIV3Schema: { type: "object", properties: { openAPIV3Schema: { type: "string" } } }, b: { type: "string" } } },
    { type: "object", properties: { c: { type: "integer", maximum: 9007199254740992 } } },
  ],
  "an empty one": [{}],
};

for (const [what, schemas] of Object.entries(rows)) {
  test(`schemas that are parsed when read are those that were stored: ${what}`, () => {
    const bytes = stored(definitionOf(schemas));
    const plain = decodeTrusted<CustomResourceDefinition>(customResourceDefinitions.schema, bytes);
    const lazy = read(bytes);
    const schemasOf = ({ spec }: CustomResourceDefinition): unknown[] => spec.versions.map(({ schema }) => schema?.openAPIV3Schema);
    assert.deepEqual(schemasOf(lazy), schemasOf(plain));
    assert.deepEqual(codec.encode(lazy), codec.encode(plain));
    assert.deepEqual(Buffer.from(codec.encode(lazy)), Buffer.from(bytes));
  });
}

test("a schema in use is one object; one that others have pushed out is read again", () => {
  const schemaOf = ({ spec }: CustomResourceDefinition): unknown => spec.versions[0]?.schema?.openAPIV3Schema;
  const first = read(stored(definitionOf([{ type: "object" }])));
  const seen = schemaOf(first);
  assert.equal(schemaOf(first), seen);
  const large = "x".repeat(parsedSchemasBytesMax / 2 - 100);
  for (let i = 0; i < 2; i++) schemaOf(read(stored(definitionOf([{ type: "object" }], large))));
  assert.equal(schemaOf(first), seen);
  for (let i = 0; i < 3; i++) schemaOf(read(stored(definitionOf([{ type: "object" }], large))));
  assert.notEqual(schemaOf(first), seen);
  assert.deepEqual(schemaOf(first), seen);
});
