import { errorMessage } from "../error-message.ts";
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { pipeline } from "node:stream/promises";
import type { TLSSocket } from "node:tls";
import { IoError } from "../files.ts";
import type { HttpHeaders, HttpRequestOptions, HttpResponse } from "../http.ts";
import { goneError } from "./http-body.ts";
import { httpResponse, watchDeadline } from "./http-client-response.ts";
import { errnoOf, toIoError } from "./io-error.ts";

/** A silent connection is tested after this long, and given up when no answer comes. */
const pingAfterMs = 30_000;
const pingAnswerMs = 15_000;
/** Tries of a request that servers refuse unseen. */
const attemptsMax = 4;
/** Streams that a server takes before it has said how many it takes. */
const streamsAssumedMax = 100;
const sessionMemoryMiB = 1024;
/** A connection without requests is closed. Source: Go's `IdleConnTimeout`. */
const idleMs = 90_000;

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR } = constants;

/** Undefined when the server does not speak HTTP/2. */
export type DialHttp2 = (signal: AbortSignal) => Promise<TLSSocket | undefined>;

export interface Http2Pool extends Disposable {
  /** Undefined when the server does not speak HTTP/2. */
  send(options: HttpRequestOptions): Promise<HttpResponse | undefined>;
  retire(): void;
}

interface PooledSession {
  readonly session: ClientHttp2Session;
  streamCount: number;
  retired: boolean;
}

