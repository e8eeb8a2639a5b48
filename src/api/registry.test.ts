import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Condition } from "#apimachinery/meta/condition.ts";
import { listSchemaOf } from "#apimachinery/meta/list.ts";
import { Patch } from "#apimachinery/meta/patch.ts";
import { VersionInfo } from "#apimachinery/meta/version.ts";
import { WatchEvent } from "#apimachinery/meta/watch-event.ts";
import {
  type Field,
  type Fields,
  flatFields,
  resolve,
  type Schema,
  type StructSchema,
} from "#apimachinery/schema.ts";
import { otherKinds, resources } from "./registry.ts";

const dataFolder = new URL("../../../shared/kubernetes-1.36/", import.meta.url);
const skip = existsSync(dataFolder) ? false : "no recorded OpenAPI documents";

interface Definition {
  readonly type?: string;
  readonly properties?: Record<string, object>;
  readonly required?: string[];
  readonly [extension: string]: unknown;
}

/** Definitions that are scalars of the DSL, not structs. */
const scalarDefinitions = [
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
  "io.k8s.apimachinery.pkg.api.resource.Quantity",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
  "io.k8s.apimachinery.pkg.runtime.RawExtension",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
];

const scalarShapes: Record<string, object> = {
  string: { type: "string" },
  bool: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" },
  bytes: { type: "string", format: "byte" },
  time: { $ref: "io.k8s.apimachinery.pkg.apis.meta.v1.Time" },
  microTime: { $ref: "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime" },
  quantity: { $ref: "io.k8s.apimachinery.pkg.api.resource.Quantity" },
  intOrString: { $ref: "io.k8s.apimachinery.pkg.util.intstr.IntOrString" },
  any: { $ref: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON" },
  object: { $ref: "io.k8s.apimachinery.pkg.runtime.RawExtension" },
  fields: { $ref: "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1" },
};

const zeros: Record<string, unknown> = { string: "", bool: false, int32: 0, int64: 0, double: 0 };

function allSchemas(): Map<string, StructSchema<Fields>> {
  const found = new Map<string, StructSchema<Fields>>();
  const visit = (schema: Schema): void => {
    const target = resolve(schema);
    if (target.type === "list") visit(target.items);
    else if (target.type === "map") visit(target.values);
    else if (target.type === "either") visit(target.schema);
    else if (target.type === "struct") {
      const known = found.get(target.name);
      assert.ok(known === undefined || known === target, `two schemas are named ${target.name}`);
      if (known !== undefined) return;
      found.set(target.name, target);
      for (const field of Object.values(target.fields)) visit(field.schema);
    }
  };
  for (const resource of resources) {
    visit(resource.schema);
    if (resource.verbs.includes("list")) visit(listSchemaOf(resource.schema));
  }
  for (const other of otherKinds) visit(other.schema);
  for (const schema of [Condition, Patch, VersionInfo, WatchEvent]) visit(schema);
  return found;
}

function shape(schema: Schema): object {
  if (schema.type === "either") return { $ref: schema.name };
  const target = resolve(schema);
  if (target.type === "struct") return { $ref: target.name };
  if (target.type === "list") return { type: "array", items: shape(target.items) };
  if (target.type === "map") return { type: "object", additionalProperties: shape(target.values) };
  const scalar = scalarShapes[target.type];
  assert.ok(scalar, `no OpenAPI shape of ${target.type}`);
  return scalar;
}

function property(field: Field): object {
  return {
    ...shape(field.schema),
    ...(field.format !== undefined && { format: field.format }),
    ...(field.listType !== undefined && { "x-kubernetes-list-type": field.listType }),
    ...(field.mapKeys !== undefined && { "x-kubernetes-list-map-keys": field.mapKeys }),
    ...(field.mapType !== undefined && { "x-kubernetes-map-type": field.mapType }),
    ...(field.patch !== undefined && { "x-kubernetes-patch-strategy": field.patch }),
    ...(field.mergeKey !== undefined && { "x-kubernetes-patch-merge-key": field.mergeKey }),
  };
}

/** What OpenAPI v3 adds to v2: declared defaults, and Go's zero values where always written. */
function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  const type = resolve(field.schema).type;
  if (type === "struct") return field.presence === "ptr" ? undefined : {};
  return field.presence === "req" ? zeros[type] : undefined;
}

