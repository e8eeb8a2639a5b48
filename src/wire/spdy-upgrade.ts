import { IoError } from "#base/files.ts";
import type { HttpClient, HttpExchange, HttpResponseHeaders } from "#base/http.ts";
import { createSpdySession, type SpdySession, type SpdyStream } from "./spdy.ts";
import { isUpgradeTo, listedValues, refuse, switchProtocols } from "./switching-protocols.ts";

const spdyProtocol = "SPDY/3.1";
const versionHeader = "X-Stream-Protocol-Version";
const acceptedHeader = "X-Accepted-Stream-Protocol-Versions";

/** What a SPDY connection was agreed to carry. */
export interface SpdyUpgrade {
  readonly protocol: string;
  readonly session: SpdySession;
}

export function isSpdyRequest(exchange: HttpExchange): boolean {
  return isUpgradeTo(exchange, spdyProtocol);
}

/**
 * Accepts with the first stream protocol of the client's that is one of ours. Undefined when it
 * had to refuse; the exchange is answered then. Source: httpstream `Handshake`.
 */
export function acceptSpdy(
  exchange: HttpExchange,
  protocols: readonly string[],
  onStream: (stream: SpdyStream) => void,
): SpdyUpgrade | undefined {
  const offered = listedValues(exchange, versionHeader.toLowerCase());
  if (offered.length === 0) {
    return refuse(exchange, 400, `unable to upgrade: ${versionHeader} is required`);
  }
  const protocol = offered.find((candidate) => protocols.includes(candidate));
  if (protocol === undefined) {
    const message =
      "unable to upgrade: unable to negotiate protocol: " +
      `client supports [${offered.join(" ")}], server accepts [${protocols.join(" ")}]`;
    return refuse(exchange, 403, message, { [acceptedHeader]: protocols });
  }
  const taken = switchProtocols(exchange, {
    Connection: "Upgrade",
    Upgrade: spdyProtocol,
    [versionHeader]: protocol,
  });
  if (taken === undefined) return refuse(exchange, 400, missingUpgradeHeaders);
  return { protocol, session: createSpdySession({ ...taken, role: "server", onStream }) };
}

export const missingUpgradeHeaders = "unable to upgrade: missing upgrade headers in request";

/** The server answered instead of changing the protocol. */
export class UpgradeRefusedError extends Error {
  override readonly name = "UpgradeRefusedError";
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`unable to upgrade connection: ${body.trim() || status}`);
    this.status = status;
    this.body = body;
  }
}

export interface DialSpdyOptions {
  /** @default "POST" */
  readonly method?: string;
  readonly path: string;
  readonly headers?: HttpResponseHeaders;
  readonly signal?: AbortSignal;
}

/** Most of a refusal that is kept. */
const refusalBytesMax = 64 << 10;

/** Errors: `UpgradeRefusedError`, or what `HttpClient.upgrade` throws. */
export async function dialSpdy(
  client: HttpClient,
  protocols: readonly string[],
  options: DialSpdyOptions,
): Promise<SpdyUpgrade> {
  const result = await client.upgrade({
    ...options,
    method: options.method ?? "POST",
    headers: { ...options.headers, upgrade: spdyProtocol, [versionHeader]: protocols },
  });
  if (!result.upgraded) {
    const { status } = result.response;
    const body = await result.response.readAll(refusalBytesMax).catch(() => Buffer.alloc(0));
    throw new UpgradeRefusedError(status, Buffer.from(body).toString("utf8"));
  }
  const session = createSpdySession({ ...result, role: "client" });
  const protocol = result.headers[versionHeader.toLowerCase()] ?? protocols.at(-1) ?? "";
  if (protocols.includes(protocol)) return { protocol, session };
  session[Symbol.dispose]();
  throw new IoError("upgrade", "EPROTO", { detail: `server chose protocol ${protocol}` });
}
