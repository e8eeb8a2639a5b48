import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Scale } from "#api/autoscaling/v1/scale.ts";
import { otherGroupVersions, otherKinds, resources } from "#api/registry.ts";
import { kind, req } from "../schema.ts";
import { ObjectMeta } from "../meta/object-meta.ts";
import { defineResource, type ResourceDefinition } from "../resource.ts";
import type { Document } from "./document.ts";
import { createOpenApi, type OpenApi } from "./documents.ts";
import type { Json } from "./definitions.ts";

const root = fileURLToPath(new URL("../../../../shared/kubernetes-1.36/", import.meta.url));
const skip = existsSync(root) ? false : "upstream's OpenAPI documents are absent";

function builtins(): OpenApi {
  const api = createOpenApi({ kinds: otherKinds, otherGroupVersions });
  const byVersion = Map.groupBy(resources, ({ group, version }) => `${group}/${version}`);
  for (const list of byVersion.values())
    if (list[0] !== undefined) api.setGroupVersion(list[0], list);
  return api;
}

function jsonOf({ bytes }: Document): Json {
  return JSON.parse(Buffer.from(bytes).toString()) as Json;
}

/** Without descriptions, which are ours, and with shared parameters in place. Members sorted. */
function comparable(value: unknown, document: Json, inside = ""): unknown {
  if (Array.isArray(value)) return value.map((each) => comparable(each, document));
  if (typeof value !== "object" || value === null) return value;
  const json = value as Json;
  const ref = json["$ref"];
  if (inside !== "properties" && typeof ref === "string" && ref.startsWith("#/parameters/")) {
    const shared = document["parameters"] as Json;
    return comparable(shared[ref.slice("#/parameters/".length)], document);
  }
  const entries = Object.entries(unwrapped(json))
    .filter(
      ([key, each]) => inside === "properties" || key !== "description" || typeof each !== "string",
    )
    .map(([key, each]): [string, unknown] => [
      key,
      comparable(each, document, inside === "properties" ? "" : key),
    ]);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A reference needs no wrapping where only its description stood beside it. */
function unwrapped(json: Json): Json {
  const { allOf, description: _description, ...rest } = json;
  if (!Array.isArray(allOf) || allOf.length !== 1 || Object.keys(rest).length > 0) return json;
  return allOf[0] as Json;
}

test("v3 documents say what upstream's say", { skip }, () => {
  const api = builtins();
  const files = readdirSync(`${root}openapi-v3`);
  assert.ok(files.length > 60);
  for (const file of files) {
    const name = file.replace("_openapi.json", "").replaceAll("__", "/");
    const upstream = JSON.parse(readFileSync(`${root}openapi-v3/${file}`, "utf8")) as Json;
    const document = api.v3(name);
    assert.ok(document !== undefined, name);
    const ours = jsonOf(document);
    assert.deepEqual(comparable(ours, ours), comparable(upstream, upstream), name);
  }
});

test("the v2 document says what upstream's says", { skip }, () => {
  const upstream = JSON.parse(readFileSync(`${root}swagger.json`, "utf8")) as Json;
  const ours = jsonOf(builtins().v2());
  // Which parameters are shared depends on their descriptions: they were compared in place.
  const { parameters: _ours, ...left } = comparable(ours, ours) as Json;
  const { parameters: _upstream, ...right } = comparable(upstream, upstream) as Json;
  for (const key of Object.keys(right)) assert.deepEqual(left[key], right[key], key);
});

const cronTabs: ResourceDefinition = defineResource({
  group: "stable.example.com",
  version: "v1",
  kind: "CronTab",
  plural: "crontabs",
  scope: "Namespaced",
  schema: kind("com.example.stable.v1.CronTab", { metadata: req(1, ObjectMeta) }),
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
    scale: {
      verbs: ["get", "patch", "update"],
      kind: { group: "autoscaling", version: "v1", kind: "Scale" },
      schema: Scale,
    },
  },
  fieldSelectors: { "spec.a": () => "" },
  custom: {
    preserveUnknownFields: false,
    structural: {
      type: "object",
      properties: {
        spec: {
          type: "object",
          required: ["a", "maybe"],
          properties: {
            a: { type: "string" },
            maybe: { type: "string", nullable: true },
            mixed: { default: 1, "x-kubernetes-int-or-string": true },
            port: { anyOf: [{ type: "integer" }], "x-kubernetes-int-or-string": true },
            free: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: {} },
            object: { type: "object", "x-kubernetes-embedded-resource": true },
          },
        },
      },
    },
  },
});

