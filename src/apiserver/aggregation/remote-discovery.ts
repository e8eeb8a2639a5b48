import type { HttpClient } from "#base/http.ts";
import { isJsonMap, type JsonMap } from "#apimachinery/json-value.ts";
import { parseJson } from "#wire/json.ts";
import { aggregatorUser, remoteUserHeaders } from "./remote-service.ts";

/** Longest discovery document of an extension server. */
const documentBytesMax = 16 * 1024 * 1024;
const timeoutMs = 5000;

const aggregatedAccept =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
  "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/** Resources of a group version, in the form of aggregated discovery. */
export async function fetchResources(
  client: HttpClient,
  { group, version }: { readonly group: string; readonly version: string },
): Promise<readonly JsonMap[]> {
  const all = await getJson(client, "/apis", aggregatedAccept);
  if (all.contentType.includes("as=APIGroupDiscoveryList")) {
    return resourcesIn(all.document, group, version);
  }
  const legacy = await getJson(client, `/apis/${group}/${version}`, "application/json");
  return fromLegacy(legacy.document, group, version);
}

interface Fetched {
  readonly contentType: string;
  readonly document: JsonMap;
}

async function getJson(client: HttpClient, path: string, accept: string): Promise<Fetched> {
  const headers = { ...remoteUserHeaders(aggregatorUser), accept };
  const response = await client.request({ method: "GET", path, headers, timeoutMs });
  const bytes = await response.readAll(documentBytesMax);
  if (response.status !== 200) throw new Error(`discovery at ${path}: status ${response.status}`);
  const document = parseJson(bytes);
  return {
    contentType: response.headers["content-type"] ?? "",
    document: isJsonMap(document) ? document : {},
  };
}

function listIn(map: JsonMap, name: string): JsonMap[] {
  const list = map[name];
  return Array.isArray(list) ? list.filter(isJsonMap) : [];
}

function resourcesIn(document: JsonMap, group: string, version: string): JsonMap[] {
  const found = listIn(document, "items").find(({ metadata }) => isJsonMap(metadata) && metadata["name"] === group);
  const served = found && listIn(found, "versions").find((one) => one["version"] === version);
  return served === undefined ? [] : listIn(served, "resources");
}

/** Servers of old tell resources and subresources in one list. */
function fromLegacy(document: JsonMap, group: string, version: string): JsonMap[] {
  const resources = new Map<string, JsonMap>();
  for (const one of listIn(document, "resources")) {
    const name = String(one["name"]);
    const slash = name.indexOf("/");
    const responseKind = {
      group: one["group"] || group,
      version: one["version"] || version,
      kind: one["kind"],
    };
    if (slash < 0) {
      resources.set(name, {
        resource: name,
        responseKind,
        scope: one["namespaced"] === true ? "Namespaced" : "Cluster",
        singularResource: one["singularName"] ?? "",
        verbs: one["verbs"] ?? [],
        ...(Array.isArray(one["shortNames"]) && { shortNames: one["shortNames"] }),
        ...(Array.isArray(one["categories"]) && { categories: one["categories"] }),
      });
      continue;
    }
    const parent = resources.get(name.slice(0, slash));
    if (parent === undefined) continue;
    const below = { subresource: name.slice(slash + 1), responseKind, verbs: one["verbs"] ?? [] };
    parent["subresources"] = [...listIn(parent, "subresources"), below];
  }
  return [...resources.values()];
}
