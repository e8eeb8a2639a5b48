import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { HttpExchange } from "#base/http.ts";
import type { ResourceTarget } from "#client/client.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { startTestServer, type TestServer } from "./extension-fixture.ts";

type Json = Record<string, unknown>;
type Shirt = KubeObject & { spec: { size?: number; width?: number } };

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server[Symbol.asyncDispose]());

const crds: ResourceTarget = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  scope: "Cluster",
};

function shirts(version: string): ResourceTarget {
  return { group: "example.com", version, plural: "shirts", kind: "Shirt", scope: "Namespaced" };
}

function schemaWith(field: string): Json {
  const spec = { type: "object", properties: { [field]: { type: "integer" } } };
  return { openAPIV3Schema: { type: "object", properties: { spec } } };
}

function shirtDefinition(url: string): KubeObject {
  return {
    metadata: { name: "shirts.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "shirts", kind: "Shirt" },
      versions: [
        { name: "v1", served: true, storage: true, schema: schemaWith("size") },
        { name: "v2", served: true, storage: false, schema: schemaWith("width") },
      ],
      conversion: {
        strategy: "Webhook",
        webhook: {
          conversionReviewVersions: ["v1"],
          clientConfig: { url, caBundle: Buffer.from(server.pki.caPem).toString("base64") },
        },
      },
    },
  } as KubeObject;
}

/** v1 has a size, v2 has it as width, in halves. */
class Tailor {
  calls = 0;
  broken = false;

  readonly handle = async (exchange: HttpExchange): Promise<void> => {
    this.calls++;
    const { request } = JSON.parse(Buffer.from(await exchange.readBody(1 << 24)).toString()) as {
      request: { uid: string; desiredAPIVersion: string; objects: Shirt[] };
    };
    const result = this.broken ? { status: "Failure", message: "out of cloth" } : { status: "Success" };
    const convertedObjects = request.objects.map(({ spec, ...object }) => ({
      ...object,
      apiVersion: request.desiredAPIVersion,
      spec: request.desiredAPIVersion.endsWith("v2")
        ? { width: (spec.size ?? 0) * 2 }
        : { size: (spec.width ?? 0) / 2 },
    }));
    const response = { uid: request.uid, result, convertedObjects };
    const review = { kind: "ConversionReview", apiVersion: "apiextensions.k8s.io/v1", response };
    exchange.respond(200, { "content-type": "application/json" }, JSON.stringify(review));
  };
}

test("a conversion webhook serves a thousand objects in lists and watches", async () => {
  const tailor = new Tailor();
  const port = await server.serve(tailor.handle);
  const { client } = server;
  await client.dynamic(crds).create(shirtDefinition(`https://127.0.0.1:${port}/convert`));
  const [v1, v2] = [client.dynamic(shirts("v1")), client.dynamic(shirts("v2"))];
  const names = Array.from({ length: 1000 }, (_, i) => `s${i}`);
  for (let at = 0; at < names.length; at += 50) {
    const batch = names.slice(at, at + 50);
    await Promise.all(
      batch.map((name, i) =>
        v1.create({ metadata: { namespace: "default", name }, spec: { size: at + i } } as KubeObject),
      ),
    );
  }
  assert.equal(tailor.calls, 0);
  const list = await v2.list();
  assert.equal(list.items.length, 1000);
  assert.equal(tailor.calls, 1);
  const widths = new Set(list.items.map((item) => (item as Shirt).spec.width));
  assert.deepEqual(widths, new Set(names.map((_, i) => i * 2)));

  const seen = Promise.withResolvers<Shirt>();
  using _watch = v2.watch(
    { resourceVersion: list.resourceVersion },
    {
      onEvent: (event) => seen.resolve(event.object as Shirt),
      onClosed: (error) => seen.reject(error ?? new Error("closed")),
    },
  );
  const made = await v2.create({ metadata: { namespace: "default", name: "wide" }, spec: { width: 8 } } as KubeObject);
  assert.deepEqual((made as Shirt).spec, { width: 8 });
  assert.deepEqual((await seen.promise).spec, { width: 8 });
  assert.deepEqual(((await v1.get("default/wide")) as Shirt).spec, { size: 4 });

  tailor.broken = true;
  await assert.rejects(
    v2.create({ metadata: { namespace: "default", name: "torn" }, spec: { width: 2 } } as KubeObject),
    {
      message: "conversion webhook for example.com/v2, Kind=Shirt failed: out of cloth",
    },
  );
  assert.equal((await v1.list()).items.length, 1001);
  await losesNothing(server, tailor);
  await client.dynamic(crds).delete("shirts.example.com");
});

