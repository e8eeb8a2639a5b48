/**
 * Exec and attach: one interface over WebSocket channels and SPDY streams, for whoever runs the
 * command. Source: kubelet cri/streaming/remotecommand.
 */
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import type { Clock } from "#base/clock.ts";
import type { HttpExchange } from "#base/http.ts";
import { acceptSpdy, isSpdyRequest, missingUpgradeHeaders } from "./spdy-upgrade.ts";
import type { SpdyStream } from "./spdy.ts";
import { refuse } from "./switching-protocols.ts";
import { acceptWebSocket, isWebSocketRequest } from "./websocket.ts";
import { channelProtocols, openChannels, type ChannelUse } from "./websocket-channels.ts";

/** Newest first; the last two cannot tell an exit code. */
export const spdyRemoteCommandProtocols = [
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
] as const;
const webSocketProtocols = ["", ...Object.values(channelProtocols)];

/** How long a client may take to open its streams. Source: DefaultStreamCreationTimeout. */
export const streamCreationMs = 30_000;

export interface RemoteCommandRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** A `metav1.Status`: how the command went. */
export interface RemoteCommandStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: object;
  readonly code?: number;
}

/** The client, as the command sees it. Streams that were not asked for are undefined. */
export interface RemoteCommandSession {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Calls for every size that the client sends, also for those that came before. */
  onResize(run: (size: TerminalSize) => void): void;
  /** Aborts when the client goes away before `finish`. */
  readonly signal: AbortSignal;
  /** Ends the output, tells how the command went, closes the connection. */
  finish(status: RemoteCommandStatus): Promise<void>;
}

/** Undefined when it had to refuse; the exchange is answered then. */
export async function acceptRemoteCommand(
  exchange: HttpExchange,
  request: RemoteCommandRequest,
  clock: Clock,
): Promise<RemoteCommandSession | undefined> {
  if (isWebSocketRequest(exchange)) return acceptOverWebSocket(exchange, request);
  if (isSpdyRequest(exchange)) return acceptOverSpdy(exchange, request, clock);
  return refuse(exchange, 400, missingUpgradeHeaders);
}

const channelNumbers = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

async function acceptOverWebSocket(
  exchange: HttpExchange,
  request: RemoteCommandRequest,
): Promise<RemoteCommandSession | undefined> {
  const socket = await acceptWebSocket(exchange, webSocketProtocols);
  if (socket === undefined) return undefined;
  const uses: ChannelUse[] = [
    request.stdin ? "read" : "ignore",
    request.stdout ? "write" : "ignore",
    request.stderr ? "write" : "ignore",
    "write",
    "read",
  ];
  const channels = openChannels(socket, uses);
  const { stdin, stdout, stderr, error, resize } = channelNumbers;
  const lowest = request.stdout ? stdout : request.stderr ? stderr : error;
  channels.sendEmpty(lowest);
  return sessionOf({
    stdin: channels.readables[stdin],
    stdout: channels.writables[stdout],
    stderr: channels.writables[stderr],
    error: channels.writables[error] as Writable,
    resize: channels.readables[resize],
    version: /^v[45]\./.test(socket.protocol) ? 4 : 1,
    close: channels.close,
    closed: channels.closed,
  });
}

async function acceptOverSpdy(
  exchange: HttpExchange,
  request: RemoteCommandRequest,
  clock: Clock,
): Promise<RemoteCommandSession | undefined> {
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<boolean>();
  const expected = new Set<string>();
  const onStream = (stream: SpdyStream): void => {
    streams.set(stream.headers["streamtype"] ?? "", stream);
    expected.delete(stream.headers["streamtype"] ?? "");
    if (expected.size === 0) complete.resolve(true);
  };
  const upgrade = acceptSpdy(exchange, spdyRemoteCommandProtocols, onStream);
  if (upgrade === undefined) return undefined;
  const { session, protocol } = upgrade;
  const version = Number(/^v(\d)/.exec(protocol)?.[1] ?? 1);
  for (const type of expectedStreams(request, version)) expected.add(type);

  using _timer = clock.after(streamCreationMs, () => complete.resolve(false));
  void session.closed.then(() => complete.resolve(false));
  if (!(await complete.promise)) {
    session[Symbol.dispose]();
    return undefined;
  }
  return sessionOf({
    stdin: streams.get("stdin"),
    stdout: streams.get("stdout"),
    stderr: streams.get("stderr"),
    error: streams.get("error") as SpdyStream,
    resize: streams.get("resize"),
    version,
    close: () => session.close(),
    closed: session.closed,
  });
}

/** Which streams a client opens, by name. Version 3 brought resizing. */
export function expectedStreams(request: RemoteCommandRequest, version: number): string[] {
  const types = ["error"];
  if (request.stdin) types.push("stdin");
  if (request.stdout) types.push("stdout");
  if (request.stderr) types.push("stderr");
  if (request.tty && version >= 3) types.push("resize");
  return types;
}

interface SessionParts {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  readonly error: Writable;
  readonly resize: Readable | undefined;
  readonly version: number;
  readonly close: () => void;
  readonly closed: Promise<void>;
}

function sessionOf(parts: SessionParts): RemoteCommandSession {
  const gone = new AbortController();
  let isFinished = false;
  void parts.closed.then(() => {
    if (!isFinished) gone.abort(new DOMException("client went away", "AbortError"));
  });
  const sizes = watchSizes(parts.resize);
  return {
    stdin: parts.stdin,
    stdout: parts.stdout,
    stderr: parts.stderr,
    onResize: sizes,
    signal: gone.signal,
    async finish(status) {
      if (isFinished) return;
      isFinished = true;
      await Promise.all([ended(parts.stdout), ended(parts.stderr)]);
      const text = statusText(status, parts.version);
      if (text !== "") parts.error.write(text);
      await ended(parts.error);
      parts.close();
    },
  };
}

/** Ends the stream and waits until all of it was handed over, or the client is gone. */
async function ended(stream: Writable | undefined): Promise<void> {
  if (stream === undefined || stream.destroyed) return;
  stream.end();
  await finished(stream, { readable: false }).catch(() => undefined);
}

/** Before version 4 only a failure is told, and only its message. */
function statusText(status: RemoteCommandStatus, version: number): string {
  if (version >= 4) return JSON.stringify({ metadata: {}, ...status });
  return status.status === "Success" ? "" : (status.message ?? "");
}

/** JSON objects one after another, however they are cut into chunks. */
function watchSizes(stream: Readable | undefined): RemoteCommandSession["onResize"] {
  const early: TerminalSize[] = [];
  let run: ((size: TerminalSize) => void) | undefined;
  let text = "";
  stream?.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
    for (let end = text.indexOf("}"); end >= 0; end = text.indexOf("}")) {
      const size = readSize(text.slice(0, end + 1));
      text = text.slice(end + 1);
      if (size === undefined) continue;
      if (run === undefined) early.splice(0, early.length, size);
      else run(size);
    }
    if (text.length > sizeCharsMax) stream.destroy();
  });
  return (listener) => {
    run = listener;
    for (const size of early.splice(0)) listener(size);
  };
}

const sizeCharsMax = 4096;

function readSize(text: string): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    if (typeof Width !== "number" || typeof Height !== "number") return undefined;
    return { width: Width, height: Height };
  } catch {
    return undefined;
  }
}
