import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createHttpClient } from "#base/os/http-client.ts";
import { featureDefaults } from "#cmd/feature-defaults.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

const root = fileURLToPath(new URL("../../../shared/kubernetes-1.36/", import.meta.url));
const skip = existsSync(root) ? false : "upstream's documents are absent";
/** Upstream's documents are those of a server with every gate on that serves every version. */
const featureGates = Object.keys(featureDefaults).map((name) => `${name}=true`).join(",");

async function read(server: TestServer, path: string, accept = "application/json"): Promise<unknown> {
  await using client = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true } });
  const headers = { authorization: `Bearer ${server.token}`, accept };
  const response = await client.request({ method: "GET", path, headers });
  assert.equal(response.status, 200, path);
  return JSON.parse(Buffer.from(await response.readAll()).toString("utf8"));
}

test("discovery says what upstream's says", { skip }, async () => {
  await using server = await startTestServer({ featureGates, runtimeConfig: "api/all=true" });
  for (const file of readdirSync(`${root}discovery`)) {
    const wanted = JSON.parse(readFileSync(`${root}discovery/${file}`, "utf8")) as object;
    if (file === "aggregated_v2.json") {
      const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
      const { items } = (await read(server, "/apis", accept)) as { items: Named[] };
      const all = byName((wanted as { items: Named[] }).items);
      for (const [i, item] of byName(items).entries()) assert.deepEqual(item, all[i], item.metadata?.name);
      assert.equal(items.length, all.length);
      continue;
    }
    const path = `/${file.replace(".json", "").replaceAll("__", "/")}`;
    const found = (await read(server, path)) as object;
    assert.deepEqual(comparable(found), comparable(wanted), path);
  }
});

interface Named {
  readonly metadata?: { readonly name?: string };
}

function byName(items: readonly Named[]): readonly Named[] {
  const nameOf = (item: Named): string => item.metadata?.name ?? "";
  return items.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** The server's address is its own, and the order of groups is not said. */
function comparable(document: object): object {
  const { serverAddressByClientCIDRs: _address, ...rest } = document as Record<string, unknown>;
  const { groups } = rest as { groups?: { name: string }[] };
  if (groups === undefined) return rest;
  return { ...rest, groups: groups.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

test("every OpenAPI v3 document of upstream's is served, at the address that the index names", { skip }, async () => {
  await using server = await startTestServer({ featureGates, runtimeConfig: "api/all=true" });
  const { paths } = (await read(server, "/openapi/v3")) as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  for (const file of readdirSync(`${root}openapi-v3`)) {
    const name = file.replace("_openapi.json", "").replaceAll("__", "/");
    const url = paths[name]?.serverRelativeURL;
    assert.ok(url !== undefined, name);
    const wanted = JSON.parse(readFileSync(`${root}openapi-v3/${file}`, "utf8")) as OpenApiDocument;
    const found = (await read(server, url)) as OpenApiDocument;
    assert.deepEqual(operationsOf(found), operationsOf(wanted), name);
    assert.deepEqual(schemaNames(found), schemaNames(wanted), name);
  }
});

interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

function operationsOf({ paths }: OpenApiDocument): string[] {
  const all = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  return all.toSorted();
}

function schemaNames({ components }: OpenApiDocument): string[] {
  return Object.keys(components?.schemas ?? {}).toSorted();
}
