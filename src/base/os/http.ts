/**
 * HTTP servers: one TLS port for HTTP/2 and HTTP/1.1, or plain HTTP/1.1 on TCP or a unix socket.
 *
 * Invariants: 1. A handler that throws gets status 500 sent if nothing was, else the answer is
 * broken off; the server goes on. 2. A connection without requests is closed after `idleMs`.
 * 3. After `close`, no request is accepted, and no connection outlives the grace period.
 */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { HttpHandler, HttpServer, TlsServerCredentials } from "../http.ts";
import type { Logger } from "../log.ts";
import { connectionOf } from "./http-connection.ts";
import { answerClientError } from "./http-client-error.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import { toIoError } from "./io-error.ts";
import { nodeHttp } from "./node-http.ts";
import { isOtherMethod, readOtherMethod } from "./http-other-method.ts";

export interface HttpLimits {
  /** Of one request, all together. @default 1 MiB, as net/http */
  readonly headerBytesMax?: number;
  /** For the headers of one request. @default 32 s, as upstream */
  readonly headersMs?: number;
  /** For one request with its body; HTTP/1.1 only. @default 60 s */
  readonly requestMs?: number;
  /** For a connection without requests. @default 90 s, as upstream */
  readonly idleMs?: number;
  /** Of one HTTP/2 connection. @default 100, as upstream's `secure_serving.go` */
  readonly concurrentStreamsMax?: number;
}

export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string };

export interface ServeOptions {
  readonly listen: ListenAddress;
  readonly onRequest: HttpHandler;
  readonly log: Logger;
  readonly limits?: HttpLimits;
}

export interface ServeTlsOptions extends ServeOptions {
  readonly credentials: TlsServerCredentials;
  /** @default "TLSv1.2" */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** OpenSSL names for TLS 1.2. @default those with forward secrecy and authenticated encryption */
  readonly ciphers?: string;
}

/** Memory that one HTTP/2 connection may use: a client multiplexes all its watches on one. */
const sessionMemoryMiB = 1024;
/** Most header fields of one request. */
const headerPairsMax = 2000;
/** Of one stream: holds most objects in one go. Source: apiserver `secure_serving.go`. */
const streamWindowBytes = 256 << 10;
/** Streams that a client may reset at once, and per second from then on (CVE-2023-44487). */
const streamResetBurst = 1000;
const streamResetRate = 100;
/** Between probes of a silent TCP connection. Source: Go's `net.ListenConfig`. */
const keepAliveMs = 15_000;
const tls13Ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
const defaultCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

/** Rejects with `IoError` when it cannot listen. */
export async function serveHttps(options: ServeTlsOptions): Promise<HttpServer> {
  const limits = withDefaults(options.limits);
  const server = createSecureServer({
    ...secureOptions(options),
    allowHTTP1: true,
    maxSessionMemory: sessionMemoryMiB,
    maxHeaderListPairs: headerPairsMax,
    settings: {
      maxConcurrentStreams: limits.concurrentStreamsMax,
      initialWindowSize: streamWindowBytes,
      maxFrameSize: streamWindowBytes,
      maxHeaderListSize: limits.headerBytesMax,
    },
    handshakeTimeout: limits.headersMs,
    streamResetBurst,
    streamResetRate,
    http1Options: http1Options(limits),
  } as SecureServerOptions);
  // Node makes compatibility objects for every stream as soon as "request" has a listener.
  server.removeAllListeners("newListener");
  const state = createState(options, limits);
  listenToHttp1(server as unknown as Server, state);
  listenToHttp2(server, state);
  server.on("tlsClientError", (error, socket) => {
    options.log.debug("TLS handshake failed", { error, remote: socket.remoteAddress });
    socket.destroy();
  });
  return listen(server, state, (credentials) =>
    server.setSecureContext(secureOptions({ ...options, credentials })),
  );
}

/** Rejects with `IoError` when it cannot listen. */
export async function serveHttp(options: ServeOptions): Promise<HttpServer> {
  const limits = withDefaults(options.limits);
  const server = nodeHttp.createServer(http1Options(limits));
  const state = createState(options, limits);
  listenToHttp1(server, state);
  return listen(server, state, () => undefined);
}

