/** HTTP as a port: one shape for HTTP/1.1 and HTTP/2, server and client. `os/http*.ts` are real. */
import type { Duplex } from "node:stream";

/** Lower-case names. A name that came several times has its values joined by ", ". */
export type HttpHeaders = Readonly<Record<string, string | undefined>>;
export type HttpResponseHeaders = Readonly<Record<string, string | readonly string[]>>;

/** A TLS client certificate. The object is the same for all requests of a connection. */
export interface PeerCertificate {
  /** DER, the leaf first, then what the peer sent with it or the trust store completed. */
  readonly chain: readonly Uint8Array[];
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Whether it chained to the server's `ca` when the connection was made. */
  readonly trusted: boolean;
}

/** A body that is longer than the reader allows. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    super(`body exceeds ${limitBytes} bytes`);
    this.limitBytes = limitBytes;
  }
}

/** One request and its answer, which is given exactly once by one of the three answer methods. */
export interface HttpExchange {
  readonly method: string;
  /** Path and query as they came, percent-encoding and all. */
  readonly url: string;
  readonly headers: HttpHeaders;
  /** The values of a header one by one, as they came. */
  headerValues(name: string): readonly string[];
  readonly httpVersion: "1.0" | "1.1" | "2.0";
  /** The Host header, or `:authority`. */
  readonly host: string;
  readonly secure: boolean;
  /** Undefined without TLS or without a client certificate. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** Empty on a unix socket. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The body once; ends with an `IoError` when the client goes away. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Rejects with `BodyTooLargeError` beyond the limit, with `IoError` if the client goes away. */
  readBody(limitBytes: number): Promise<Uint8Array>;
  /** Aborts when the client goes away before the answer is complete. */
  readonly signal: AbortSignal;
  /** Present when the client asks to change protocol, and the connection can. */
  readonly upgrade: HttpUpgrade | undefined;

  /** True once an answer was begun. */
  readonly answered: boolean;
  /** Status of the answer that was begun. */
  readonly status?: number | undefined;
  /** Adds a header to whatever answer is begun later, unless that names its own. Lower case. */
  setHeader(name: string, value: string): void;
  /** The same for a value that no other answer has: HTTP/2 does not put it in its table of headers. */
  setUniqueHeader(name: string, value: string): void;
  /** Calls once, when an answer is begun or the connection is taken over. */
  onAnswer(run: () => void): void;
  /** Bytes of the answer's body so far, as they were handed over. */
  readonly sentBytes: number;
  /** Answers whole. */
  respond(status: number, headers: HttpResponseHeaders, body?: string | Uint8Array): void;
  /** Answers chunk by chunk with back-pressure; resolves when all is passed on or nobody reads. */
  respondStream(
    status: number,
    headers: HttpResponseHeaders,
    chunks: AsyncIterable<Uint8Array | string>,
  ): Promise<void>;
  /** Answers as the caller writes. */
  startResponse(status: number, headers: HttpResponseHeaders): HttpResponseWriter;
}

export interface HttpUpgrade {
  /** The Upgrade header's value. */
  readonly protocol: string;
  /** Takes the raw connection over; the taker writes the 101 answer itself. Counts as answering. */
  take(): UpgradedSocket;
}

export interface UpgradedSocket {
  readonly socket: Duplex;
  /** What was read beyond the request (or answer): belongs before the socket's own data. */
  readonly head: Uint8Array;
}

export interface HttpResponseWriter {
  /** False when the caller had better wait for `onDrain`; what was passed is kept all the same. */
  write(chunk: Uint8Array | string): boolean;
  /** Bytes that wait for the client. */
  readonly pendingBytes: number;
  readonly closed: boolean;
  onDrain(run: () => void): void;
  /** Calls once when the answer is complete or the client is gone; at once if it is already. */
  onClose(run: () => void): void;
  end(chunk?: Uint8Array | string): void;
  /** Breaks the answer off, so that the client sees that it is not complete. */
  abort(): void;
}

export type HttpHandler = (exchange: HttpExchange) => void | Promise<void>;

export interface TlsServerCredentials {
  /** PEM, the leaf first. */
  readonly cert: string;
  readonly key: string;
  /** PEM of the authorities for client certificates; clients are asked for one when present. */
  readonly ca?: string;
}

export interface HttpServer extends AsyncDisposable {
  /** The port that was bound; 0 on a unix socket. */
  readonly port: number;
  readonly connectionCount: number;
  /** Takes effect for new connections. Throws nothing for plain HTTP: it has none. */
  setCredentials(credentials: TlsServerCredentials): void;
  /**
   * Stops accepting, tells clients to go elsewhere (GOAWAY), lets what is in flight finish, and
   * cuts off what is left after `graceMs`, or when `cut` aborts. Disposing is `close(0)`.
   */
  close(graceMs: number, cut?: AbortSignal): Promise<void>;
}

export interface HttpRequestOptions {
  readonly method: string;
  /** Path and query, encoded. */
  readonly path: string;
  readonly headers?: HttpResponseHeaders;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  /** Until the answer's headers are there. @default none */
  readonly timeoutMs?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly headerValues: (name: string) => readonly string[];
  /** Read it once, or `discard` it. Throws `IoError` when the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Rejects with `BodyTooLargeError` beyond the limit. @default 64 MiB */
  readAll(limitBytes?: number): Promise<Uint8Array>;
  discard(): void;
}

export interface HttpUpgradeOptions {
  readonly method?: string;
  readonly path: string;
  /** `connection: Upgrade` is added. */
  readonly headers: HttpResponseHeaders;
  readonly signal?: AbortSignal;
}

export type HttpUpgradeResult =
  | ({ readonly upgraded: true; readonly headers: HttpHeaders } & UpgradedSocket)
  | { readonly upgraded: false; readonly response: HttpResponse };

/** Requests reject with `IoError` when no answer came, or with the signal's reason. */
export interface HttpClient extends AsyncDisposable {
  request(options: HttpRequestOptions): Promise<HttpResponse>;
  /** Asks to change protocol, on a connection of its own. */
  upgrade(options: HttpUpgradeOptions): Promise<HttpUpgradeResult>;
  /** Lets connections finish and makes new ones: after credentials changed. */
  reconnect(): void;
}
