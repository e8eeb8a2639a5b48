import {
  badRequest,
  failure,
  methodNotAllowed,
  notFound,
  type StatusError,
  unknownResource,
} from "#apimachinery/status.ts";
import { checkPathSegment } from "#apimachinery/validation/names.ts";
import type { PatchType, RequestVerb } from "#client/transport.ts";
import type { Endpoint } from "../call.ts";
import { acceptedByRoute } from "./negotiate.ts";
import type { RequestInfo } from "./request-info.ts";

/** A cluster-scoped kind is not found under a namespace (CVE-2019-11247), nor the other way. */
export function fitsScope({ definition }: Endpoint, info: RequestInfo): boolean {
  if (definition.plural === "namespaces" && definition.group === "") {
    return info.namespace === "" || info.parts[1] === info.namespace;
  }
  if (definition.scope === "Cluster") return info.namespace === "";
  return info.namespace !== "" || info.parts.length < 2;
}

const itemVerbs = new Set(["get", "update", "patch", "delete"]);
/** Subresources with a path of their own behind them. */
const deepSubresources = new Set(["proxy"]);

/**
 * The verb of a request that a route exists for. Errors, in the order of upstream's router:
 * NotFound, MethodNotAllowed, UnsupportedMediaType of a patch, NotAcceptable; then a bad name.
 */
export function routeVerb(endpoint: Endpoint, info: RequestInfo, headers: RouteHeaders): RequestVerb {
  const { definition } = endpoint;
  const subresource = definition.subresources[info.subresource];
  const isDeep = deepSubresources.has(info.subresource);
  if (info.subresource !== "" && subresource === undefined) {
    const { group, plural, custom } = definition;
    throw custom === undefined ? unknownResource() : notFound({ group, resource: plural }, info.name);
  }
  if (info.parts.length > 3 && !isDeep) throw unknownResource();
  const verb = info.verb as RequestVerb;
  const verbs = subresource?.verbs ?? definition.verbs;
  const onItem = info.parts.length > 1;
  if (info.subresource === "" && onItem && definition.handler !== undefined && !verbs.includes("get")) {
    throw unknownResource();
  }
  const wrongLevel =
    info.subresource === "" &&
    (onItem ? verb === "create" || (verb as string) === "deletecollection" : itemVerbs.has(verb));
  const acrossNamespaces = definition.scope === "Namespaced" && info.namespace === "";
  // What only can be created has no route across namespaces.
  if (acrossNamespaces && !verbs.includes("list") && info.subresource === "") throw unknownResource();
  const readsOnly = acrossNamespaces && verb !== "list" && verb !== "watch";
  const otherMethod = !isDeep && (headers.method === "HEAD" || (verb === "watch" && headers.method !== "GET"));
  if (wrongLevel || readsOnly || otherMethod) throw methodNotAllowed();
  if (!verbs.includes(verb) && !isDeep) {
    // Only a watch has no route of its own: it is the list's, and the store refuses.
    if (verb === "watch" && verbs.includes("list")) throw watchNotSupported(endpoint);
    throw methodNotAllowed();
  }
  if (verb === "patch" && !isDeep) refusePatchType(endpoint, headers.contentType);
  if (subresource?.handler === undefined && definition.custom === undefined) {
    acceptedByRoute(headers.accept, verb === "list" || verb === "watch");
  }
  checkName(info);
  return verb;
}

export interface RouteHeaders {
  readonly method: string;
  readonly accept: string | undefined;
  readonly contentType: string | undefined;
}

function watchNotSupported({ definition: { group, plural } }: Endpoint): StatusError {
  const qualified = group === "" ? plural : `${plural}.${group}`;
  return failure("MethodNotAllowed", {
    message: `watch is not supported on resources of kind ${JSON.stringify(qualified)}`,
    details: { ...(group !== "" && { group }), kind: plural },
  });
}

function checkName(info: RequestInfo): void {
  if (info.name === "" || info.verb === "list" || info.verb === "watch") return;
  for (const text of checkPathSegment(info.name)) {
    throw badRequest(`Name parameter invalid: ${JSON.stringify(info.name)}: ${text}`);
  }
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** Undefined for a type that the kind cannot be patched with. */
export function patchTypeOf(contentType: string | undefined, { definition }: Endpoint): PatchType | undefined {
  const type = (contentType?.split(";")[0] ?? "").trim();
  const found = Object.hasOwn(patchTypes, type) ? patchTypes[type] : undefined;
  return found === "strategic" && definition.custom !== undefined ? undefined : found;
}

function refusePatchType(endpoint: Endpoint, contentType: string | undefined): void {
  if (patchTypeOf(contentType, endpoint) !== undefined) return;
  if (endpoint.definition.custom === undefined) {
    throw failure("UnsupportedMediaType", { message: "415: Unsupported Media Type", details: {} });
  }
  const allowed = Object.keys(patchTypes).filter((name) => patchTypes[name] !== "strategic");
  throw failure("UnsupportedMediaType", {
    message:
      "the body of the request was in an unknown format - accepted media types include: " +
      allowed.join(", "),
  });
}
