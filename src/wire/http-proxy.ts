/**
 * Passes requests through to pods, services, nodes and extension API servers.
 * Source: apimachinery proxy/upgradeaware.go, proxy/transport.go.
 */
import { promisify } from "node:util";
import { deflateRaw, gunzip, gzip, inflateRaw } from "node:zlib";
import type { HttpClient, HttpExchange, HttpResponse } from "#base/http.ts";
import { rewriteHtmlLinks } from "./html-links.ts";
import { forwardedHeaders, returnedHeaders } from "./proxy-headers.ts";

export interface ProxyHttpOptions {
  readonly client: HttpClient;
  /** Path and query at the backend. An empty path redirects the client to one with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The Host header that the backend sees. @default the client's own */
  readonly host?: string;
  /**
   * Where the backend appears at our side: links and redirects to it are led there.
   * @default they stay as they are
   */
  readonly pathPrepend?: string;
  /** Answers 502 for a redirect, so that no backend leads a client elsewhere. @default false */
  readonly rejectRedirects?: boolean;
}

/** Longest page whose links are rewritten. */
export const rewrittenPageBytesMax = 64 << 20;

/** Resolves when the answer is passed on; rejects, with the exchange unanswered, when none came. */
export async function proxyHttp(exchange: HttpExchange, options: ProxyHttpOptions): Promise<void> {
  const { method, url } = exchange;
  if (!options.path.startsWith("/") && (method === "GET" || method === "HEAD")) {
    const [path = "", query] = url.split("?");
    const location = `${path}/${query === undefined ? "" : `?${query}`}`;
    exchange.respond(301, { location });
    return;
  }
  const response = await options.client.request({
    method,
    path: options.path.startsWith("/") ? options.path : `/${options.path}`,
    headers: {
      ...forwardedHeaders(exchange),
      ...(options.pathPrepend !== undefined && {
        "x-forwarded-uri": options.pathPrepend + (options.path.split("?")[0] ?? ""),
      }),
      host: options.host ?? exchange.host,
      ...options.headers,
    },
    signal: exchange.signal,
    ...(hasBody(exchange) && { body: exchange.body }),
  });
  await passAnswer(exchange, response, options);
}

function hasBody({ headers }: HttpExchange): boolean {
  const length = headers["content-length"];
  return (length !== undefined && length !== "0") || headers["transfer-encoding"] !== undefined;
}

async function passAnswer(
  exchange: HttpExchange,
  response: HttpResponse,
  options: ProxyHttpOptions,
): Promise<void> {
  const { status } = response;
  const headers = returnedHeaders(response.headers, response.headerValues);
  const location = response.headers["location"];
  if (
    options.rejectRedirects === true &&
    status >= 300 &&
    status <= 399 &&
    location !== undefined
  ) {
    response.discard();
    const message = "the backend attempted to redirect this request, which is not permitted";
    exchange.respond(502, {}, message);
    return;
  }
  const { pathPrepend } = options;
  if (pathPrepend === undefined) return exchange.respondStream(status, headers, response.body);
  const rewrite = (target: string): string => rewriteUrl(target, pathPrepend, exchange.host);
  if (location !== undefined) {
    return exchange.respondStream(
      status,
      { ...headers, location: rewrite(location) },
      response.body,
    );
  }
  const page = isHtml(response)
    ? codecs.get(response.headers["content-encoding"] ?? "")
    : undefined;
  if (page === undefined || exchange.method === "HEAD") {
    return exchange.respondStream(status, headers, response.body);
  }
  const html = await page.unpack(await response.readAll(rewrittenPageBytesMax));
  const body = await page.pack(Buffer.from(rewriteHtmlLinks(html.toString("utf8"), rewrite)));
  const { "content-length": _, ...others } = headers;
  exchange.respond(status, others, body);
  return undefined;
}

function isHtml(response: HttpResponse): boolean {
  return (response.headers["content-type"] ?? "").split(";")[0]?.trim() === "text/html";
}

interface PageCodec {
  unpack(bytes: Uint8Array): Promise<Buffer>;
  pack(bytes: Buffer): Promise<Buffer>;
}

const bounded = { maxOutputLength: rewrittenPageBytesMax };
const codecs = new Map<string, PageCodec>([
  ["", { unpack: async (bytes) => Buffer.from(bytes), pack: async (bytes) => bytes }],
  ["gzip", { unpack: (bytes) => promisify(gunzip)(bytes, bounded), pack: promisify(gzip) }],
  [
    "deflate",
    { unpack: (bytes) => promisify(inflateRaw)(bytes, bounded), pack: promisify(deflateRaw) },
  ],
]);

const urlPattern = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/s;

/** Leads a link to the backend's own root through the proxy; others stay as they are. */
export function rewriteUrl(target: string, pathPrepend: string, requestHost: string): string {
  const [, , host = "", path = "", rest = ""] = urlPattern.exec(target) ?? [];
  if ((host !== "" && host !== requestHost) || !path.startsWith("/")) return target;
  if (path.startsWith(pathPrepend)) return host === "" ? target : path + rest;
  return pathPrepend.replace(/\/$/, "") + path + rest;
}
