import { APIGroupDiscoveryList } from "#api/apidiscovery/v2/api-group-discovery.ts";
import { APIGroup, APIGroupList, APIResourceList, APIVersions } from "#apimachinery/meta/discovery.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";
import { methodNotAllowed } from "#apimachinery/status.ts";
import type { HttpExchange } from "#base/http.ts";
import type { PathHandler, PathRequest } from "../http/frontend.ts";
import { acceptedByRoute, aggregatedContentType, negotiate, negotiateAggregated, wantsIndent } from "../http/negotiate.ts";
import { encoded } from "../http/render.ts";
import { send } from "../http/send.ts";
import { kubernetesVersion } from "../http/version.ts";
import type { Discovery } from "./discovery.ts";

/** `HOST:PORT` that clients of any network may use. */
type Address = () => string;

/** `/version`, `/api`, `/apis` and what is below them, in both forms. */
export function discoveryPaths(discovery: Discovery, address: Address): PathHandler {
  return (request) => serve({ discovery, address }, request);
}

interface Served {
  readonly discovery: Discovery;
  readonly address: Address;
}

async function serve(served: Served, request: PathRequest): Promise<boolean> {
  const { discovery } = served;
  const { exchange, path } = request;
  const parts = path.split("/").filter((part) => part !== "");
  const [root, ...rest] = parts;
  if (root === "version" && rest.length === 0) {
    refuseOtherMethods(exchange);
    exchange.respond(200, versionHeaders, JSON.stringify(kubernetesVersion, undefined, 2));
    return true;
  }
  if (root === "api" && rest.length === 0) return serveRoot(served, request, true);
  if (root === "apis" && rest.length === 0) return serveRoot(served, request, false);
  const document = documentOf(discovery, root, rest);
  if (document === undefined) return false;
  refuseOtherMethods(exchange);
  await sendDocument(request, document);
  return true;
}

const versionHeaders = { "cache-control": "no-cache, private", "content-type": "application/json" };

function refuseOtherMethods(exchange: HttpExchange): void {
  if (exchange.method !== "GET") throw methodNotAllowed();
  acceptedByRoute(exchange.headers["accept"], false);
}

interface DiscoveryDocument {
  readonly object: object;
  readonly schema: StructSchema<Fields>;
}

/** As the client wants it. Errors: NotAcceptable. */
async function sendDocument({ exchange, query }: PathRequest, { object, schema }: DiscoveryDocument): Promise<void> {
  const { accept, "user-agent": userAgent } = exchange.headers;
  const representation = negotiate(accept, { protobuf: true, shapes: false, pretty: wantsIndent(query, userAgent) });
  // As JSON they are what they are: members of a list that are empty are not told.
  const isProto = representation.mediaType === "protobuf";
  const rendered = encoded(representation, { object: object as KubeObject, code: 200, ...(isProto && { schema }) });
  await send(exchange, rendered, [], { vary: "Accept" });
}

function documentOf(
  discovery: Discovery,
  root: string | undefined,
  rest: readonly string[],
): DiscoveryDocument | undefined {
  const [first = "", second = ""] = rest;
  const resources = (group: string, version: string): DiscoveryDocument | undefined => {
    const object = discovery.resourceList(group, version);
    return object && { object, schema: APIResourceList };
  };
  if (root === "api" && rest.length === 1) return resources("", first);
  if (root !== "apis") return undefined;
  if (rest.length === 2) return resources(first, second);
  const group = rest.length === 1 ? discovery.group(first) : undefined;
  return group && { object: group, schema: APIGroup };
}

async function serveRoot({ discovery, address }: Served, request: PathRequest, core: boolean): Promise<boolean> {
  const { exchange, query } = request;
  // `/apis` is answered before the router, whatever the method.
  if (core) refuseOtherMethods(exchange);
  const { accept = "", "if-none-match": known, "user-agent": userAgent } = exchange.headers;
  const mediaType = negotiateAggregated(accept);
  if (mediaType === undefined) {
    const versions = { object: discovery.coreVersions(address()), schema: APIVersions };
    await sendDocument(request, core ? versions : { object: discovery.groupList(), schema: APIGroupList });
    return true;
  }
  const { document, etag } = discovery.aggregated(core);
  const headers = { etag, vary: "Accept", "cache-control": "public" };
  if (known === etag) {
    exchange.respond(304, headers);
    return true;
  }
  const plain = { as: "", version: "", stream: false } as const;
  const representation = { ...plain, mediaType, pretty: wantsIndent(query, userAgent) };
  const isProto = mediaType === "protobuf";
  const object = document as KubeObject;
  const rendered = encoded(representation, { object, code: 200, ...(isProto && { schema: APIGroupDiscoveryList }) });
  await send(exchange, { ...rendered, contentType: aggregatedContentType(mediaType) }, [], headers);
  return true;
}