export function createHttp2Pool(authority: string, dialHttp2: DialHttp2): Http2Pool {
  const sessions = new Set<PooledSession>();
  const ended = new AbortController();
  let dialing: Promise<PooledSession | undefined> | undefined;

  /** A session with one more stream on its count. */
  function free(): PooledSession | undefined {
    for (const pooled of sessions) {
      if (pooled.retired || pooled.session.destroyed || pooled.session.closed) continue;
      const limit = pooled.session.remoteSettings?.maxConcurrentStreams ?? streamsAssumedMax;
      if (pooled.streamCount < limit) {
        // Taken at once: others ask before the stream is there.
        if (pooled.streamCount++ === 0) pooled.session.setTimeout(0);
        return pooled;
      }
    }
    return undefined;
  }

  /** One dial at a time: a burst of requests must not open a burst of connections. */
  async function acquire(signal: AbortSignal | undefined): Promise<PooledSession | undefined> {
    for (;;) {
      const pooled = free();
      if (pooled !== undefined) return pooled;
      dialing ??= open().finally(() => (dialing = undefined));
      const opened = await unlessAborted(dialing, signal);
      if (opened === undefined) return undefined;
    }
  }

  async function open(): Promise<PooledSession | undefined> {
    const socket = await dialHttp2(ended.signal);
    if (socket === undefined) return undefined;
    const session = await openSession(authority, socket);
    const pooled: PooledSession = { session, streamCount: 0, retired: false };
    sessions.add(pooled);
    session.once("close", () => sessions.delete(pooled));
    session.on("goaway", () => (pooled.retired = true));
    return pooled;
  }

  async function send(options: HttpRequestOptions): Promise<HttpResponse | undefined> {
    for (let attempt = 1; ; attempt++) {
      options.signal?.throwIfAborted();
      const pooled = await acquire(options.signal);
      if (pooled === undefined) return undefined;
      const result = await exchange(pooled, options);
      if (result !== "refused") return result;
      const replayable = typeof options.body !== "object" || options.body instanceof Uint8Array;
      if (!replayable || attempt === attemptsMax) throw goneError("request");
    }
  }

  return {
    send,
    retire() {
      for (const pooled of sessions) {
        pooled.retired = true;
        pooled.session.close();
      }
    },
    [Symbol.dispose]() {
      ended.abort(new IoError("request", "ECANCELED", { detail: "client closed" }));
      for (const { session } of sessions) session.destroy();
    },
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Waits for the server's settings: they say how many streams it takes. */
async function openSession(authority: string, socket: TLSSocket): Promise<ClientHttp2Session> {
  const session = connect(`https://${authority}`, {
    createConnection: () => socket,
    maxSessionMemory: sessionMemoryMiB,
    maxHeaderListPairs: 2000,
    settings: { enablePush: false, initialWindowSize: 4 << 20, maxHeaderListSize: 10 << 20 },
  });
  session.on("error", () => session.destroy());
  await new Promise<void>((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    session.once("close", () => reject(goneError("request")));
  });
  session.setLocalWindowSize(64 << 20);
  session.on("timeout", () => session.close());
  watchSilence(session);
  return session;
}

function watchSilence(session: ClientHttp2Session): void {
  let bytesSeen = 0;
  const socket = session.socket;
  const timer = setInterval(() => {
    const { bytesRead } = socket;
    if (bytesRead !== bytesSeen) {
      bytesSeen = bytesRead;
      return;
    }
    const giveUp = setTimeout(() => session.destroy(), pingAnswerMs).unref();
    if (!session.ping(() => clearTimeout(giveUp))) clearTimeout(giveUp);
  }, pingAfterMs).unref();
  session.once("close", () => clearInterval(timer));
}

/** Sends on one session; "refused" when the server has not begun the request. */
function exchange(
  pooled: PooledSession,
  options: HttpRequestOptions,
): Promise<HttpResponse | "refused"> {
  const { session } = pooled;
  const stream = begin(session, options);
  if (stream === undefined) {
    pooled.retired = true;
    release(pooled);
    return Promise.resolve("refused");
  }
  const deadline = watchDeadline(options, () => stream.close(NGHTTP2_CANCEL));
  stream.once("close", () => {
    deadline[Symbol.dispose]();
    release(pooled);
  });
  return new Promise((resolve, reject) => {
    let failure: unknown;
    stream.on("error", (error) => (failure ??= error));
    stream.once(
      "response",
      (headers: IncomingHttpHeaders & { ":status"?: number }, _flags, raw) => {
        deadline.stopTimer();
        const head = {
          status: headers[":status"] ?? 0,
          headers: headers as HttpHeaders,
          rawHeaders: raw as unknown as readonly string[],
        };
        resolve(httpResponse(head, stream, () => stream.close(NGHTTP2_CANCEL)));
      },
    );
    stream.once("close", () => {
      if (deadline.reason !== undefined) reject(deadline.reason);
      else if (stream.rstCode === NGHTTP2_REFUSED_STREAM) resolve("refused");
      else reject(toIoErrorOfStream(failure, stream));
    });
    sendBody(stream, options.body);
  });
}

function release(pooled: PooledSession): void {
  const { session } = pooled;
  if (--pooled.streamCount === 0 && !session.destroyed) session.setTimeout(idleMs);
}

function begin(
  session: ClientHttp2Session,
  options: HttpRequestOptions,
): ClientHttp2Stream | undefined {
  const headers: OutgoingHttpHeaders = { ":method": options.method, ":path": options.path };
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (name === "host") headers[":authority"] = String(value);
    else headers[name] = typeof value === "string" ? value : [...value];
  }
  const { body } = options;
  if (typeof body === "string" || body instanceof Uint8Array) {
    headers["content-length"] = String(Buffer.byteLength(body));
  }
  try {
    return session.request(headers, { endStream: body === undefined });
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ERR_HTTP2_GOAWAY_SESSION" || code === "ERR_HTTP2_INVALID_SESSION")
      return undefined;
    throw toIoError("request", options.path, error);
  }
}

function sendBody(stream: ClientHttp2Stream, body: HttpRequestOptions["body"]): void {
  if (body === undefined) return;
  if (typeof body === "string" || body instanceof Uint8Array) stream.end(body);
  // A failed source cancels the stream, and with it the request.
  else pipeline(body, stream).catch(() => stream.close(NGHTTP2_CANCEL));
}

function toIoErrorOfStream(failure: unknown, stream: ClientHttp2Stream): IoError {
  if (failure === undefined || stream.rstCode === NGHTTP2_NO_ERROR) return goneError("request");
  const code = errnoOf(failure);
  if (!code.startsWith("ERR_HTTP2")) return toIoError("request", "stream", failure);
  const detail = errorMessage(failure);
  return new IoError("request", "ECONNRESET", { cause: failure, detail: `request: ${detail}` });
}
