import { otherGroupVersions, otherKinds, resources } from "#api/registry.ts";
import { createOpenApi, type OpenApi } from "#apimachinery/openapi/documents.ts";
import type { FeatureReader, ResourceDefinition } from "#apimachinery/resource.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpExchange } from "#base/http.ts";
import { createRemoteDocuments, type Documents } from "./aggregation/remote-documents.ts";
import type { RemoteOpenApi } from "./aggregation/remote-openapi.ts";
import type { ApiTable } from "./api-table.ts";
import type { PathHandler, PathRequest } from "./http/frontend.ts";
import { kubernetesVersion } from "./http/version.ts";
import { answerDocument, type DocumentForm, immutable, negotiateDocument } from "./openapi-answer.ts";

/** What other servers say of their schemas. */
export interface RemoteDocuments {
  openApi(): ReadonlyMap<string, RemoteOpenApi>;
}

export interface OpenApiPathOptions {
  readonly clock: Clock;
  readonly features: FeatureReader;
}

/** `/openapi/v2` and `/openapi/v3`, made from what is served when somebody asks. */
export function openApiPaths(table: ApiTable, remotes: RemoteDocuments, { clock, features }: OpenApiPathOptions): PathHandler {
  let loaded: Promise<OpenApi> | undefined;
  const served = new Map<string, readonly ResourceDefinition[]>();
  let generation = -1;
  const merged = createRemoteDocuments();
  return async (request) => {
    if (!request.path.startsWith("/openapi/")) return false;
    const openApi = await (loaded ??= loadOpenApi(features));
    if (generation !== table.generation) {
      generation = table.generation;
      follow(openApi, table, served);
    }
    if (isIndex(request.path)) await makeAll(openApi, clock);
    return serve(merged(openApi, remotes.openApi()), request, clock);
  };
}

function isIndex(path: string): boolean {
  return path === "/openapi/v3" || path === "/openapi/v3/";
}

/** The index needs the hashes of all documents: other requests get their turn between them. */
async function makeAll(openApi: OpenApi, clock: Clock): Promise<void> {
  for (const name of openApi.unmade()) {
    openApi.v3(name);
    await new Promise<void>((resolve) => void clock.after(0, resolve));
  }
}

/** The words about types are loaded once somebody asks: most servers never need them. */
async function loadOpenApi(features: FeatureReader): Promise<OpenApi> {
  const { describeType } = await import("#api/docs/descriptions.ts");
  const { enumOf } = await import("#api/docs/enums.ts");
  const { gitVersion: release, emulationMajor, emulationMinor } = kubernetesVersion;
  return createOpenApi({
    kinds: otherKinds,
    release,
    version: `${emulationMajor}.${emulationMinor}`,
    otherGroupVersions: [...resources, ...otherGroupVersions],
    describe: describeType,
    ...(features.enabled("OpenAPIEnums") && { enumOf }),
  });
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

function serve(openApi: Documents, { exchange, path, query }: PathRequest, clock: Clock): boolean {
  if (path === "/openapi/v2") {
    const wanted = negotiateDocument(exchange.headers["accept"], "v2");
    if (wanted === undefined) exchange.respond(406, { vary: "Accept" });
    else {
      const document = wanted.form === "json" ? openApi.v2() : openApi.v2Proto();
      answerDocument(exchange, document, { contentType: wanted.contentType, gzip: true });
    }
    return true;
  }
  if (isIndex(path)) {
    answerDocument(exchange, openApi.v3Index(), { contentType: "application/json" });
    return true;
  }
  if (!path.startsWith("/openapi/v3/")) return false;
  const name = path.slice("/openapi/v3/".length);
  const hash = openApi.v3Hash(name);
  const wanted = negotiateDocument(exchange.headers["accept"], "v3");
  if (hash === undefined) exchange.respond(404, {});
  else if (wanted === undefined) exchange.respond(406, { vary: "Accept" });
  else serveVersion(openApi, exchange, { name, hash, asked: query.get("hash") ?? "", wanted, clock });
  return true;
}

interface VersionRequest {
  readonly name: string;
  readonly hash: string;
  /** The hash in the address; empty when there is none. */
  readonly asked: string;
  readonly wanted: { readonly form: DocumentForm; readonly contentType: string };
  readonly clock: Clock;
}

/** Source: kube-openapi pkg/handler3. */
function serveVersion(openApi: Documents, exchange: HttpExchange, request: VersionRequest): void {
  const { name, hash, asked, clock } = request;
  const { form, contentType } = request.wanted;
  if (asked !== "" && asked !== hash) {
    const location = `/openapi/v3/${name}?hash=${hash}`;
    exchange.respond(301, { location, etag: `"${hash}"`, vary: "Accept", "content-type": contentType });
    return;
  }
  const document = form === "json" ? openApi.v3(name) : openApi.v3Proto(name);
  if (document === undefined) return exchange.respond(404, {});
  answerDocument(exchange, document, { contentType, ...(asked !== "" && { more: immutable(clock.nowMs()) }) });
}
