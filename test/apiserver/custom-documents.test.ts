import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createHttpClient } from "#base/os/http-client.ts";
import type { HttpClient } from "#base/http.ts";
import { differences } from "./document-differences.ts";
import { startTestServer } from "./server-fixture.ts";

interface Golden {
  readonly definition: { readonly metadata: { readonly name: string } };
  /** By version. Paths where they are told of; descriptions are left out. */
  readonly documents: Readonly<
    Record<string, { readonly v3: { readonly paths?: object; readonly schemas: object }; readonly v2: { readonly definitions: object } }>
  >;
}

/** What apiextensions-apiserver pkg/controller/openapi/builder makes of the definition, and kube-openapi's PruneDefaults of v2. */
const golden = JSON.parse(readFileSync(new URL("custom-documents.golden.json", import.meta.url), "utf8")) as Golden;

async function ask(client: HttpClient, path: string, body?: object): Promise<unknown> {
  const headers = { accept: "application/json", "content-type": "application/json" };
  const method = body === undefined ? "GET" : "POST";
  const response = await client.request({ method, path, headers, ...(body && { body: JSON.stringify(body) }) });
  assert.ok(response.status < 300, `${path} ${response.status}`);
  return JSON.parse(Buffer.from(await response.readAll()).toString());
}

/** Only the kinds of the definition itself. */
function ownOf(definitions: Readonly<Record<string, unknown>>, version: string): object {
  return Object.fromEntries(Object.entries(definitions).filter(([name]) => name.startsWith(`com.example.stable.${version}.`)));
}

test("documents of custom resources are those that upstream's builder makes", async () => {
  await using server = await startTestServer();
  await using client = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  await ask(client, definitions, golden.definition);
  const { name } = golden.definition.metadata;
  const watch = `${definitions}?watch=true&timeoutSeconds=20&fieldSelector=metadata.name=${name}`;
  const changes = await client.request({ method: "GET", path: watch, headers: {} });
  let seen = "";
  for await (const chunk of changes.body) {
    seen += Buffer.from(chunk).toString();
    if (/"type":"Established","status":"True"|"status":"True"[^}]*"type":"Established"/.test(seen)) break;
  }
  const swagger = (await ask(client, "/openapi/v2")) as { definitions: Record<string, unknown> };
  for (const [version, { v3, v2 }] of Object.entries(golden.documents)) {
    const { paths, components } = (await ask(client, `/openapi/v3/apis/stable.example.com/${version}`)) as {
      paths: object;
      components: { schemas: Record<string, unknown> };
    };
    const found = { ...(v3.paths !== undefined && { paths }), schemas: ownOf(components.schemas, version) };
    assert.deepEqual(differences(found, v3), [], `v3 of ${version}`);
    assert.deepEqual(differences({ definitions: ownOf(swagger.definitions, version) }, v2), [], `v2 of ${version}`);
  }
});