/** What is written while the webhook fails comes through it once it is back. */
async function losesNothing({ client }: TestServer, tailor: Tailor): Promise<void> {
  const [v1, v2] = [client.dynamic(shirts("v1")), client.dynamic(shirts("v2"))];
  const { resourceVersion } = await v1.list({ limit: 1 });
  const interrupted = Promise.withResolvers<void>();
  const early: string[] = [];
  using _broken = v2.watch({ resourceVersion }, {
    onEvent: (event) => void (event.type === "ADDED" && early.push((event.object as Shirt).metadata?.name ?? "")),
    onClosed: () => interrupted.resolve(),
  });
  await v1.create({ metadata: { namespace: "default", name: "meanwhile" }, spec: { size: 5 } } as KubeObject);
  await interrupted.promise;
  await assert.rejects(v2.list(), { message: "conversion webhook for example.com/v1, Kind=Shirt failed: out of cloth" });
  assert.deepEqual(early, []);
  tailor.broken = false;
  const seen = Promise.withResolvers<Shirt>();
  using _mended = v2.watch({ resourceVersion }, {
    onEvent: (event) => seen.resolve(event.object as Shirt),
    onClosed: (error) => seen.reject(error ?? new Error("closed")),
  });
  const { metadata, spec } = await seen.promise;
  assert.deepEqual([metadata?.name, spec], ["meanwhile", { width: 10 }]);
  assert.equal((await v2.list()).items.length, 1002);
}

/** A server of one kind that is no API server of ours at all. */
function flavours(seen: HttpExchange[]): (exchange: HttpExchange) => void {
  const documents: Record<string, object> = {
    "/apis/ice.example.com/v1": {
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: "ice.example.com/v1",
      resources: [
        { name: "flavors", singularName: "flavor", namespaced: true, kind: "Flavor", verbs: ["get", "list"] },
      ],
    },
    "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
    "/openapi/v3": {
      paths: { "apis/ice.example.com/v1": { serverRelativeURL: "/openapi/v3/apis/ice.example.com/v1?hash=X" } },
    },
    "/openapi/v3/apis/ice.example.com/v1": { openapi: "3.0.0", info: { title: "ice" } },
    "/openapi/v2": {
      swagger: "2.0",
      paths: { "/apis/ice.example.com/v1/flavors": {}, "/healthz": {} },
      definitions: { Flavor: { type: "object" } },
    },
    "/apis/ice.example.com/v1/namespaces/default/flavors/mint": {
      kind: "Flavor",
      apiVersion: "ice.example.com/v1",
      metadata: { name: "mint", namespace: "default" },
    },
  };
  return (exchange) => {
    seen.push(exchange);
    const document = documents[exchange.url.split("?")[0] ?? ""];
    if (exchange.url.endsWith("/away")) exchange.respond(302, { location: "https://example.com/" });
    else if (document === undefined) exchange.respond(404, {});
    else exchange.respond(200, { "content-type": "application/json" }, JSON.stringify(document));
  };
}

/** Endpoints may not be on loopback, so the Service leads there by name. */
async function exposeService(): Promise<void> {
  const core = { group: "", version: "v1", scope: "Namespaced" } as const;
  await server.client.dynamic({ ...core, plural: "services", kind: "Service" }).create({
    metadata: { namespace: "default", name: "ext" },
    spec: { type: "ExternalName", externalName: "localhost" },
  } as KubeObject);
}

