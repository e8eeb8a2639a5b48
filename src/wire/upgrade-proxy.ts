/** Passes upgraded connections through, byte for byte: API server to kubelet, kubelet to runtime. */
import type { Duplex } from "node:stream";
import { IoError } from "#base/files.ts";
import type { HttpClient, HttpExchange, HttpResponse, HttpResponseHeaders } from "#base/http.ts";
import { forwardedHeaders, returnedHeaders } from "./proxy-headers.ts";
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

/**
 * Asks the backend for the upgrade that the client asks for. When it refuses, the client gets its
 * answer and both connections close: nothing else ever travels on them. Resolves when both are
 * closed; rejects, with the exchange unanswered, when the backend cannot be reached or answers
 * with neither an upgrade nor an error.
 */
export async function proxyUpgrade(
  exchange: HttpExchange,
  options: ProxyUpgradeOptions,
): Promise<void> {
  const result = await options.client.upgrade({
    method: options.method ?? exchange.method,
    path: options.path,
    headers: {
      ...forwardedHeaders(exchange),
      upgrade: exchange.upgrade?.protocol ?? "",
      ...options.headers,
    },
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

async function passRefusal(exchange: HttpExchange, response: HttpResponse): Promise<void> {
  const { status } = response;
  if (status < 400) {
    // Neither an upgrade nor an error: whatever it is, it is not for the client.
    response.discard();
    const detail = `invalid upgrade response: status code ${status}`;
    throw new IoError("upgrade", "EPROTO", { detail });
  }
  const headers = returnedHeaders(response.headers, response.headerValues);
  await exchange.respondStream(status, headers, response.body);
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
