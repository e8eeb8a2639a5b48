import { createHash } from "node:crypto";
import { otherGroupVersions, otherKinds, resources } from "#api/registry.ts";
import type { JsonMap } from "#apimachinery/json-value.ts";
import { createOpenApi, type Document, type OpenApi } from "#apimachinery/openapi/documents.ts";
import { encodeSwagger } from "#apimachinery/openapi/gnostic-v2.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { HttpExchange } from "#base/http.ts";
import { parseJson, writeJson } from "#wire/json.ts";
import { mergeSwagger, mergeV3Index, type RemoteOpenApi } from "./aggregation/remote-openapi.ts";
import type { ApiTable } from "./api-table.ts";
import type { PathHandler } from "./http/frontend.ts";
import { kubernetesVersion } from "./http/version.ts";

/** What is answered to `...spec.v2@v1.0+protobuf`: Go's parser of media types refuses the `@`. */
const v2ProtoType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const jsonType = "application/json";

/** `/openapi/v2` and `/openapi/v3`, made from what is served when somebody asks. */
export function openApiPaths(table: ApiTable, remotes: RemoteDocuments): PathHandler {
  let loaded: Promise<OpenApi> | undefined;
  const served = new Map<string, readonly ResourceDefinition[]>();
  let generation = -1;
  return async ({ exchange, path }) => {
    if (!path.startsWith("/openapi/")) return false;
    const openApi = await (loaded ??= loadOpenApi());
    if (generation !== table.generation) {
      generation = table.generation;
      follow(openApi, table, served);
    }
    return serve(withRemotes(openApi, remotes.openApi()), exchange, path);
  };
}

/** The words about types are loaded once somebody asks: most servers never need them. */
async function loadOpenApi(): Promise<OpenApi> {
  const { describeType } = await import("#api/docs/descriptions.ts");
  const { gitVersion: release, emulationMajor, emulationMinor } = kubernetesVersion;
  return createOpenApi({
    kinds: otherKinds,
    release,
    version: `${emulationMajor}.${emulationMinor}`,
    otherGroupVersions: [...resources, ...otherGroupVersions],
    describe: describeType,
  });
}

/** What other servers say of their schemas. */
export interface RemoteDocuments {
  openApi(): ReadonlyMap<string, RemoteOpenApi>;
}

type Documents = Pick<OpenApi, "v2" | "v2Proto" | "v3" | "v3Index">;

/** Merged when asked for: few clusters have other servers, and they are asked seldom. */
function withRemotes(own: OpenApi, remotes: ReadonlyMap<string, RemoteOpenApi>): Documents {
  if (remotes.size === 0) return own;
  const parsed = (document: Document): JsonMap => parseJson(document.bytes) as JsonMap;
  const swagger = (): JsonMap => mergeSwagger(parsed(own.v2()), remotes);
  return {
    v3: (name) => own.v3(name),
    v3Index: () => documentOf(writeJson(mergeV3Index(parsed(own.v3Index()), remotes))),
    v2: () => documentOf(writeJson(swagger())),
    v2Proto: () => documentOf(encodeSwagger(swagger())),
  };
}

function documentOf(bytes: Uint8Array): Document {
  return { bytes, hash: createHash("sha512").update(bytes).digest("hex").toUpperCase() };
}

/** Tells the documents of group versions that came, changed or went. */
function follow(openApi: OpenApi, table: ApiTable, served: Map<string, readonly ResourceDefinition[]>): void {
  const now = new Map<string, ResourceDefinition[]>();
  for (const { definition } of table.endpoints()) {
    const key = `${definition.group}/${definition.version}`;
    now.set(key, [...(now.get(key) ?? []), definition]);
  }
  for (const [key, definitions] of now) {
    const before = served.get(key);
    const same =
      before?.length === definitions.length && before.every((definition, i) => definition === definitions[i]);
    if (!same) openApi.setGroupVersion(groupVersionOf(key), definitions);
  }
  for (const key of served.keys()) if (!now.has(key)) openApi.removeGroupVersion(groupVersionOf(key));
  served.clear();
  for (const [key, definitions] of now) served.set(key, definitions);
}

function groupVersionOf(key: string): { group: string; version: string } {
  const slash = key.indexOf("/");
  return { group: key.slice(0, slash), version: key.slice(slash + 1) };
}

function serve(openApi: Documents, exchange: HttpExchange, path: string): boolean {
  if (path === "/openapi/v2") {
    const proto = (exchange.headers["accept"] ?? "").includes("proto-openapi.spec.v2");
    answer(exchange, proto ? openApi.v2Proto() : openApi.v2(), proto ? v2ProtoType : jsonType);
    return true;
  }
  if (path === "/openapi/v3" || path === "/openapi/v3/") {
    answer(exchange, openApi.v3Index(), jsonType);
    return true;
  }
  const document = path.startsWith("/openapi/v3/") ? openApi.v3(path.slice("/openapi/v3/".length)) : undefined;
  if (document !== undefined) answer(exchange, document, jsonType);
  else if (path.startsWith("/openapi/v3/")) exchange.respond(404, {});
  else return false;
  return true;
}

function answer(exchange: HttpExchange, document: Document, contentType: string): void {
  const etag = `"${document.hash}"`;
  const headers = { etag, vary: "Accept", "content-type": contentType };
  if (exchange.headers["if-none-match"] === etag) exchange.respond(304, headers);
  else exchange.respond(200, headers, document.bytes);
}
