import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { HttpClient } from "#base/http.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { type Api, createApi, type Objects, refused } from "../script/api.ts";
import { encodings, type Thing } from "../script/encoding.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

// What becomes of instances and watches when their definition changes.

let server: TestServer;
let http: HttpClient;
let api: Api;

before(async () => {
  server = await startTestServer();
  http = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
  api = createApi(http, encodings.json);
});

after(async () => {
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

let count = 0;

interface Custom {
  readonly group: string;
  readonly name: string;
  readonly definitions: Objects;
  objects(version?: string): Objects;
}

type Versions = readonly { readonly name: string; readonly storage: boolean; readonly spec: object }[];

function versionsOf(versions: Versions): object[] {
  return versions.map(({ name, storage, spec }) => ({
    name,
    served: true,
    storage,
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: "object", properties: { spec, status: { type: "object", properties: { phase: { type: "string" } } } } } },
  }));
}

async function define(versions: Versions): Promise<Custom> {
  const group = `updates${++count}.example.com`;
  const definitions = api.objects("apiextensions.k8s.io/v1", "customresourcedefinitions", "");
  const name = `foos.${group}`;
  const names = { plural: "foos", kind: "Foo" };
  await definitions.create({ metadata: { name }, spec: { group, scope: "Cluster", names, versions: versionsOf(versions) } });
  return { group, name, definitions, objects: (version = "v1") => api.objects(`${group}/${version}`, "foos", "", "Foo") };
}

async function redefine({ definitions, name }: Custom, versions: Versions): Promise<Thing> {
  return definitions.patch(name, { type: "merge", body: { spec: { versions: versionsOf(versions) } } });
}

const v1 = (spec: object): Versions => [{ name: "v1", storage: true, spec }];
const text = { type: "string" };
const loose = {
  type: "object",
  properties: { name: text, count: { type: "integer" }, other: text, box: { type: "object", properties: { a: text, b: text } }, list: { type: "array", items: text } },
};
const tight = {
  type: "object",
  properties: {
    name: { ...text, maxLength: 3, pattern: "^a" },
    count: { type: "integer", maximum: 3 },
    other: text,
    box: { type: "object", required: ["b"], properties: { a: { ...text, enum: ["2"] }, b: text } },
    list: { type: "array", items: text, "x-kubernetes-list-type": "set" },
  },
};

test("what was valid once may stay, and not get worse", async () => {
  const custom = await define(v1(loose));
  const objects = custom.objects();
  await objects.create({ metadata: { name: "x" }, spec: { name: "too long", count: 5, box: { a: "1" }, list: ["a", "a"] } });
  await redefine(custom, v1(tight));
  const merge = (body: object, subresource?: string) => objects.patch("x", { type: "merge", body, ...(subresource && { subresource }) });
  await merge({ metadata: { labels: { a: "b" } } });
  await merge({ status: { phase: "fine" } }, "status");
  await merge({ spec: { other: "new" } });
  await merge({ spec: { box: { b: "there" } } });
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ name: "too" }, /spec\.name: Invalid value: "too": .* should match '\^a'/],
    [{ count: 4 }, /spec\.count: Invalid value: 4: .* less than or equal to 3/],
    [{ box: { a: "3" } }, /spec\.box\.a: Unsupported value: "3"/],
  ];
  for (const [spec, why] of wrong) assert.match((await refused(merge({ spec }), 422)).message ?? "", why);
  await merge({ spec: { name: "abc", count: 3, box: { a: "2" }, list: ["a"] } });
  assert.match((await refused(merge({ spec: { list: ["a", "a"] } }), 422)).message ?? "", /spec\.list\[1\]: Duplicate value/);
});

