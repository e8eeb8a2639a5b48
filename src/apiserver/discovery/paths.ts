import type { HttpExchange } from "#base/http.ts";
import { methodNotAllowed } from "#apimachinery/status.ts";
import { writeYaml } from "#wire/yaml.ts";
import type { PathHandler } from "../http/frontend.ts";
import { acceptedByRoute, contentTypes, negotiate } from "../http/negotiate.ts";
import { sendJson } from "../http/send.ts";
import { kubernetesVersion } from "../http/version.ts";
import type { Discovery } from "./discovery.ts";

/** `HOST:PORT` that clients of any network may use. */
type Address = () => string;

/** `/version`, `/api`, `/apis` and what is below them, in both forms. */
export function discoveryPaths(discovery: Discovery, address: Address): PathHandler {
  return ({ exchange, path }) => Promise.resolve(serve({ discovery, address }, exchange, path));
}

interface Served {
  readonly discovery: Discovery;
  readonly address: Address;
}

function serve(served: Served, exchange: HttpExchange, path: string): boolean {
  const { discovery } = served;
  const parts = path.split("/").filter((part) => part !== "");
  const [root, ...rest] = parts;
  if (root === "version" && rest.length === 0) {
    refuseOtherMethods(exchange);
    sendJson(exchange, kubernetesVersion);
    return true;
  }
  if (root === "api" && rest.length === 0) return serveRoot(served, exchange, true);
  if (root === "apis" && rest.length === 0) return serveRoot(served, exchange, false);
  const document = documentOf(discovery, root, rest);
  if (document === undefined) return false;
  refuseOtherMethods(exchange);
  sendDocument(exchange, document);
  return true;
}

function refuseOtherMethods(exchange: HttpExchange): void {
  if (exchange.method !== "GET") throw methodNotAllowed();
  acceptedByRoute(exchange.headers["accept"], false);
}

const rules = { protobuf: true, shapes: false, pretty: false };

/** As the client wants it. Errors: NotAcceptable. */
function sendDocument(exchange: HttpExchange, document: object): void {
  const { mediaType } = negotiate(exchange.headers["accept"], rules);
  if (mediaType !== "yaml") {
    sendJson(exchange, document, { vary: "Accept" });
    return;
  }
  const headers = { "cache-control": "no-cache, private", "content-type": contentTypes.yaml, vary: "Accept" };
  exchange.respond(200, headers, writeYaml(document));
}

function documentOf(
  discovery: Discovery,
  root: string | undefined,
  rest: readonly string[],
): object | undefined {
  const [first = "", second = ""] = rest;
  if (root === "api" && rest.length === 1) return discovery.resourceList("", first);
  if (root !== "apis") return undefined;
  if (rest.length === 1) return discovery.group(first);
  return rest.length === 2 ? discovery.resourceList(first, second) : undefined;
}

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

function serveRoot({ discovery, address }: Served, exchange: HttpExchange, core: boolean): boolean {
  // `/apis` is answered before the router, whatever the method.
  if (core) refuseOtherMethods(exchange);
  if (!wantsAggregated(exchange.headers["accept"] ?? "")) {
    sendDocument(exchange, core ? discovery.coreVersions(address()) : discovery.groupList());
    return true;
  }
  const { document, etag } = discovery.aggregated(core);
  const headers = { etag, vary: "Accept", "x-varied-accept": aggregatedType };
  if (exchange.headers["if-none-match"] === etag) {
    exchange.respond(304, headers);
    return true;
  }
  sendJson(exchange, document, { ...headers, "content-type": aggregatedType });
  return true;
}

/** True when the client takes the aggregated form, however it ranks the plain one. */
function wantsAggregated(accept: string): boolean {
  return accept.split(",").some((clause) => {
    const parts = clause.split(";").map((part) => part.trim());
    return aggregatedParameters.every((parameter) => parts.includes(parameter));
  });
}

const aggregatedParameters = ["as=APIGroupDiscoveryList", "g=apidiscovery.k8s.io", "v=v2"];
