import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import type { Document } from "#apimachinery/openapi/document.ts";
import { createOpenApi, type OpenApi } from "#apimachinery/openapi/documents.ts";
import type { HttpClient, HttpRequestOptions, HttpResponse } from "#base/http.ts";
import { createRemoteDocuments, type Documents } from "./remote-documents.ts";
import { fetchOpenApi } from "./remote-openapi.ts";

const v2 = {
  swagger: "2.0",
  info: { title: "Metrics", version: "v1" },
  paths: {
    "/apis/metrics.example.com/v1/nodes": { get: { produces: ["application/json"], responses: { 200: { schema: { $ref: "#/definitions/Node" } } } } },
    "/apis/other.example.com/v1/things": { get: { responses: { 200: { schema: { $ref: "#/definitions/Thing" } } } } },
  },
  definitions: { Node: { type: "object" }, Thing: { type: "object" } },
};

/** A server with documents by path, each with an ETag; notes what it was asked and whether that was news. */
function serverOf(documents: Readonly<Record<string, object>>, asked: string[]): HttpClient {
  return {
    async request({ path, headers = {} }: HttpRequestOptions) {
      const document = documents[path];
      const etag = `"${JSON.stringify(document ?? null).length}"`;
      const status = document === undefined ? 404 : headers["if-none-match"] === etag ? 304 : 200;
      asked.push(`${path} ${status}`);
      return {
        status,
        headers: status === 404 ? {} : { etag },
        headerValues: () => [],
        body: (async function* () {})(),
        readAll: async () => Buffer.from(JSON.stringify(document)),
        discard() {},
      } satisfies HttpResponse;
    },
    upgrade: () => Promise.reject(new Error("no upgrades")),
    reconnect() {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const groupVersion = { group: "metrics.example.com", version: "v1" };
const v3Url = "/openapi/v3/apis/metrics.example.com/v1?hash=1";
const v3Index = { paths: { "apis/metrics.example.com/v1": { serverRelativeURL: v3Url } } };

test("of another server's documents those of the group version are kept, and asked for again only when they change", async () => {
  const asked: string[] = [];
  const client = serverOf({ "/openapi/v3": v3Index, "/openapi/v2": v2 }, asked);
  const first = await fetchOpenApi(client, groupVersion);
  assert.equal(first.v3Url, v3Url);
  assert.deepEqual(first.swagger?.["definitions"], { Node: { type: "object" } });
  assert.equal(await fetchOpenApi(client, groupVersion, first), first);
  assert.deepEqual(asked.filter((each) => each.startsWith("/openapi/v2")), ["/openapi/v2 200", "/openapi/v2 304"]);
  assert.deepEqual(await fetchOpenApi(serverOf({}, []), groupVersion, first), {});
});

function ours(): OpenApi {
  const api = createOpenApi({ kinds: [] });
  api.setGroupVersion(configMaps, [configMaps]);
  return api;
}

function jsonOf(document: Document | undefined): Record<string, Record<string, object>> {
  return JSON.parse(Buffer.from(document?.bytes ?? "{}").toString()) as Record<string, Record<string, object>>;
}

async function merged(documents: Readonly<Record<string, object>>): Promise<Documents> {
  const remote = await fetchOpenApi(serverOf(documents, []), groupVersion);
  return createRemoteDocuments()(ours(), new Map([["metrics.example.com/v1", remote]]));
}

test("another server's v3 document is named in the index, and its v2 document merged into ours", async () => {
  const documents = await merged({ "/openapi/v3": v3Index, "/openapi/v2": v2 });
  const { paths } = jsonOf(documents.v3Index());
  assert.deepEqual(paths?.["apis/metrics.example.com/v1"], { serverRelativeURL: v3Url });
  assert.ok(paths["api/v1"] !== undefined);
  assert.equal(documents.v3("apis/metrics.example.com/v1"), undefined);
  const swagger = jsonOf(documents.v2());
  assert.ok(swagger["paths"]?.["/apis/metrics.example.com/v1/nodes"] !== undefined);
  assert.ok(swagger["definitions"]?.["Node"] !== undefined && swagger["definitions"]["Thing"] === undefined);
  assert.equal(documents.v2Proto().hash, documents.v2().hash);
});

test("a server that has v2 alone gets a v3 document made of that", async () => {
  const documents = await merged({ "/openapi/v2": v2 });
  const name = "apis/metrics.example.com/v1";
  const { info, components } = jsonOf(documents.v3(name));
  assert.deepEqual([info, components], [v2.info, { schemas: { Node: { type: "object" } } }]);
  const { paths } = jsonOf(documents.v3Index());
  assert.deepEqual(paths?.[name], { serverRelativeURL: `/openapi/v3/${name}?hash=${documents.v3Hash(name)}` });
  assert.equal(documents.v3Proto(name)?.hash, documents.v3Hash(name));
});

test("documents are merged anew when a server or we have something new to say", async () => {
  const documentsOf = createRemoteDocuments();
  const own = ours();
  const remote = await fetchOpenApi(serverOf({ "/openapi/v2": v2 }, []), groupVersion);
  const first = documentsOf(own, new Map([["metrics.example.com/v1", remote]]));
  assert.equal(documentsOf(own, new Map([["metrics.example.com/v1", remote]])), first);
  assert.notEqual(documentsOf(own, new Map([["metrics.example.com/v1", { ...remote }]])), first);
  const second = documentsOf(own, new Map([["metrics.example.com/v1", remote]]));
  own.removeGroupVersion(configMaps);
  assert.notEqual(documentsOf(own, new Map([["metrics.example.com/v1", remote]])), second);
  assert.equal(documentsOf(own, new Map()), own);
});