test("custom resources come and go", () => {
  const api = createOpenApi({ kinds: [] });
  const before = api.v3Index();
  api.setGroupVersion(cronTabs, [cronTabs]);
  const document = api.v3("apis/stable.example.com/v1");
  assert.ok(document !== undefined);
  const { paths } = jsonOf(document);
  const base = "/apis/stable.example.com/v1";
  assert.deepEqual(Object.keys(paths as Json), [
    `${base}/crontabs`,
    `${base}/namespaces/{namespace}/crontabs`,
    `${base}/namespaces/{namespace}/crontabs/{name}`,
    `${base}/namespaces/{namespace}/crontabs/{name}/scale`,
    `${base}/namespaces/{namespace}/crontabs/{name}/status`,
  ]);
  const item = (paths as Record<string, Record<string, Json>>)[
    `${base}/namespaces/{namespace}/crontabs/{name}`
  ];
  assert.equal(item?.["patch"]?.["operationId"], "patchStableExampleComV1NamespacedCronTab");
  assert.deepEqual(item["patch"]["tags"], ["stableExampleCom_v1"]);
  const index = jsonOf(api.v3Index())["paths"] as Record<string, Json>;
  assert.equal(
    index["apis/stable.example.com/v1"]?.["serverRelativeURL"],
    `/openapi/v3/apis/stable.example.com/v1?hash=${document.hash}`,
  );
  api.removeGroupVersion(cronTabs);
  assert.equal(api.v3("apis/stable.example.com/v1"), undefined);
  assert.equal(api.v3("apis/stable.example.com"), undefined);
  assert.equal(api.v3Index().hash, before.hash);
});

test("documents of custom resources are those of upstream's server of extensions", () => {
  const api = createOpenApi({ kinds: [], version: "1.36" });
  api.setGroupVersion(cronTabs, [cronTabs]);
  const document = api.v3("apis/stable.example.com/v1");
  assert.ok(document !== undefined);
  const { info, paths, components } = jsonOf(document) as {
    info: Json;
    paths: Record<string, { get: Json & { parameters: Json[] } }>;
    components: { schemas: Record<string, Json & { properties: Record<string, { properties: Json }> }> };
  };
  assert.deepEqual(info, { title: "Kubernetes CRD Swagger", version: "v0.1.0" });
  assert.deepEqual(Object.keys(components), ["schemas"]);
  const item = "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}";
  assert.deepEqual(paths[item]?.get.parameters.map(({ name }) => name), ["resourceVersion"]);
  const kindOfScale = paths[`${item}/scale`]?.get["x-kubernetes-group-version-kind"];
  assert.deepEqual(kindOfScale, { group: "stable.example.com", kind: "CronTab", version: "v1" });
  const { "com.example.stable.v1.CronTab": schema, "io.k8s.api.autoscaling.v1.Scale": scale } = components.schemas;
  assert.ok(schema !== undefined && scale !== undefined);
  assert.deepEqual(schema["x-kubernetes-selectable-fields"], [{ fieldPath: "spec.a" }]);
  const spec = schema.properties["spec"];
  assert.ok(spec !== undefined);
  assert.deepEqual(spec.properties["mixed"], {
    anyOf: [{ type: "integer" }, { type: "string" }],
    default: 1,
    "x-kubernetes-int-or-string": true,
  });
  assert.deepEqual(spec.properties["port"], {
    anyOf: [{ type: "integer" }],
    allOf: [{ anyOf: [{ type: "integer" }, { type: "string" }] }],
    "x-kubernetes-int-or-string": true,
  });
});

test("v2 leaves out what its readers cannot take", () => {
  const api = createOpenApi({ kinds: [] });
  api.setGroupVersion(cronTabs, [cronTabs]);
  const definitions = jsonOf(api.v2())["definitions"] as Record<string, Json>;
  const ref = { $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" };
  const text = { type: "string" };
  assert.deepEqual(comparable(definitions["com.example.stable.v1.CronTab"], {}), {
    type: "object",
    properties: {
      apiVersion: text,
      kind: text,
      metadata: ref,
      spec: {
        type: "object",
        required: ["a"],
        properties: {
          a: text,
          maybe: {},
          mixed: { "x-kubernetes-int-or-string": true },
          port: { "x-kubernetes-int-or-string": true },
          free: { "x-kubernetes-preserve-unknown-fields": true },
          object: {
            type: "object",
            "x-kubernetes-embedded-resource": true,
            required: ["kind", "apiVersion"],
            properties: { apiVersion: text, kind: text, metadata: ref },
          },
        },
      },
    },
    "x-kubernetes-group-version-kind": [
      { group: "stable.example.com", kind: "CronTab", version: "v1" },
    ],
    "x-kubernetes-selectable-fields": [{ fieldPath: "spec.a" }],
  });
});
