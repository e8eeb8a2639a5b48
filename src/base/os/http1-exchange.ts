import type { IncomingMessage, ServerResponse } from "node:http";
import { assert } from "../assert.ts";
import {
  BodyTooLargeError,
  type HttpExchange,
  type HttpHeaders,
  type HttpResponseHeaders,
  type HttpResponseWriter,
  type HttpUpgrade,
  type PeerCertificate,
  type UpgradedSocket,
} from "../http.ts";
import { bodyChunks, bodyReadMsMax, readWhole } from "./http-body.ts";
import { connectionOf, type HttpConnection } from "./http-connection.ts";
import { byteLength, pump, responseWriter } from "./http-response.ts";
import { rawValues } from "./http2-exchange.ts";

/** How long the rest of a refused body is swallowed, so that the client reads our answer first. */
const refusedBodyMs = 1000;

export class Http1Exchange implements HttpExchange {
  answered = false;
  status: number | undefined;
  sentBytes = 0;
  readonly upgrade: HttpUpgrade | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #connection: HttpConnection;
  #abort: AbortController | undefined;
  /** The headers of the answer, begun by `setHeader`. */
  readonly #fields: Record<string, string | string[]> = {};
  #onAnswer: (() => void) | undefined;
  readonly #isServerClosing: () => boolean;
  #closing: boolean;

  /**
   * `raw` is the connection of a request that Node handed over because it asks for an upgrade; `last` tells of one that
   * the parser has left: it ends with the answer.
   */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: { readonly raw?: UpgradedSocket; readonly last?: boolean; readonly isServerClosing: () => boolean },
  ) {
    this.#request = request;
    this.#response = response;
    this.#connection = connectionOf(request.socket);
    this.#closing = options.raw !== undefined || options.last === true;
    this.#isServerClosing = options.isServerClosing;
    request.on("error", ignore);
    response.on("error", ignore);
    if (this.#closing) this.#answerAndEnd();
    if (options.raw !== undefined) this.upgrade = this.#upgradeOf(options.raw);
  }

  get method(): string {
    return this.#request.method ?? "";
  }

  get url(): string {
    return originForm(this.#request.url ?? "/");
  }

  get headers(): HttpHeaders {
    return this.#request.headers as HttpHeaders;
  }

  get httpVersion(): "1.0" | "1.1" {
    return this.#request.httpVersionMinor === 0 ? "1.0" : "1.1";
  }

  get host(): string {
    return this.#request.headers.host ?? "";
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
    return rawValues(this.#request.rawHeaders, name);
  }

  get body(): AsyncIterable<Uint8Array> {
    return bodyChunks(this.#request);
  }

  async readBody(limitBytes: number): Promise<Uint8Array> {
    const contentLength = this.#request.headers["content-length"];
    try {
      const options = { limitBytes, contentLength, timeoutMs: bodyReadMsMax };
      return await readWhole(this.#request, options);
    } catch (error) {
      if (error instanceof BodyTooLargeError) this.#refuseRest();
      throw error;
    }
  }

  get signal(): AbortSignal {
    if (this.#abort !== undefined) return this.#abort.signal;
    const abort = (this.#abort = new AbortController());
    const response = this.#response;
    const onClose = (): void => {
      if (!response.writableFinished) {
        abort.abort(new DOMException("client went away", "AbortError"));
      }
    };
    if (response.closed || this.#request.socket.destroyed) onClose();
    else response.once("close", onClose);
    return abort.signal;
  }

  onAnswer(run: () => void): void {
    this.#onAnswer = run;
  }

  setHeader(name: string, value: string): void {
    this.#fields[name] = value;
  }

  setUniqueHeader(name: string, value: string): void {
    this.setHeader(name, value);
  }

  respond(status: number, headers: HttpResponseHeaders, body?: string | Uint8Array): void {
    const sizeBytes = body === undefined ? 0 : byteLength(body);
    const bodiless = status === 204 || status === 304 || "content-length" in headers;
    this.#begin(status, bodiless ? headers : { ...headers, "content-length": String(sizeBytes) });
    if (this.method !== "HEAD") this.sentBytes = sizeBytes;
    if (body === undefined) this.#response.end();
    else this.#response.end(body);
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
    this.#begin(status, headers);
    this.#response.flushHeaders();
    return responseWriter(this.#response, {
      abort: () => this.#request.socket.destroy(),
      onBytes: (count) => void (this.sentBytes += this.method === "HEAD" ? 0 : count),
    });
  }

  /** Ends an answer that its handler left unfinished, so that the client sees it. */
  breakOff(): void {
    if (!this.#response.writableEnded) this.#request.socket.destroy();
  }

  #begin(status: number, headers: HttpResponseHeaders): void {
    assert(!this.answered, `second answer to ${this.method} ${this.url}`);
    this.answered = true;
    this.status = status;
    this.#onAnswer?.();
    const fields = this.#fields;
    for (const [name, value] of Object.entries(headers)) {
      fields[name.toLowerCase()] = typeof value === "string" ? value : [...value];
    }
    if (this.#closing || this.#isServerClosing()) fields["connection"] = "close";
    this.#response.writeHead(status, fields);
  }

  #refuseRest(): void {
    this.#closing = true;
    const { socket } = this.#request;
    this.#response.once("finish", () => {
      this.#request.resume();
      setTimeout(() => socket.destroy(), refusedBodyMs).unref();
    });
  }

  /** On a connection that Node does not look after any more. */
  #answerAndEnd(): void {
    const { socket } = this.#request;
    this.#response.assignSocket(socket);
    this.#response.once("finish", () => socket.end());
  }

  #upgradeOf(raw: UpgradedSocket): HttpUpgrade {
    const response = this.#response;
    const socket = this.#request.socket;
    return {
      protocol: this.#request.headers.upgrade ?? "",
      take: () => {
        assert(!this.answered, `second answer to ${this.method} ${this.url}`);
        this.answered = true;
        this.#onAnswer?.();
        response.detachSocket(socket);
        return raw;
      },
    };
  }
}

function ignore(): void {}

/** A request target may be absolute (RFC 9112, 3.2.2): the server is the same. */
function originForm(target: string): string {
  if (target.startsWith("/")) return target;
  const match = /^https?:\/\/[^/?]*(.*)$/i.exec(target);
  if (match === null) return target;
  const rest = match[1] ?? "";
  return rest.startsWith("/") ? rest : `/${rest}`;
}
