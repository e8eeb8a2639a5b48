/**
 * Several byte streams in one WebSocket: the first byte of each message names the channel.
 * Source: k8s.io/streaming wsstream.
 */
import { Duplex, Readable, Writable } from "node:stream";
import type { WebSocketConnection } from "./websocket.ts";

/** Binary, or base64 in text with the channel as a digit; version 5 can close channels. */
export const channelProtocols = {
  v5: "v5.channel.k8s.io",
  v4: "v4.channel.k8s.io",
  v4Base64: "v4.base64.channel.k8s.io",
  v1: "channel.k8s.io",
  v1Base64: "base64.channel.k8s.io",
} as const;

const closeSignal = 255;
/** What a channel may hold for a slow reader before the connection waits. */
const channelBufferBytes = 1 << 20;

export interface Channels {
  /** By channel; a channel for both ways is one `Duplex` in both lists. */
  readonly readables: readonly (Readable | undefined)[];
  readonly writables: readonly (Writable | undefined)[];
  /** An empty message: tells the client that the connection stands. */
  sendEmpty(channel: number): void;
  /** Closes properly, after what was written. */
  close(): void;
  readonly closed: Promise<void>;
}

export type ChannelUse = "read" | "write" | "both" | "ignore";

/** Messages on a channel that is not read are dropped. */
export function openChannels(socket: WebSocketConnection, uses: readonly ChannelUse[]): Channels {
  const isBase64 = socket.protocol.includes("base64.");
  const behind = new Set<Readable>();
  const streams = uses.map((use, channel) =>
    channelStream(use, readSide(socket, behind), (chunk, done) =>
      socket.send(frame(channel, chunk, isBase64), done),
    ),
  );
  const readables = streams.map((stream) => (stream instanceof Readable ? stream : undefined));
  const writables = streams.map((stream) => (stream instanceof Writable ? stream : undefined));

  function receive(data: Buffer): void {
    const first = data[0];
    if (first === undefined) return;
    if (first === closeSignal && socket.protocol === channelProtocols.v5) {
      const closing = readables[data[1] ?? closeSignal];
      if (closing?.readableEnded === false) closing.push(null);
      return;
    }
    const readable = readables[isBase64 ? first - 0x30 : first];
    if (readable === undefined || readable.destroyed) return;
    const body = data.subarray(1);
    const chunk = isBase64 ? Buffer.from(body.toString("latin1"), "base64") : body;
    if (chunk.length === 0 || readable.push(chunk)) return;
    behind.add(readable);
    socket.pause();
  }

  socket.onMessage(receive);
  const closed = new Promise<void>((resolve) => socket.onClose(resolve));
  socket.onClose(() => {
    for (const readable of readables) if (readable?.readableEnded === false) readable.push(null);
    for (const writable of writables) writable?.destroy();
  });
  return {
    readables,
    writables,
    sendEmpty: (channel) => socket.send(frame(channel, Buffer.alloc(0), isBase64)),
    close: () => socket.close(),
    closed,
  };
}

interface ReadSide {
  /** The reader wants more. */
  wanted(stream: Readable): void;
}

function readSide(socket: WebSocketConnection, behind: Set<Readable>): ReadSide {
  return {
    wanted(stream) {
      if (behind.delete(stream) && behind.size === 0) socket.resume();
    },
  };
}

type SendChunk = (chunk: Buffer, done: (error?: Error | null) => void) => void;

function channelStream(
  use: ChannelUse,
  readSide: ReadSide,
  sendChunk: SendChunk,
): Readable | Writable | Duplex | undefined {
  if (use === "ignore") return undefined;
  const reading = {
    readableHighWaterMark: channelBufferBytes,
    read(this: Readable) {
      readSide.wanted(this);
    },
  };
  const writing = {
    write: (chunk: Buffer, _encoding: string, done: (error?: Error | null) => void) =>
      sendChunk(chunk, done),
  };
  const ending = {
    destroy(this: Readable, error: Error | null, done: (error?: Error | null) => void) {
      readSide.wanted(this);
      done(error);
    },
  };
  const stream =
    use === "write"
      ? new Writable(writing)
      : use === "read"
        ? new Readable({ highWaterMark: channelBufferBytes, read: reading.read, ...ending })
        : new Duplex({ ...reading, ...writing, ...ending });
  // A client that left is told by `closed`.
  stream.on("error", () => undefined);
  return stream;
}

function frame(channel: number, chunk: Buffer, isBase64: boolean): Uint8Array | string {
  if (isBase64) return String(channel) + chunk.toString("base64");
  const message = Buffer.allocUnsafe(1 + chunk.length);
  message[0] = channel;
  chunk.copy(message, 1);
  return message;
}
