import type { HttpExchange, HttpHeaders, HttpResponseHeaders } from "#base/http.ts";
import { listedValues } from "./switching-protocols.ts";
import { isBearerProtocol } from "./websocket.ts";

/** Headers of one hop (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** What was for us, or is said anew. */
const keptBack = new Set(["authorization", "cookie", "host"]);
/** Whom to act as was for us too: the backend is told in its own way, or not at all. */
const impersonationPrefix = "impersonate-";

/** The client's headers for the backend: without those of the hop, without credentials. */
export function forwardedHeaders(
  exchange: HttpExchange,
): Record<string, string | readonly string[]> {
  const named = connectionNames(exchange.headers);
  const headers = new Map<string, string | readonly string[]>();
  for (const name of Object.keys(exchange.headers)) {
    if (name.startsWith(":") || hopByHop.has(name) || keptBack.has(name) || named.has(name)) continue;
    if (name.startsWith(impersonationPrefix)) continue;
    const values = valuesFor(exchange, name);
    if (values.length === 0) continue;
    headers.set(name, values.length === 1 ? (values[0] as string) : values);
  }
  if (exchange.remoteAddress !== "") {
    const before = exchange.headerValues("x-forwarded-for");
    headers.set("x-forwarded-for", [...before, exchange.remoteAddress].join(", "));
  }
  return Object.fromEntries(headers);
}

/** A browser's token travels among its subprotocols. */
function valuesFor(exchange: HttpExchange, name: string): readonly string[] {
  if (name !== "sec-websocket-protocol") return exchange.headerValues(name);
  const protocols = listedValues(exchange, name).filter((protocol) => !isBearerProtocol(protocol));
  return protocols.length === 0 ? [] : [protocols.join(", ")];
}

/** The backend's headers for the client: without those of the hop, or of cross-origin sharing. */
export function returnedHeaders(
  headers: HttpHeaders,
  valuesOf: (name: string) => readonly string[],
): HttpResponseHeaders {
  const named = connectionNames(headers);
  const returned = new Map<string, string | readonly string[]>();
  for (const name of Object.keys(headers)) {
    if (name.startsWith(":") || hopByHop.has(name) || named.has(name)) continue;
    if (name.startsWith("access-control-allow-") || name === "access-control-max-age") continue;
    const values = valuesOf(name);
    if (values.length > 0) returned.set(name, values.length === 1 ? (values[0] as string) : values);
  }
  return Object.fromEntries(returned);
}

/** Headers that the Connection header declares to be of the hop. */
function connectionNames(headers: HttpHeaders): Set<string> {
  const listed = (headers["connection"] ?? "").split(",");
  return new Set(listed.map((name) => name.trim().toLowerCase()));
}