function http1Options(limits: Required<HttpLimits>): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    requireHostHeader: false,
    // How late the limits on headers and requests may be noticed.
    connectionsCheckingInterval: Math.ceil(Math.min(2000, limits.headersMs / 4)),
  };
}

function secureOptions({ credentials, minVersion, ciphers }: ServeTlsOptions): SecureServerOptions {
  return {
    cert: credentials.cert,
    key: credentials.key,
    ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
    requestCert: credentials.ca !== undefined,
    rejectUnauthorized: false,
    minVersion: minVersion ?? "TLSv1.2",
    ciphers: `${tls13Ciphers}:${ciphers ?? defaultCiphers}`,
  };
}

function withDefaults(limits: HttpLimits = {}): Required<HttpLimits> {
  return {
    headerBytesMax: limits.headerBytesMax ?? 1 << 20,
    headersMs: limits.headersMs ?? 32_000,
    requestMs: limits.requestMs ?? 60_000,
    idleMs: limits.idleMs ?? 90_000,
    concurrentStreamsMax: limits.concurrentStreamsMax ?? 100,
  };
}

type ServedExchange = Http1Exchange | Http2Exchange;

interface ServerState {
  readonly options: ServeOptions;
  readonly limits: Required<HttpLimits>;
  readonly sockets: Set<Socket>;
  readonly sessions: Set<ServerHttp2Session>;
  readonly handle: (exchange: ServedExchange) => void;
  closing: boolean;
}

function createState(options: ServeOptions, limits: Required<HttpLimits>): ServerState {
  async function run(exchange: ServedExchange): Promise<void> {
    try {
      await options.onRequest(exchange);
    } catch (error) {
      options.log.error("request handler failed", error, {
        method: exchange.method,
        url: exchange.url,
      });
      if (exchange.answered) exchange.breakOff();
      else exchange.respond(500, { "content-type": "text/plain" }, "internal error\n");
    }
  }
  return {
    options,
    limits,
    sockets: new Set(),
    sessions: new Set(),
    handle: (exchange) => void run(exchange),
    closing: false,
  };
}

function listenToHttp1(server: Server, state: ServerState): void {
  const { limits } = state;
  const isServerClosing = (): boolean => state.closing;
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.requestMs;
  server.keepAliveTimeout = limits.idleMs;
  // The client that wins a race against our idle timer must not lose its request.
  server.keepAliveTimeoutBuffer = 1000;
  /** The last answer that a connection waits for. */
  const answering = new WeakMap<Socket, ServerResponse>();
  // Clients may offer h2c on any request; who does not know it ignores the offer (RFC 9110, 7.8).
  const upgradable = { shouldUpgradeCallback: (request: IncomingMessage) => !offersH2c(request) };
  Object.assign(server, upgradable);
  server.on("request", (request, response) => {
    if (refuses(request)) return;
    // An answer begun before the close keeps its connection alive: close that when it is idle.
    answering.set(request.socket, response);
    response.once("close", () => {
      if (state.closing) setImmediate(() => server.closeIdleConnections());
    });
    state.handle(new Http1Exchange(request, response, { isServerClosing }));
  });
  server.on("upgrade", (request, socket, head) => {
    const raw = { socket, head };
    socket.on("error", () => undefined);
    const response = new nodeHttp.ServerResponse(request);
    state.handle(new Http1Exchange(request, response, { raw, isServerClosing }));
  });
  const handleLast = (request: IncomingMessage): void => {
    request.socket.on("error", () => undefined);
    if (refuses(request)) return;
    const response = new nodeHttp.ServerResponse(request);
    state.handle(new Http1Exchange(request, response, { last: true, isServerClosing }));
  };
  server.on("connect", handleLast);
  server.on("clientError", (error, duplex) => {
    const socket = duplex as Socket;
    const done = (outcome: IncomingMessage | Error): void => {
      if (outcome instanceof Error) answerClientError(socket, outcome);
      else handleLast(outcome);
    };
    if (!isOtherMethod(error)) answerClientError(socket, error);
    else afterAnswer(socket, answering.get(socket), () => readOtherMethod(socket, error, { limits, done }));
  });
  server.on("connection", (socket) => track(state, socket));
}

