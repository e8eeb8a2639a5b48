/**
 * The HTTP client: HTTP/2 over few connections where the server speaks it, else HTTP/1.1.
 *
 * Invariants: 1. A request is sent again only if the server cannot have begun it. 2. A connection
 * that the server retires, that breaks or stays silent gets no new requests; the next one dials.
 * 3. Disposing breaks off what is in flight.
 */
import type { TLSSocket } from "node:tls";
import type {
  HttpClient,
  HttpRequestOptions,
  HttpResponse,
  HttpResponseHeaders,
  HttpUpgradeOptions,
  HttpUpgradeResult,
} from "../http.ts";
import { dialTls, joinHostPort, type DialAddress, type TlsClientOptions } from "./dial.ts";
import { createHttp1Transport } from "./http1-client.ts";
import { createHttp2Pool } from "./http2-client.ts";
import { requestUpgrade } from "./http-upgrade.ts";

export interface HttpClientOptions {
  /** Scheme, host, port, and a path prefix if there is one. */
  readonly baseUrl: string;
  /** A function is asked for every connection: for credentials that change. */
  readonly tls?: TlsClientOptions | (() => TlsClientOptions);
  /** Bearer token; a function is asked for every request. */
  readonly token?: string | (() => string | undefined);
  /** Connects here; the URL only names the host. */
  readonly unixSocket?: string;
  readonly userAgent?: string;
  /** Never offers HTTP/2. @default false */
  readonly http1Only?: boolean;
  /** @default true; only for HTTP/1.1 */
  readonly keepAlive?: boolean;
  /** @default 30 s */
  readonly connectMs?: number;
}

/** Sends what both versions know how to send. */
export interface HttpTransport extends Disposable {
  send(options: HttpRequestOptions): Promise<HttpResponse>;
  /** Uses no connection any longer for new requests. */
  retire(): void;
}

/** What the transports need to reach the server. */
export interface HttpTarget {
  readonly secure: boolean;
  readonly authority: string;
  readonly address: DialAddress;
  readonly keepAlive: boolean;
  readonly connectMs: number | undefined;
  tls(): TlsClientOptions;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const url = new URL(options.baseUrl);
  const prefix = url.pathname === "/" ? "" : url.pathname.replace(/\/$/, "");
  const target = httpTarget(url, options);
  const transport =
    options.http1Only || !target.secure ? createHttp1Transport(target) : negotiate(target);

  function withDefaults(headers: HttpResponseHeaders = {}): HttpResponseHeaders {
    const all: Record<string, string | readonly string[]> = {};
    if (options.userAgent !== undefined) all["user-agent"] = options.userAgent;
    const token = typeof options.token === "function" ? options.token() : options.token;
    if (token !== undefined) all["authorization"] = `Bearer ${token}`;
    for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value;
    return all;
  }

  function request(wanted: HttpRequestOptions): Promise<HttpResponse> {
    const headers = withDefaults(wanted.headers);
    return transport.send({ ...wanted, path: prefix + wanted.path, headers });
  }

  function upgrade(wanted: HttpUpgradeOptions): Promise<HttpUpgradeResult> {
    const headers = withDefaults(wanted.headers);
    return requestUpgrade(target, { ...wanted, path: prefix + wanted.path, headers });
  }

  return {
    request,
    upgrade,
    reconnect: () => transport.retire(),
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
    },
  };
}

function httpTarget(url: URL, options: HttpClientOptions): HttpTarget {
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const { tls = {}, unixSocket } = options;
  return {
    secure,
    authority: url.port === "" ? url.hostname : joinHostPort(host, port),
    address: unixSocket === undefined ? { host, port } : { socketPath: unixSocket },
    keepAlive: options.keepAlive ?? true,
    connectMs: options.connectMs,
    tls() {
      const current = typeof tls === "function" ? tls() : tls;
      return unixSocket === undefined ? current : { serverName: host, ...current };
    },
  };
}

/** Finds out on the first connection which version the server speaks, and stays with it. */
function negotiate(target: HttpTarget): HttpTransport {
  const http1 = createHttp1Transport(target);
  let speaksHttp1 = false;

  const http2 = createHttp2Pool(
    target.authority,
    async (signal): Promise<TLSSocket | undefined> => {
      const tls = { ...target.tls(), alpn: ["h2", "http/1.1"] };
      const socket = await dialTls(target.address, tls, { signal, timeoutMs: target.connectMs });
      if (socket.alpnProtocol === "h2") return socket;
      speaksHttp1 = true;
      socket.destroy();
      return undefined;
    },
  );

  return {
    async send(options) {
      if (!speaksHttp1) {
        const response = await http2.send(options);
        if (response !== undefined) return response;
      }
      return http1.send(options);
    },
    retire() {
      speaksHttp1 = false;
      http1.retire();
      http2.retire();
    },
    [Symbol.dispose]() {
      http1[Symbol.dispose]();
      http2[Symbol.dispose]();
    },
  };
}