test("an extension server is discovered, served under the caller's name, and missed", async () => {
  const seen: HttpExchange[] = [];
  const port = await server.serve(flavours(seen));
  const services: ResourceTarget = {
    group: "apiregistration.k8s.io",
    version: "v1",
    plural: "apiservices",
    kind: "APIService",
    scope: "Cluster",
  };
  const api = server.client.dynamic(services);
  await api.create({
    metadata: { name: "v1.ice.example.com" },
    spec: {
      group: "ice.example.com",
      version: "v1",
      groupPriorityMinimum: 2000,
      versionPriority: 15,
      service: { namespace: "default", name: "ext", port },
      caBundle: Buffer.from(server.pki.caPem).toString("base64"),
    },
  } as KubeObject);
  const missed = await availability(server, (is) => is.reason === "ServiceNotFound");
  assert.equal(missed.message, 'service/ext in "default" is not present');
  const { status, text } = await server.get("/apis/ice.example.com/v1");
  assert.deepEqual([status, text], [503, "service unavailable\n"]);
  await exposeService();
  assert.equal((await availability(server, (is) => is.status === "True")).reason, "Passed");

  const path = "/apis/ice.example.com/v1/namespaces/default/flavors/mint";
  const found = await server.get(path, {
    "x-remote-user": "mallory",
    "x-remote-extra-scope": "all",
    "x-remote-group": "thieves",
  });
  assert.equal(found.status, 200);
  const { headers } = seen.at(-1) as HttpExchange;
  assert.equal(headers["x-remote-user"], "admin");
  assert.equal(headers["x-remote-extra-scope"], undefined);
  assert.deepEqual(seen.at(-1)?.headerValues("x-remote-group"), ["system:masters", "system:authenticated"]);
  assert.equal(seen.at(-1)?.peerCertificate?.commonName, "front-proxy-client");
  assert.equal((await server.get(`${path}/away`)).status, 502);

  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const aggregated = JSON.parse((await server.get("/apis", { accept })).text) as {
    items: { metadata: { name: string }; versions: Json[] }[];
  };
  const group = aggregated.items.find(({ metadata }) => metadata.name === "ice.example.com");
  assert.equal(group?.versions[0]?.["freshness"], "Current");
  const resources = group?.versions[0]?.["resources"] as Json[] | undefined;
  const resource = resources?.[0];
  assert.deepEqual(resource?.["responseKind"], { group: "ice.example.com", version: "v1", kind: "Flavor" });
  const plain = JSON.parse((await server.get("/apis")).text) as { groups: { name: string }[] };
  assert.ok(plain.groups.some(({ name }) => name === "ice.example.com"));

  const index = JSON.parse((await server.get("/openapi/v3")).text) as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const url = index.paths["apis/ice.example.com/v1"]?.serverRelativeURL ?? "";
  assert.equal(JSON.parse((await server.get(url)).text).info.title, "ice");
  const swagger = JSON.parse((await server.get("/openapi/v2")).text) as { paths: Json; definitions: Json };
  assert.ok("/apis/ice.example.com/v1/flavors" in swagger.paths && "Flavor" in swagger.definitions);
  assert.ok("/api/v1/pods" in swagger.paths && !("/healthz" in swagger.paths));

  const flavors: ResourceTarget = {
    group: "ice.example.com",
    version: "v1",
    plural: "flavors",
    kind: "Flavor",
    scope: "Namespaced",
  };
  const mint = await server.loopback
    .as({ name: "gc", groups: ["system:masters"] })
    .dynamic(flavors)
    .get("default/mint");
  assert.equal(mint.metadata?.name, "mint");
  assert.equal(seen.at(-1)?.headers["x-remote-user"], "gc");

  await server.client
    .dynamic({ group: "", version: "v1", plural: "services", kind: "Service", scope: "Namespaced" })
    .delete("default/ext");
  await availability(server, (is) => is.reason === "ServiceNotFound");
  assert.equal((await server.get(path)).status, 503);
  await api.delete("v1.ice.example.com");
});

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** The Available condition once it is as wanted. */
async function availability({ client }: TestServer, wanted: (is: Condition) => boolean): Promise<Condition> {
  const found = Promise.withResolvers<Condition>();
  const api = client.dynamic({
    group: "apiregistration.k8s.io",
    version: "v1",
    plural: "apiservices",
    kind: "APIService",
    scope: "Cluster",
  });
  using _watch = api.watch(
    { fieldSelector: "metadata.name=v1.ice.example.com" },
    {
      onEvent(event) {
        const { status } = event.object as KubeObject & { status?: { conditions?: Condition[] } };
        const condition = status?.conditions?.find(({ type }) => type === "Available");
        if (condition !== undefined && wanted(condition)) found.resolve(condition);
      },
      onClosed: (error) => found.reject(error ?? new Error("closed")),
    },
  );
  return await found.promise;
}
