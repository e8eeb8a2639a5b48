import { exactField, parseFieldSelector } from "#apimachinery/field-selectors.ts";
import { checkPathSegment } from "#apimachinery/validation/names.ts";

/**
 * What a URL asks for. Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
 * `verb` of a resource request is the API verb (also `proxy`, `watch` by path prefix); of any
 * other it is the lower-case method.
 */
export interface RequestInfo {
  readonly isResource: boolean;
  readonly path: string;
  readonly verb: string;
  readonly apiPrefix: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** resource, name, subresource and what follows it. */
  readonly parts: readonly string[];
  /** Old form `/api/v1/watch/...`. */
  readonly watchByPath: boolean;
}

const methodVerbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

const namespaceSubresources = new Set(["status", "finalize"]);

export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const other = nonResource(method, path);
  const parts = path.replace(/^\/+|\/+$/g, "").split("/");
  const [apiPrefix = "", ...rest] = parts;
  if (parts.length < 3 || (apiPrefix !== "api" && apiPrefix !== "apis")) return other;
  if (apiPrefix === "apis" && rest.length < 3) return other;
  const group = apiPrefix === "apis" ? (rest.shift() ?? "") : "";
  const version = rest.shift() ?? "";
  return resourceInfo({ ...other, isResource: true, apiPrefix, group, version }, rest, {
    method,
    query,
  });
}

function nonResource(method: string, path: string): RequestInfo {
  return {
    isResource: false,
    path,
    verb: method.toLowerCase(),
    apiPrefix: "",
    group: "",
    version: "",
    namespace: "",
    resource: "",
    subresource: "",
    name: "",
    parts: [],
    watchByPath: false,
  };
}

function resourceInfo(
  base: RequestInfo,
  rest: readonly string[],
  { method, query }: { method: string; query: URLSearchParams },
): RequestInfo {
  let parts = rest;
  let verb = methodVerbs[method] ?? "";
  const byPath = parts[0] === "watch" || parts[0] === "proxy";
  if (byPath && parts.length > 1) {
    verb = parts[0] ?? "";
    parts = parts.slice(1);
  }
  let namespace = "";
  if (parts[0] === "namespaces" && parts.length > 1) {
    namespace = parts[1] ?? "";
    if (parts.length > 2 && !namespaceSubresources.has(parts[2] ?? "")) parts = parts.slice(2);
  }
  const [resource = "", name = "", third = ""] = parts;
  const subresource = verb === "proxy" ? "" : third;
  const found = { ...base, verb, namespace, resource, subresource, name, parts, watchByPath: byPath && verb === "watch" };
  if (name !== "") return found;
  if (verb === "delete") return { ...found, verb: "deletecollection" };
  if (verb !== "get") return found;
  return { ...found, verb: isWatch(query) ? "watch" : "list", name: selectedName(query) };
}

/** Anything but `false` and `0` watches. */
function isWatch(query: URLSearchParams): boolean {
  const value = query.get("watch");
  return value !== null && value.toLowerCase() !== "false" && value !== "0";
}

/** A list of one name is authorized as that name. */
function selectedName(query: URLSearchParams): string {
  try {
    const name = exactField(parseFieldSelector(query.get("fieldSelector") ?? ""), "metadata.name") ?? "";
    return name !== "" && checkPathSegment(name).length === 0 ? name : "";
  } catch {
    return "";
  }
}
