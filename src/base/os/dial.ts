/** Outgoing connections. Failures are `IoError`s with Go's text, as events and probes show it. */
import { errorMessage } from "../error-message.ts";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { IoError } from "../files.ts";
import { errnoOf } from "./io-error.ts";

export type DialAddress =
  | { readonly host: string; readonly port: number; readonly localAddress?: string }
  | { readonly socketPath: string };

export interface TlsClientOptions {
  /** PEM; Node's own roots when absent. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Name that the server's certificate must have. @default the host */
  readonly serverName?: string;
  /** Takes any certificate. @default false */
  readonly insecure?: boolean;
}

export interface DialOptions {
  readonly signal?: AbortSignal | undefined;
  /** @default 30 s, as Go's default transport */
  readonly timeoutMs?: number | undefined;
}

export const dialMs = 30_000;

/** A connected TCP or unix socket, without Nagle's delay. */
export function dial(address: DialAddress, options: DialOptions = {}): Promise<Socket> {
  const socket =
    "socketPath" in address
      ? connectTcp({ path: address.socketPath })
      : connectTcp({
          host: address.host,
          port: address.port,
          noDelay: true,
          ...(address.localAddress === undefined ? {} : { localAddress: address.localAddress }),
        });
  return established(socket, "connect", address, options);
}

/** A connection after the TLS handshake; `alpnProtocol` tells what both sides speak. */
export function dialTls(
  address: DialAddress,
  tls: TlsClientOptions & { readonly alpn: readonly string[] },
  options: DialOptions = {},
): Promise<TLSSocket> {
  const target: ConnectionOptions =
    "socketPath" in address
      ? { path: address.socketPath }
      : { host: address.host, port: address.port };
  const socket = connectTls({
    ...target,
    ...tlsOptions(address, tls),
    ALPNProtocols: [...tls.alpn],
  });
  socket.setNoDelay(true);
  return established(socket, "secureConnect", address, options);
}

/** What Node's TLS connect and `https.request` take for these options. */
export function tlsOptions(address: DialAddress, tls: TlsClientOptions): ConnectionOptions {
  const host = "socketPath" in address ? "" : address.host;
  const name = tls.serverName ?? host;
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    // An address is no server name (RFC 6066), but is what the certificate is checked for.
    ...(isAddress(name) ? { servername: "" } : { servername: name }),
    rejectUnauthorized: tls.insecure !== true,
    minVersion: "TLSv1.2",
  };
}

function isAddress(name: string): boolean {
  return name.includes(":") || /^[\d.]+$/.test(name);
}

function established<S extends Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  address: DialAddress,
  options: DialOptions,
): Promise<S> {
  const { signal, timeoutMs = dialMs } = options;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      socket.off("error", fail).off("close", close).off(event, done);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.on("error", () => undefined);
      socket.destroy();
      reject(
        error instanceof Error && error === signal?.reason ? error : dialError(address, error),
      );
    };
    const done = (): void => {
      settle();
      resolve(socket);
    };
    const close = (): void => fail(new IoError("dial", "ECONNRESET"));
    const abort = (): void => fail(signal?.reason);
    const timer = setTimeout(() => fail(new IoError("dial", "ETIMEDOUT")), timeoutMs);
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort, { once: true });
    socket.once("error", fail).once("close", close).once(event, done);
  });
}

/** `dial tcp 10.0.0.1:80: connect: connection refused`, with the errno as its code. */
export function dialError(address: DialAddress, error: unknown): IoError {
  const target =
    "socketPath" in address
      ? `unix ${address.socketPath}`
      : `tcp ${joinHostPort(address.host, address.port)}`;
  const code = errnoOf(error);
  const reason = certificateProblem(error, code);
  if (reason !== undefined) return new IoError("dial", code, { cause: error, detail: reason });
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    const host = "socketPath" in address ? address.socketPath : address.host;
    const detail = `dial tcp: lookup ${host}: no such host`;
    return new IoError("dial", code, { cause: error, detail });
  }
  const detail = `dial ${target}: ${connectProblems.get(code) ?? errorMessage(error)}`;
  return new IoError("dial", code, { cause: error, detail });
}

const connectProblems = new Map([
  ["ECONNREFUSED", "connect: connection refused"],
  ["ECONNRESET", "connect: connection reset by peer"],
  ["EHOSTUNREACH", "connect: no route to host"],
  ["ENETUNREACH", "connect: network is unreachable"],
  ["EADDRNOTAVAIL", "connect: cannot assign requested address"],
  ["EACCES", "connect: permission denied"],
  ["ENOENT", "connect: no such file or directory"],
  ["ETIMEDOUT", "i/o timeout"],
]);

const unknownAuthority = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function certificateProblem(error: unknown, code: string): string | undefined {
  const prefix = "tls: failed to verify certificate: x509: ";
  if (unknownAuthority.has(code)) return `${prefix}certificate signed by unknown authority`;
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return `${prefix}certificate has expired or is not yet valid`;
  }
  if (code !== "ERR_TLS_CERT_ALTNAME_INVALID") return undefined;
  const { host, cert } = error as { host?: string; cert?: { subjectaltname?: string } };
  const names = (cert?.subjectaltname ?? "").replaceAll(/(DNS|IP Address):/g, "");
  return `${prefix}certificate is valid for ${names}, not ${host ?? ""}`;
}

/** Host and port as one text; IPv6 in brackets. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