function definition(schema: StructSchema<Fields>, defaults: boolean): Definition {
  const properties: Record<string, object> = {};
  if (schema.root) properties["apiVersion"] = properties["kind"] = { type: "string" };
  const required: string[] = [];
  for (const [name, field] of flatFields(schema)) {
    const value = defaults ? defaultOf(field) : undefined;
    properties[name] = { ...property(field), ...(value !== undefined && { default: value }) };
    if (field.required ?? field.presence === "req") required.push(name);
  }
  return {
    type: "object",
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required: required.toSorted() }),
    ...(schema.atomic && { "x-kubernetes-map-type": "atomic" }),
    ...(schema.unions && {
      "x-kubernetes-unions": schema.unions.map(({ discriminator, fields }) => ({
        ...(discriminator !== undefined && { discriminator }),
        "fields-to-discriminateBy": fields,
      })),
    }),
  };
}

/** The document's definition in the terms of ours: no texts, plain references, `allOf` of one undone. */
function plain(value: unknown, isProperties = false): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (typeof value !== "object" || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (isProperties) out[key] = plain(item);
    else if (key === "$ref" && typeof item === "string") out[key] = item.split("/").at(-1);
    else if (key === "allOf" && Array.isArray(item)) Object.assign(out, plain(item[0]));
    else if (key === "required" && Array.isArray(item)) out[key] = item.toSorted();
    else if (key !== "description" && key !== "x-kubernetes-group-version-kind") {
      out[key] = plain(item, key === "properties");
    }
  }
  return out;
}

function readDefinitions(file: string, path: readonly string[]): Record<string, unknown> {
  const document: unknown = JSON.parse(readFileSync(new URL(file, dataFolder), "utf8"));
  return path.reduce<Record<string, unknown>>(
    (value, key) => (value[key] ?? {}) as Record<string, unknown>,
    document as Record<string, unknown>,
  );
}

function readV3(): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const file of readdirSync(new URL("openapi-v3/", dataFolder))) {
    Object.assign(all, readDefinitions(`openapi-v3/${file}`, ["components", "schemas"]));
  }
  return all;
}

describe("schemas against upstream's OpenAPI", { skip }, () => {
  const schemas = allSchemas();
  const versions = { v2: () => readDefinitions("swagger.json", ["definitions"]), v3: readV3 };
  for (const [version, read] of Object.entries(versions)) {
    test(`${version}: every definition equals`, () => {
      const expected: Record<string, unknown> = {};
      const actual: Record<string, unknown> = {};
      for (const [name, document] of Object.entries(read())) {
        if (scalarDefinitions.includes(name)) continue;
        expected[name] = plain(document);
        const schema = schemas.get(name);
        if (schema !== undefined) actual[name] = definition(schema, version === "v3");
      }
      assert.deepEqual(actual, expected);
    });
  }
});

describe("resources against upstream's discovery", { skip }, () => {
  const files = skip === false ? readdirSync(new URL("discovery/", dataFolder)) : [];
  for (const file of files.filter((name) => /^(api__|apis__.+__)/.test(name))) {
    test(file, () => {
      const document = JSON.parse(
        readFileSync(new URL(`discovery/${file}`, dataFolder), "utf8"),
      ) as { groupVersion: string; resources: Record<string, unknown>[] };
      const expected = document.resources.map(({ storageVersionHash: _, ...entry }) => entry);
      const served = resources.filter(
        ({ group, version }) =>
          (group === "" ? version : `${group}/${version}`) === document.groupVersion,
      );
      assert.deepEqual(
        served.flatMap(discoveryEntries).toSorted(byName),
        expected.toSorted(byName),
      );
    });
  }
});

test("every version of a kind answers a delete alike", () => {
  for (const versions of Map.groupBy(resources, ({ storage }) => storage.prefix).values()) {
    const answers = new Set(versions.map(({ strategy }) => strategy.deleteReturnsObject));
    assert.equal(answers.size, 1, versions[0]?.plural);
  }
});

function byName(a: Record<string, unknown>, b: Record<string, unknown>): number {
  return String(a["name"]) < String(b["name"]) ? -1 : 1;
}

function discoveryEntries(resource: (typeof resources)[number]): Record<string, unknown>[] {
  const namespaced = resource.scope === "Namespaced";
  const main = {
    name: resource.plural,
    singularName: resource.singular,
    namespaced,
    kind: resource.kind,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 && { shortNames: resource.shortNames }),
    ...(resource.categories.length > 0 && { categories: resource.categories }),
  };
  const nested = Object.entries(resource.subresources).map(([name, { verbs, kind }]) => ({
    name: `${resource.plural}/${name}`,
    singularName: "",
    namespaced,
    kind: kind?.kind ?? resource.kind,
    verbs,
    ...(kind !== undefined &&
      (kind.group !== resource.group || kind.version !== resource.version) && {
        group: kind.group,
        version: kind.version,
      }),
  }));
  return [main, ...nested];
}
