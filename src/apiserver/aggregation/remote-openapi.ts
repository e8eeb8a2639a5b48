import type { HttpClient } from "#base/http.ts";
import { isJsonMap, type JsonMap } from "#apimachinery/json-value.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import { pruneSwagger } from "#apimachinery/openapi/merge-v2.ts";
import { parseJson } from "#wire/json.ts";
import { aggregatorUser, remoteUserHeaders } from "./remote-service.ts";

/** Longest OpenAPI document of an extension server. */
const documentBytesMax = 64 * 1024 * 1024;
const timeoutMs = 5000;

/** What an extension server says of its schemas; either part may be missing. */
export interface RemoteOpenApi {
  /** Path and query of the v3 document. */
  readonly v3Url?: string;
  /** The v2 document, of this group version alone. */
  readonly swagger?: JsonMap;
  /** ETag of the whole v2 document. */
  readonly etag?: string;
}

/** `before` is what the server said last: what has not changed is not sent again, and the answer is the same object. */
export async function fetchOpenApi(
  client: HttpClient,
  { group, version }: { readonly group: string; readonly version: string },
  before: RemoteOpenApi = {},
): Promise<RemoteOpenApi> {
  const [index, v2] = await Promise.all([getJson(client, "/openapi/v3"), getJson(client, "/openapi/v2", before.etag)]);
  const paths = index.document?.["paths"];
  const entry = isJsonMap(paths) ? paths[`apis/${group}/${version}`] : undefined;
  const url = isJsonMap(entry) ? entry["serverRelativeURL"] : undefined;
  const swagger = v2.document === undefined ? before.swagger : pruneSwagger(v2.document, `/apis/${group}/${version}/`);
  const now: RemoteOpenApi = {
    ...(typeof url === "string" && { v3Url: url }),
    ...(v2.status !== 404 && swagger !== undefined && { swagger }),
    ...(v2.etag !== undefined && { etag: v2.etag }),
  };
  return now.v3Url === before.v3Url && now.swagger === before.swagger && now.etag === before.etag ? before : now;
}

interface Fetched {
  readonly status: number;
  readonly etag?: string;
  readonly document?: JsonMap;
}

/** Without a document for servers that have none, and when it is the known one. */
async function getJson(client: HttpClient, path: string, knownEtag?: string): Promise<Fetched> {
  const headers = {
    ...remoteUserHeaders(aggregatorUser),
    accept: "application/json",
    ...(knownEtag !== undefined && { "if-none-match": knownEtag }),
  };
  const response = await client.request({ method: "GET", path, headers, timeoutMs });
  const { status } = response;
  const { etag = status === 304 ? knownEtag : undefined } = response.headers;
  if (status !== 200) {
    response.discard();
    return { status, ...(etag !== undefined && { etag }) };
  }
  const document = parseJson(await response.readAll(documentBytesMax));
  return { status, ...(etag !== undefined && { etag }), ...(isJsonMap(document) && { document }) };
}

/** The index of v3 with other documents in it, by their names. */
export function mergeV3Index(index: JsonMap, others: ReadonlyMap<string, string>): JsonMap {
  const own = isJsonMap(index["paths"]) ? Object.entries(index["paths"]) : [];
  const added = [...others].map(([name, serverRelativeURL]) => [name, { serverRelativeURL }] as const);
  const paths = [...own, ...added].sort(([a], [b]) => compareBytes(a, b));
  return { ...index, paths: Object.fromEntries(paths) };
}
