import { constants, type IncomingHttpHeaders, sensitiveHeaders, type ServerHttp2Stream } from "node:http2";
import { assert } from "../assert.ts";
import type {
  HttpExchange,
  HttpHeaders,
  HttpResponseHeaders,
  HttpResponseWriter,
  PeerCertificate,
} from "../http.ts";
import { bodyChunks, bodyReadMsMax, readWhole } from "./http-body.ts";
import type { HttpConnection } from "./http-connection.ts";
import { byteLength, pump, responseWriter } from "./http-response.ts";

const { NGHTTP2_NO_ERROR } = constants;

/** Headers that belong to an HTTP/1.1 connection and must not be sent here. */
const connectionHeaders = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
];

/** On the core stream API: the compatibility layer costs a tenth of a request more. */
export class Http2Exchange implements HttpExchange {
  readonly httpVersion = "2.0";
  readonly upgrade = undefined;
  answered = false;
  status: number | undefined;
  sentBytes = 0;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #rawHeaders: readonly string[];
  readonly #connection: HttpConnection;
  #abort: AbortController | undefined;
  /** The answer was handed over in one piece: the stream may close before it says that it has finished. */
  #isWhole = false;
  /** The headers of the answer, begun by `setHeader`. */
  readonly #fields: Record<string | symbol, string | string[] | number> = {};
  #onAnswer: (() => void) | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    connection: HttpConnection,
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#rawHeaders = rawHeaders;
    this.#connection = connection;
    // The client went away: `signal` and `closed` tell who cares.
    stream.on("error", ignore);
  }

  get method(): string {
    return this.#headers[":method"] as string;
  }

  get url(): string {
    return this.#headers[":path"] ?? "*";
  }

  get headers(): HttpHeaders {
    return this.#headers as HttpHeaders;
  }

  get host(): string {
    return this.#headers[":authority"] ?? this.#headers.host ?? "";
  }

  get secure(): boolean {
    return this.#connection.secure;
  }

  get peerCertificate(): PeerCertificate | undefined {
    return this.#connection.peerCertificate;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get remotePort(): number {
    return this.#connection.remotePort;
  }

  headerValues(name: string): readonly string[] {
    return rawValues(this.#rawHeaders, name);
  }

  get body(): AsyncIterable<Uint8Array> {
    return bodyChunks(this.#stream);
  }

  readBody(limitBytes: number): Promise<Uint8Array> {
    if (this.#stream.endAfterHeaders) return Promise.resolve(new Uint8Array());
    const contentLength = this.#headers["content-length"];
    return readWhole(this.#stream, { limitBytes, contentLength, timeoutMs: bodyReadMsMax });
  }

  get signal(): AbortSignal {
    if (this.#abort !== undefined) return this.#abort.signal;
    const abort = (this.#abort = new AbortController());
    const stream = this.#stream;
    const onClose = (): void => {
      if (!this.#isWhole && !stream.writableFinished) abort.abort(new DOMException("client went away", "AbortError"));
    };
    if (stream.closed || stream.destroyed) onClose();
    else stream.once("close", onClose);
    return abort.signal;
  }

  onAnswer(run: () => void): void {
    this.#onAnswer = run;
  }

  setHeader(name: string, value: string): void {
    this.#fields[name] = value;
  }

  setUniqueHeader(name: string, value: string): void {
    this.#fields[name] = value;
    // It would push out of the table what other answers share.
    const unindexed = this.#fields[sensitiveHeaders];
    if (Array.isArray(unindexed)) unindexed.push(name);
    else this.#fields[sensitiveHeaders] = [name];
  }

  respond(status: number, headers: HttpResponseHeaders, body?: string | Uint8Array): void {
    const isHead = this.method === "HEAD";
    const sizeBytes = body === undefined ? 0 : byteLength(body);
    const empty = sizeBytes === 0 || isHead;
    const sized = status === 204 || status === 304 ? headers : withLength(headers, sizeBytes);
    if (!this.#begin(status, sized, empty)) return;
    this.#isWhole = true;
    if (!empty) {
      this.sentBytes = sizeBytes;
      this.#stream.end(body);
    }
    this.#dropBody();
  }

  async respondStream(
    status: number,
    headers: HttpResponseHeaders,
    chunks: AsyncIterable<Uint8Array | string>,
  ): Promise<void> {
    const writer = this.startResponse(status, headers);
    if (this.method === "HEAD") writer.end();
    else await pump(chunks, writer);
  }

  startResponse(status: number, headers: HttpResponseHeaders): HttpResponseWriter {
    this.#begin(status, headers, false);
    const stream = this.#stream;
    // Not `close`: it would end the stream properly before it resets it.
    return responseWriter(stream, {
      abort: () => void stream.destroy(new Error("answer broken off")),
      onBytes: (count) => void (this.sentBytes += count),
    });
  }

  /** Ends an answer that its handler left unfinished, so that the client sees it. */
  breakOff(): void {
    if (!this.#stream.writableEnded) this.#stream.destroy(new Error("answer broken off"));
  }

  /** False when nobody is there to answer. */
  #begin(status: number, headers: HttpResponseHeaders, endStream: boolean): boolean {
    assert(!this.answered, `second answer to ${this.method} ${this.url}`);
    this.answered = true;
    this.status = status;
    this.#onAnswer?.();
    if (this.#stream.destroyed || this.#stream.closed) return false;
    const fields = this.#fields;
    fields[":status"] = status;
    for (const [name, value] of Object.entries(headers)) {
      const lower = name.toLowerCase();
      if (connectionHeaders.includes(lower)) continue;
      fields[lower] = typeof value === "string" ? value : [...value];
    }
    this.#stream.respond(fields, { endStream });
    return true;
  }

  /** A body that nobody read must not hold the stream and its window. */
  #dropBody(): void {
    const stream = this.#stream;
    if (stream.endAfterHeaders || stream.readableEnded) return;
    stream.once("finish", () => {
      if (!stream.readableEnded) stream.close(NGHTTP2_NO_ERROR);
    });
    stream.resume();
  }
}

function ignore(): void {}

function withLength(headers: HttpResponseHeaders, sizeBytes: number): HttpResponseHeaders {
  return "content-length" in headers
    ? headers
    : { ...headers, "content-length": String(sizeBytes) };
}

/** `raw` alternates names and values. */
export function rawValues(raw: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() === name) values.push(raw[i + 1] as string);
  }
  return values;
}
