import type { HttpExchange } from "#base/http.ts";
import type { PathHandler } from "../http/frontend.ts";
import { sendJson } from "../http/send.ts";
import { kubernetesVersion } from "../http/version.ts";
import type { Discovery } from "./discovery.ts";

/** `/version`, `/api`, `/apis` and what is below them, in both forms. */
export function discoveryPaths(discovery: Discovery): PathHandler {
  return ({ exchange, path }) => Promise.resolve(serve(discovery, exchange, path));
}

function serve(discovery: Discovery, exchange: HttpExchange, path: string): boolean {
  const parts = path.split("/").filter((part) => part !== "");
  const [root, ...rest] = parts;
  if (root === "version" && rest.length === 0) {
    sendJson(exchange, kubernetesVersion);
    return true;
  }
  if (root === "api" && rest.length === 0) return serveRoot(discovery, exchange, true);
  if (root === "apis" && rest.length === 0) return serveRoot(discovery, exchange, false);
  const document = documentOf(discovery, root, rest);
  if (document === undefined) return false;
  sendJson(exchange, document);
  return true;
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

function serveRoot(discovery: Discovery, exchange: HttpExchange, core: boolean): boolean {
  const accept = exchange.headers["accept"] ?? "";
  const version = aggregatedVersion(accept);
  if (version === undefined) {
    const document = core ? discovery.coreVersions() : discovery.groupList();
    sendJson(exchange, document, { vary: "Accept" });
    return true;
  }
  const { document, etag } = discovery.aggregated(core);
  const headers = { etag, vary: "Accept", "x-varied-accept": aggregatedType };
  if (exchange.headers["if-none-match"] === etag) {
    exchange.respond(304, headers);
    return true;
  }
  sendJson(exchange, { ...document, apiVersion: `apidiscovery.k8s.io/${version}` }, {
    ...headers,
    "content-type": aggregatedType.replace("v=v2", `v=${version}`),
  });
  return true;
}

/** The aggregated form that the client prefers over the plain one, if any. */
function aggregatedVersion(accept: string): string | undefined {
  for (const clause of accept.split(",")) {
    const text = clause.replaceAll(" ", "");
    if (text.includes("as=APIGroupDiscoveryList") && text.includes("g=apidiscovery.k8s.io")) {
      if (text.includes("v=v2beta1")) return "v2beta1";
      if (text.includes("v=v2")) return "v2";
    }
    if (text.startsWith("application/json") && !text.includes(";as=") && !text.includes(";g=")) return undefined;
  }
  return undefined;
}
