import { apiVersionOf, type KubeObject } from "#apimachinery/object.ts";
import {
  failure,
  isStatusError,
  reasons,
  type Status,
  StatusError,
  type StatusReason,
} from "#apimachinery/status.ts";
import type { Clock } from "#base/clock.ts";
import type {
  HttpClient,
  HttpRequestOptions,
  HttpResponse,
  HttpResponseHeaders,
} from "#base/http.ts";
import { parseJson, writeJson } from "#wire/json.ts";
import { followEvents } from "./http-watch.ts";
import type {
  ApiRequest,
  Identity,
  ObjectList,
  PatchType,
  RawRequest,
  Transport,
} from "./transport.ts";

export interface HttpTransportOptions {
  /** Brings base URL, TLS and token; `createHttpClient` of `#base/os/http-client.ts`. */
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly userAgent?: string;
  /** Until an answer's headers are there; watches have none. Default 60 s. */
  readonly timeoutMs?: number;
}

/** How often a request is sent again that the server put off with Retry-After. As client-go. */
const retriesMax = 10;
const timeoutMsDefault = 60_000;

const methods: Readonly<Record<ApiRequest["verb"], HttpRequestOptions["method"]>> = {
  create: "POST",
  delete: "DELETE",
  deletecollection: "DELETE",
  get: "GET",
  list: "GET",
  patch: "PATCH",
  update: "PUT",
  watch: "GET",
};

const patchMediaTypes: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

interface ListDocument {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata?: {
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items?: readonly KubeObject[] | null;
}

/** An API server over HTTP, in JSON. */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  const { http, clock, timeoutMs = timeoutMsDefault } = options;

  async function send(request: HttpRequestOptions): Promise<HttpResponse> {
    for (let attempt = 0; ; attempt++) {
      const response = await http.request(request);
      const seconds = Number(response.headers["retry-after"] ?? "");
      const putOff = (response.status === 429 || response.status >= 500) && seconds > 0;
      if (!putOff || attempt >= retriesMax) return response;
      response.discard();
      await clock.sleep(seconds * 1000, request.signal);
    }
  }

  async function exchange(request: HttpRequestOptions): Promise<unknown> {
    const response = await send({ timeoutMs, ...request });
    const body = await response.readAll();
    if (response.status >= 400) throw errorOf(response.status, body);
    return isJson(response) ? parseJson(body) : new TextDecoder().decode(body);
  }

  function httpRequestOf(request: ApiRequest): HttpRequestOptions {
    return {
      method: methods[request.verb],
      path: pathOf(request),
      headers: headersOf(request, options.userAgent),
      ...(request.body !== undefined && { body: writeJson(request.body) }),
      ...(request.signal && { signal: request.signal }),
    };
  }

  return {
    call: async (request) => (await exchange(httpRequestOf(request))) as KubeObject,
    list: async (request) => listOf((await exchange(httpRequestOf(request))) as ListDocument),
    watch: (request, sink) => {
      const stop = new AbortController();
      const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal;
      void followEvents({
        open: () => send({ ...httpRequestOf(request), signal }),
        errorOf,
        sink,
        signal,
      });
      return { [Symbol.dispose]: () => stop.abort() };
    },
    raw: (request) => exchange(rawRequestOf(request, options.userAgent)),
  };
}

function rawRequestOf(request: RawRequest, userAgent: string | undefined): HttpRequestOptions {
  const { method, path, body, accept = "application/json", signal } = request;
  return {
    method,
    path,
    headers: {
      accept,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...agentHeader(request.userAgent ?? userAgent),
      ...impersonation(request.user),
    },
    ...(body !== undefined && { body: writeJson(body) }),
    ...(signal && { signal }),
  };
}

/** `/apis/apps/v1/namespaces/ns/deployments/name/scale?...`. */
export function pathOf(request: ApiRequest): string {
  const { group, version, resource, namespace, name, subresource } = request;
  const segments = [group === "" ? "api" : "apis", ...apiVersionOf(group, version).split("/")];
  if (namespace !== "") segments.push("namespaces", namespace);
  segments.push(resource);
  if (name !== "") segments.push(name);
  if (subresource !== "") segments.push(subresource);
  const query = queryOf(request);
  return `/${segments.map(encodeURIComponent).join("/")}${query === "" ? "" : `?${query}`}`;
}

function queryOf({ options }: ApiRequest): string {
  const { dryRun, ...others } = options;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  if (dryRun === true) query.set("dryRun", "All");
  return query.toString();
}

function headersOf(request: ApiRequest, userAgent: string | undefined): HttpResponseHeaders {
  const { body, patchType, user } = request;
  const contentType = patchType ? patchMediaTypes[patchType] : "application/json";
  return {
    accept: "application/json",
    ...(body !== undefined && { "content-type": contentType }),
    ...agentHeader(request.userAgent ?? userAgent),
    ...impersonation(user),
  };
}

function agentHeader(userAgent: string | undefined): HttpResponseHeaders {
  return userAgent === undefined ? {} : { "user-agent": userAgent };
}

function impersonation(user: Identity | undefined): HttpResponseHeaders {
  if (user === undefined) return {};
  const extra = Object.entries(user.extra ?? {}).map(([key, values]) => [
    `impersonate-extra-${encodeURIComponent(key.toLowerCase())}`,
    values,
  ]);
  return {
    "impersonate-user": user.name,
    ...(user.uid !== undefined && { "impersonate-uid": user.uid }),
    ...(user.groups && user.groups.length > 0 && { "impersonate-group": user.groups }),
    ...Object.fromEntries(extra),
  };
}

/** Items of a list come without the kind that the list's own kind implies. */
function listOf(document: ListDocument): ObjectList<KubeObject> {
  const { metadata = {}, kind = "", apiVersion } = document;
  const itemKind = kind.replace(/List$/, "");
  const items = (document.items ?? []).map((item) =>
    item.kind !== undefined || itemKind === "" ? item : { kind: itemKind, apiVersion, ...item },
  );
  return {
    items,
    resourceVersion: metadata.resourceVersion ?? "",
    ...(metadata.continue && { continue: metadata.continue }),
    ...(metadata.remainingItemCount !== undefined && {
      remainingItemCount: metadata.remainingItemCount,
    }),
  };
}

function isJson(response: HttpResponse): boolean {
  return (response.headers["content-type"] ?? "").includes("json");
}

/** The server's Status, or one made of an answer that has none (a proxy's, a plain text). */
export function errorOf(code: number, body: Uint8Array): StatusError {
  const text = new TextDecoder().decode(body);
  try {
    const document = parseJson(text) as Status | null;
    if (document?.kind === "Status") return new StatusError({ code, ...document });
  } catch (error) {
    if (isStatusError(error)) throw error;
  }
  const known = Object.entries(reasons).find(([, status]) => status === code)?.[0] as
    | StatusReason
    | undefined;
  return failure(known ?? "", { message: text.trim() || `the server answered ${code}`, code });
}
