import type { HttpClient } from "#base/http.ts";
import { isJsonMap, type JsonMap } from "#apimachinery/json-value.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import { parseJson } from "#wire/json.ts";
import { aggregatorUser, remoteUserHeaders } from "./remote-service.ts";

/** Longest OpenAPI document of an extension server. */
const documentBytesMax = 64 * 1024 * 1024;
const timeoutMs = 5000;

/** What an extension server says of its schemas; either part may be missing. */
export interface RemoteOpenApi {
  /** Path and query of the v3 document. */
  readonly v3Url?: string;
  /** The v2 document. */
  readonly swagger?: JsonMap;
}

export async function fetchOpenApi(
  client: HttpClient,
  { group, version }: { readonly group: string; readonly version: string },
): Promise<RemoteOpenApi> {
  const [index, swagger] = await Promise.all([getJson(client, "/openapi/v3"), getJson(client, "/openapi/v2")]);
  const paths = index?.["paths"];
  const entry = isJsonMap(paths) ? paths[`apis/${group}/${version}`] : undefined;
  const url = isJsonMap(entry) ? entry["serverRelativeURL"] : undefined;
  return {
    ...(typeof url === "string" && { v3Url: url }),
    ...(swagger !== undefined && { swagger }),
  };
}

/** Undefined for servers without the document. */
async function getJson(client: HttpClient, path: string): Promise<JsonMap | undefined> {
  const headers = { ...remoteUserHeaders(aggregatorUser), accept: "application/json" };
  const response = await client.request({ method: "GET", path, headers, timeoutMs });
  if (response.status !== 200) {
    response.discard();
    return undefined;
  }
  const document = parseJson(await response.readAll(documentBytesMax));
  return isJsonMap(document) ? document : undefined;
}

/** The index of v3 with the documents of other servers in it. */
export function mergeV3Index(index: JsonMap, remotes: ReadonlyMap<string, RemoteOpenApi>): JsonMap {
  const own = isJsonMap(index["paths"]) ? Object.entries(index["paths"]) : [];
  const others = [...remotes].flatMap(([groupVersion, { v3Url }]) =>
    v3Url === undefined ? [] : [[`apis/${groupVersion}`, { serverRelativeURL: v3Url }] as const],
  );
  const paths = [...own, ...others].sort(([a], [b]) => compareBytes(a, b));
  return { ...index, paths: Object.fromEntries(paths) };
}

/**
 * The v2 document with the paths of other servers. Definitions of one name are taken to be the
 * same: extension servers are built of the same types.
 */
export function mergeSwagger(swagger: JsonMap, remotes: ReadonlyMap<string, RemoteOpenApi>): JsonMap {
  let merged = swagger;
  for (const [groupVersion, { swagger: other }] of remotes) {
    if (other === undefined) continue;
    const prefix = `/apis/${groupVersion}/`;
    const paths = Object.entries(mapIn(other, "paths")).filter(([path]) => path === prefix || path.startsWith(prefix));
    merged = {
      ...merged,
      paths: { ...mapIn(merged, "paths"), ...Object.fromEntries(paths) },
      definitions: { ...mapIn(other, "definitions"), ...mapIn(merged, "definitions") },
    };
  }
  return merged;
}

function mapIn(map: JsonMap, name: string): JsonMap {
  const found = map[name];
  return isJsonMap(found) ? found : {};
}