/** Runs when a connection has its last answer; nothing is read until then. */
function afterAnswer(socket: Socket, last: ServerResponse | undefined, run: () => void): void {
  if (last === undefined || last.closed) {
    run();
    return;
  }
  socket.pause();
  last.once("close", () => {
    if (socket.destroyed) return;
    run();
    socket.resume();
  });
}

/** Answers what net/http refuses before any handler. */
function refuses({ headers, httpVersionMinor, socket }: IncomingMessage): boolean {
  if (httpVersionMinor === 1 && headers.host === undefined) {
    answerClientError(socket, "missing host");
    return true;
  }
  if ((headers["transfer-encoding"] ?? "chunked").toLowerCase() === "chunked") return false;
  answerClientError(socket, "unknown encoding");
  return true;
}

function offersH2c(request: IncomingMessage): boolean {
  return (request.headers.upgrade ?? "").toLowerCase().startsWith("h2c");
}

function track(state: ServerState, socket: Socket): void {
  state.sockets.add(socket);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  socket.once("close", () => state.sockets.delete(socket));
}

function listenToHttp2(server: Http2SecureServer, state: ServerState): void {
  const { idleMs, concurrentStreamsMax } = state.limits;
  const streamCounts = new WeakMap<ServerHttp2Session, number>();
  server.on("session", (session) => {
    state.sessions.add(session);
    session.once("close", () => state.sessions.delete(session));
    session.on("error", () => session.destroy());
    session.setLocalWindowSize(streamWindowBytes * concurrentStreamsMax);
    session.on("timeout", () => session.close());
    session.setTimeout(idleMs);
    // Read now: a session that has lost its socket cannot tell any more.
    void connectionOfSession(session).peerCertificate;
    if (state.closing) session.close();
  });
  const onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[],
  ): void => {
    const { session } = stream;
    if (session === undefined || session.destroyed) return;
    const owner = session as ServerHttp2Session;
    const count = streamCounts.get(owner) ?? 0;
    streamCounts.set(owner, count + 1);
    // A watch without events is no idle connection.
    if (count === 0) owner.setTimeout(0);
    stream.once("close", () => {
      const left = (streamCounts.get(owner) ?? 1) - 1;
      streamCounts.set(owner, left);
      if (left === 0 && !owner.destroyed) owner.setTimeout(idleMs);
    });
    state.handle(new Http2Exchange(stream, headers, rawHeaders, connectionOfSession(owner)));
  };
  server.on("stream", onStream);
}

const sessionConnections = new WeakMap<ServerHttp2Session, ReturnType<typeof connectionOf>>();

function connectionOfSession(session: ServerHttp2Session): ReturnType<typeof connectionOf> {
  const known = sessionConnections.get(session);
  if (known !== undefined) return known;
  const connection = connectionOf(session.socket as Socket);
  sessionConnections.set(session, connection);
  return connection;
}

async function listen(
  server: Server | Http2SecureServer,
  state: ServerState,
  setCredentials: (credentials: TlsServerCredentials) => void,
): Promise<HttpServer> {
  const { listen: address } = state.options;
  const target = "socketPath" in address ? address.socketPath : `${address.host}:${address.port}`;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(toIoError("listen", target, error)));
    if ("socketPath" in address) server.listen(address.socketPath, resolve);
    else server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  let closed: Promise<void> | undefined;
  const close = (graceMs: number, cut?: AbortSignal): Promise<void> =>
    (closed ??= shutDown(server, state, { graceMs, cut }));
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : 0,
    get connectionCount() {
      return state.sockets.size;
    },
    setCredentials,
    close,
    [Symbol.asyncDispose]: () => close(0),
  };
}

async function shutDown(
  server: Server | Http2SecureServer,
  state: ServerState,
  { graceMs, cut: early }: { readonly graceMs: number; readonly cut: AbortSignal | undefined },
): Promise<void> {
  state.closing = true;
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const session of state.sessions) session.close();
  const cut = (): void => {
    for (const session of state.sessions) session.destroy();
    for (const socket of state.sockets) socket.destroy();
  };
  const timer = graceMs > 0 ? setTimeout(cut, graceMs) : undefined;
  early?.addEventListener("abort", cut);
  if (timer === undefined || early?.aborted === true) cut();
  await ended;
  early?.removeEventListener("abort", cut);
  clearTimeout(timer);
}
