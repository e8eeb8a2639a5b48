import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { describeCommon } from "#apimachinery/openapi/descriptions.ts";
import { flatFields } from "#apimachinery/schema.ts";
import { otherKinds } from "../registry.ts";
import { describeType, packageOf, packages } from "./descriptions.ts";

const swagger = new URL("../../../../shared/kubernetes-1.36/swagger.json", import.meta.url);
const skip = existsSync(swagger) ? false : "upstream's documents are absent";

interface Definition {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
}

function upstreamDefinitions(): [name: string, Definition][] {
  const { definitions } = JSON.parse(readFileSync(swagger, "utf8")) as { definitions: Record<string, Definition> };
  return Object.entries(definitions);
}

test("every type and field that upstream describes is told of", { skip }, () => {
  const describe = describeCommon(describeType);
  const missing: string[] = [];
  for (const [name, { description, properties = {} }] of upstreamDefinitions()) {
    if (description !== undefined && describe(name) === undefined) missing.push(name);
    for (const [field, upstream] of Object.entries(properties)) {
      if (upstream.description !== undefined && describe(name, field) === undefined) missing.push(`${name} ${field}`);
    }
  }
  assert.deepEqual(missing, []);
});

test("nothing is told of what is not there", { skip }, () => {
  const known = new Set<string>();
  for (const [name, { properties = {} }] of upstreamDefinitions()) {
    const type = `${packageOf(name)}${name.slice(name.lastIndexOf("."))}`;
    for (const field of ["", ...Object.keys(properties)]) known.add(`${type} ${field}`);
  }
  // Options of requests have no definitions: their words are those of parameters.
  for (const { schema } of otherKinds) {
    for (const field of ["", ...flatFields(schema).keys()]) known.add(`${schema.name} ${field}`);
  }
  const told = Object.entries(packages).flatMap(([prefix, docs]) =>
    Object.entries(docs).flatMap(([type, fields]) => ["", ...Object.keys(fields)].map((field) => `${prefix}.${type} ${field}`)),
  );
  assert.deepEqual(told.filter((each) => !known.has(each)), []);
});

test("a beta version has the words of the stable one", () => {
  assert.equal(describeType("io.k8s.api.resource.v1beta1.DeviceClass"), describeType("io.k8s.api.resource.v1.DeviceClass"));
});
