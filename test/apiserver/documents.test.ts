import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createHttpClient } from "#base/os/http-client.ts";
import { featureDefaults } from "#cmd/feature-defaults.ts";
import { differences } from "./document-differences.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

const root = fileURLToPath(new URL("../../../shared/kubernetes-1.36/", import.meta.url));
const skip = existsSync(root) ? false : "upstream's documents are absent";
/** Upstream's documents are those of a server that serves every version, with every gate but one (hack/update-openapi-spec.sh). */
const everything = {
  featureGates: Object.keys(featureDefaults).map((name) => `${name}=${name !== "OpenAPIEnums"}`).join(","),
  runtimeConfig: "api/all=true",
};

async function read(server: TestServer, path: string, accept = "application/json"): Promise<unknown> {
  await using client = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true } });
  const headers = { authorization: `Bearer ${server.token}`, accept };
  const response = await client.request({ method: "GET", path, headers });
  assert.equal(response.status, 200, path);
  return JSON.parse(Buffer.from(await response.readAll()).toString("utf8"));
}

test("discovery says what upstream's says", { skip }, async () => {
  await using server = await startTestServer(everything);
  for (const file of readdirSync(`${root}discovery`)) {
    const wanted = JSON.parse(readFileSync(`${root}discovery/${file}`, "utf8")) as object;
    if (file === "aggregated_v2.json") {
      const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
      const { items } = (await read(server, "/apis", accept)) as { items: Named[] };
      const { items: all } = wanted as { items: Named[] };
      assert.deepEqual(items.map(nameOf), all.map(nameOf));
      for (const [i, item] of items.entries()) assert.deepEqual(item, all[i], nameOf(item));
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

function nameOf({ metadata }: Named): string {
  return metadata?.name ?? "";
}

/** The server's address is its own. */
function comparable(document: object): object {
  const { serverAddressByClientCIDRs: _address, ...rest } = document as Record<string, unknown>;
  return rest;
}

test("every OpenAPI v3 document is upstream's but for descriptions, at the address that the index names", { skip }, async () => {
  await using server = await startTestServer(everything);
  const { paths } = (await read(server, "/openapi/v3")) as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const names = readdirSync(`${root}openapi-v3`).map((file) => file.replace("_openapi.json", "").replaceAll("__", "/"));
  // Upstream's script does not keep the one whose file would be hidden.
  assert.deepEqual(Object.keys(paths).toSorted(), [".well-known/openid-configuration", ...names].toSorted());
  for (const name of names) {
    const wanted: unknown = JSON.parse(readFileSync(`${root}openapi-v3/${name.replaceAll("/", "__")}_openapi.json`, "utf8"));
    const found = unversioned(await read(server, paths[name]?.serverRelativeURL ?? ""));
    assert.deepEqual(differences(found, wanted), [], name);
  }
});

test("the OpenAPI v2 document is upstream's but for descriptions", { skip }, async () => {
  await using server = await startTestServer(everything);
  const wanted: unknown = JSON.parse(readFileSync(`${root}swagger.json`, "utf8"));
  assert.deepEqual(differences(unversioned(await read(server, "/openapi/v2")), wanted), []);
});

test("by default documents tell what fields of enumerated types may be", async () => {
  await using server = await startTestServer();
  const { components } = (await read(server, "/openapi/v3/api/v1")) as { components: { schemas: Definitions } };
  const { definitions } = (await read(server, "/openapi/v2")) as { definitions: Definitions };
  for (const found of [components.schemas, definitions]) {
    const { imagePullPolicy } = found["io.k8s.api.core.v1.Container"]?.properties ?? {};
    assert.deepEqual([imagePullPolicy?.type, imagePullPolicy?.enum], ["string", ["Always", "IfNotPresent", "Never"]]);
    const { accessModes } = found["io.k8s.api.core.v1.PersistentVolumeSpec"]?.properties ?? {};
    assert.deepEqual(accessModes?.items?.enum, ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]);
  }
});

interface Property {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: Property;
}

type Definitions = Readonly<Record<string, { readonly properties?: Readonly<Record<string, Property>> }>>;

/** As upstream's script (hack/update-openapi-spec.sh) keeps documents. */
function unversioned(document: unknown): unknown {
  const { info } = document as { info: { version: string } };
  assert.equal(info.version, "1.36");
  return { ...(document as object), info: { ...info, version: "unversioned" } };
}
