/** Passes an upgraded connection through, byte for byte: API server to kubelet, kubelet to runtime. */
import type { Duplex } from "node:stream";
import type { HttpClient, HttpExchange, HttpResponse, HttpResponseHeaders } from "#base/http.ts";
import { refuse, switchProtocols } from "./switching-protocols.ts";

export interface ProxyUpgradeOptions {
  readonly client: HttpClient;
  /** @default the client's own */
  readonly method?: string;
  /** Path and query at the backend. */
  readonly path: string;
  /** Beside those of the client that belong to the upgrade. */
  readonly headers?: HttpResponseHeaders;
}

/** Headers of one hop, and credentials that were for us. */
const keptBack = new Set([
  "authorization",
  "connection",
  "content-length",
  "cookie",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
]);

/**
 * Asks the backend for the upgrade that the client asks for. When it refuses, the client gets its
 * answer and both connections close: nothing else ever travels on them. Resolves when both are
 * closed; rejects, with the exchange unanswered, when the backend cannot be reached.
 */
export async function proxyUpgrade(
  exchange: HttpExchange,
  options: ProxyUpgradeOptions,
): Promise<void> {
  const result = await options.client.upgrade({
    method: options.method ?? exchange.method,
    path: options.path,
    headers: { ...upgradeHeaders(exchange), ...options.headers },
    signal: exchange.signal,
  });
  if (!result.upgraded) return passRefusal(exchange, result.response);
  const { headers, socket, head } = result;
  const taken = switchProtocols(exchange, headers);
  if (taken === undefined) {
    socket.destroy();
    return refuse(exchange, 400, "unable to upgrade: missing upgrade headers in request");
  }
  if (head.length > 0) taken.socket.write(head);
  if (taken.head.length > 0) socket.write(taken.head);
  return joinConnections(taken.socket, socket);
}

function upgradeHeaders(exchange: HttpExchange): HttpResponseHeaders {
  const headers: [string, string | readonly string[]][] = [];
  for (const name of Object.keys(exchange.headers)) {
    if (keptBack.has(name)) continue;
    headers.push([name, exchange.headerValues(name)]);
  }
  return Object.fromEntries(headers);
}

async function passRefusal(exchange: HttpExchange, response: HttpResponse): Promise<void> {
  if (response.status >= 300 && response.status <= 399) {
    response.discard();
    const message = "the backend attempted to redirect this request, which is not permitted";
    return refuse(exchange, 502, message);
  }
  const headers = Object.entries(response.headers).filter(([name]) => !keptBack.has(name));
  const known = Object.fromEntries(headers.map(([name, value]) => [name, value ?? ""]));
  await exchange.respondStream(response.status, known, response.body);
}

/** Copies both ways; what one side ends or breaks ends the other, after what is under way. */
export function joinConnections(a: Duplex, b: Duplex): Promise<void> {
  return Promise.all([joinOneWay(a, b), joinOneWay(b, a)]).then(() => undefined);
}

function joinOneWay(from: Duplex, to: Duplex): Promise<void> {
  from.on("error", () => from.destroy());
  from.pipe(to);
  return new Promise((resolve) => {
    from.once("close", () => {
      if (to.destroyed || to.writableFinished) to.destroy();
      else to.end(() => to.destroy());
      resolve();
    });
  });
}