test("rules that come later warn of what stays as it is", async () => {
  const custom = await define(v1(loose));
  const objects = custom.objects();
  await objects.create({ metadata: { name: "x" }, spec: { name: "too long" } });
  const name = { ...text, "x-kubernetes-validations": [{ rule: "size(self) < 4", message: "too long a name" }] };
  await redefine(custom, v1({ type: "object", properties: { ...loose.properties, name } }));
  const path = `/apis/${custom.group}/v1/foos/x`;
  const body = Buffer.from('{"metadata":{"labels":{"a":"b"}}}');
  const { code, headers } = await api.ask("PATCH", path, { body, contentType: "application/merge-patch+json" });
  assert.deepEqual([code, headers["warning"]], [200, '299 - "spec.name: Invalid value: \\"too long\\": too long a name"']);
  const changed = objects.patch("x", { type: "merge", body: { spec: { name: "still too long" } } });
  assert.match((await refused(changed, 422)).message ?? "", /spec\.name: Invalid value: "still too long": too long a name/);
});

test("a watch ends when the schema changes; the next goes on from there, in the new form", async () => {
  const custom = await define(v1({ type: "object", properties: { a: text } }));
  const objects = custom.objects();
  using watch = await objects.watch();
  await objects.create({ metadata: { name: "before" }, spec: { a: "1", b: "pruned" } });
  const { object: seen } = await watch.next();
  assert.deepEqual(seen["spec"], { a: "1" });
  // Nobody reads while this comes and the schema changes.
  await objects.create({ metadata: { name: "between" }, spec: { a: "1" } });
  await redefine(custom, v1({ type: "object", properties: { a: text, b: { ...text, default: "new" } } }));
  await objects.create({ metadata: { name: "after" }, spec: { a: "1", c: "pruned" } });
  await assert.rejects(watch.until(({ object }) => object.metadata.name === "after"), /is over/);
  using next = await objects.watch({ resourceVersion: seen.metadata.resourceVersion ?? "" });
  const events = await next.until(({ object }) => object.metadata.name === "after");
  assert.deepEqual(events.map(({ type, object }) => [type, object.metadata.name, object["spec"]]), [
    ["ADDED", "between", { a: "1", b: "new" }],
    ["ADDED", "after", { a: "1", b: "new" }],
  ]);
  assert.deepEqual((await objects.get("before"))["spec"], { a: "1", b: "new" });
});

test("a watch ends when its version is no longer served", async () => {
  const versions = (served: boolean): object[] => {
    const [first, second] = versionsOf([...v1(loose), { name: "v2", storage: false, spec: loose }]);
    return [first ?? {}, { ...second, served }];
  };
  const custom = await define([...v1(loose), { name: "v2", storage: false, spec: loose }]);
  using watch = await custom.objects("v2").watch();
  await custom.definitions.patch(custom.name, { type: "merge", body: { spec: { versions: versions(false) } } });
  await assert.rejects(watch.next(), /is over/);
  assert.equal((await api.ask("GET", `/apis/${custom.group}/v2/foos`)).code, 404);
});

test("stored versions are remembered, and leave the definition only when the status gives them up", async () => {
  const custom = await define([...v1(loose), { name: "v2", storage: false, spec: loose }]);
  const { definitions, name } = custom;
  const swapped = [{ name: "v1", storage: false, spec: loose }, { name: "v2", storage: true, spec: loose }];
  assert.deepEqual((await redefine(custom, swapped))["status"] as object, {
    ...((await definitions.get(name))["status"] as object),
    storedVersions: ["v1", "v2"],
  });
  const alone = swapped.slice(1);
  const { message } = await refused(redefine(custom, alone), 422);
  assert.match(message ?? "", /status\.storedVersions\[0\]: Invalid value: "v1": missing from spec\.versions; v1 was previously a storage version/);
  await definitions.patch(name, { type: "merge", subresource: "status", body: { status: { storedVersions: ["v2"] } } });
  await redefine(custom, alone);
  assert.equal((await api.ask("GET", `/apis/${custom.group}/v1/foos`)).code, 404);
});

test("an update without resourceVersion is refused, of definitions and of instances", async () => {
  const custom = await define(v1(loose));
  const instance = await custom.objects().create({ metadata: { name: "x" } });
  const definition = await custom.definitions.get(custom.name);
  for (const [objects, object] of [[custom.objects(), instance], [custom.definitions, definition]] as const) {
    const { resourceVersion: _, ...metadata } = object.metadata;
    const { message } = await refused(objects.update({ ...object, metadata }), 422);
    assert.match(message ?? "", /metadata\.resourceVersion: Invalid value: 0: must be specified for an update/);
  }
});
