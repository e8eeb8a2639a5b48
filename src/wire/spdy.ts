/**
 * SPDY/3.1 sessions as client-go and containerd use them for exec, attach and port-forward.
 *
 * Invariants: 1. Frames are handled in the order in which they came. 2. While a stream's reader is
 * behind by `streamBufferBytes`, nothing more is read from the connection: like upstream's library
 * we have no flow control per stream. 3. A stream that the peer resets, or that is open when the
 * session ends, gives its reader what came and then the end; what is written to it is dropped.
 */
import { Duplex } from "node:stream";
import { createHeaderPacker, createHeaderUnpacker, headerBlockBytesMax } from "./spdy-headers.ts";
import type { SpdyHeaders } from "./spdy-headers.ts";

/** What a stream may hold for a slow reader before the connection waits. */
export const streamBufferBytes = 1 << 20;
/** Most streams that are open at once in one session. */
export const spdyStreamsMax = 10_000;
/** Longest data frame that is sent; the format allows 16 MiB. */
const dataFrameBytesMax = 1 << 20;

const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;
const flagFin = 0x01;
const resetCodes = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5 } as const;

export interface SpdySession extends Disposable {
  /** Opens a stream; its first bytes may be written at once. */
  createStream(headers: SpdyHeaders): SpdyStream;
  /** Sends GOAWAY and ends the connection after what was written. */
  close(): void;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
}

export interface SpdySessionOptions {
  readonly socket: Duplex;
  /** What was read from the socket already. */
  readonly head?: Uint8Array;
  readonly role: "client" | "server";
  /** A stream that the peer opened; it is accepted already. */
  readonly onStream?: (stream: SpdyStream) => void;
}

interface Connection {
  sendData(id: number, chunk: Uint8Array, fin: boolean, done: (error?: Error | null) => void): void;
  reset(id: number, code: number): void;
  /** The stream wants more. */
  unblock(stream: SpdyStream): void;
  forget(stream: SpdyStream): void;
}

export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #connection: Connection;
  #remoteEnded = false;
  #cutOff = false;

  constructor(connection: Connection, id: number, headers: SpdyHeaders) {
    super({ allowHalfOpen: true, readableHighWaterMark: streamBufferBytes });
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#cutOff) done();
    else this.#connection.sendData(this.id, chunk, false, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#cutOff) done();
    else this.#connection.sendData(this.id, Buffer.alloc(0), true, done);
  }

  override _read(): void {
    this.#connection.unblock(this);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#cutOff && (!this.#remoteEnded || !this.writableFinished)) {
      this.#connection.reset(this.id, resetCodes.cancel);
    }
    this.#connection.forget(this);
    done(error);
  }

  /** For the session: data or the end that the peer sent. False when the reader is behind. */
  deliver(chunk: Uint8Array | null): boolean {
    if (chunk === null) this.#remoteEnded = true;
    return this.destroyed || this.push(chunk);
  }

  /** For the session: nothing goes out or comes in any more. */
  cutOff(): void {
    if (this.#cutOff || this.destroyed) return;
    this.#cutOff = true;
    if (!this.#remoteEnded) this.deliver(null);
    this.end();
    this.#connection.forget(this);
  }
}

export function createSpdySession(options: SpdySessionOptions): SpdySession {
  return new Session(options);
}

/** A frame whose header was read: its payload is collected, or passed on when it is data. */
interface Frame {
  readonly isControl: boolean;
  /** Type of a control frame, stream of a data frame. */
  readonly number: number;
  readonly flags: number;
  readonly length: number;
}

class Session implements SpdySession, Connection {
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #onStream: ((stream: SpdyStream) => void) | undefined;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #blocked = new Set<SpdyStream>();
  readonly #packer = createHeaderPacker();
  readonly #unpacker = createHeaderUnpacker();
  #nextId: number;
  #input: Buffer;
  #frame: Frame | undefined;
  /** Bytes of the current data frame that are still to come. */
  #dataLeft = 0;
  #unpacking = false;
  #inputEnded = false;
  #ended = false;

  constructor({ socket, head, role, onStream }: SpdySessionOptions) {
    this.#socket = socket;
    this.#onStream = onStream;
    this.#nextId = role === "client" ? 1 : 2;
    this.#input = Buffer.from(head ?? []);
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    const inputEnded = (): void => {
      // What came before is still to be handled: headers may be unpacking, readers be behind.
      this.#inputEnded = true;
      this.#process();
    };
    socket.on("error", inputEnded).once("close", inputEnded).once("end", inputEnded);
    socket.on("data", (chunk: Buffer) => {
      this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
      this.#process();
    });
    if (this.#input.length > 0) queueMicrotask(() => this.#process());
  }

  createStream(headers: SpdyHeaders): SpdyStream {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = this.#add(id, headers);
    const fixed = Buffer.alloc(10);
    fixed.writeUInt32BE(id);
    this.#sendControl(frameTypes.synStream, 0, [fixed, this.#packer.pack(headers)]);
    return stream;
  }

  close(): void {
    if (this.#ended) return;
    this.#sendControl(frameTypes.goAway, 0, [Buffer.alloc(8)]);
    this.#socket.end();
    this.#end();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
    this.#end();
  }

  sendData(
    id: number,
    chunk: Uint8Array,
    fin: boolean,
    done: (error?: Error | null) => void,
  ): void {
    if (this.#ended) return done(new Error("connection closed"));
    this.#socket.cork();
    let at = 0;
    do {
      const part = chunk.subarray(at, at + dataFrameBytesMax);
      at += part.length;
      const last = at >= chunk.length;
      const head = Buffer.alloc(8);
      head.writeUInt32BE(id);
      head.writeUInt32BE(part.length, 4);
      head.writeUInt8(fin && last ? flagFin : 0, 4);
      const isLastWrite = last && part.length === 0;
      this.#socket.write(head, isLastWrite ? done : undefined);
      if (part.length > 0) this.#socket.write(part, last ? done : undefined);
    } while (at < chunk.length);
    this.#socket.uncork();
  }

  reset(id: number, code: number): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(id);
    payload.writeUInt32BE(code, 4);
    this.#sendControl(frameTypes.rstStream, 0, [payload]);
  }

  unblock(stream: SpdyStream): void {
    if (!this.#blocked.delete(stream) || this.#blocked.size > 0) return;
    // Not in the reader's own call: it asks for more before it has taken what it got.
    queueMicrotask(() => this.#process());
  }

  forget(stream: SpdyStream): void {
    this.#streams.delete(stream.id);
    this.unblock(stream);
  }

  #add(id: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream(this, id, headers);
    // A stream that is cut off tells by closing; nobody need listen for the error.
    stream.on("error", () => undefined);
    this.#streams.set(id, stream);
    return stream;
  }

  #sendControl(type: number, flags: number, parts: readonly Uint8Array[]): void {
    if (this.#ended || this.#socket.destroyed || this.#socket.writableEnded) return;
    const payload = Buffer.concat(parts);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(0x80030000 + type);
    head.writeUInt32BE(payload.length, 4);
    head.writeUInt8(flags, 4);
    this.#socket.write(Buffer.concat([head, payload]));
  }

  /** Handles what is complete, until a reader is behind or headers are being unpacked. */
  #process(): void {
    while (!this.#ended && !this.#unpacking && this.#blocked.size === 0) {
      if (this.#frame === undefined && !this.#readFrameHeader()) break;
      const frame = this.#frame as Frame;
      const done = frame.isControl ? this.#readControl(frame) : this.#readData(frame);
      if (!done) break;
    }
    if (this.#ended) return;
    if (this.#unpacking || this.#blocked.size > 0) this.#socket.pause();
    else if (this.#inputEnded) this.#end();
    else this.#socket.resume();
  }

  #readFrameHeader(): boolean {
    if (this.#input.length < 8) return false;
    const word = this.#input.readUInt32BE();
    const isControl = word >= 0x80000000;
    const frame = {
      isControl,
      number: isControl ? word & 0xffff : word,
      flags: this.#input.readUInt8(4),
      length: this.#input.readUIntBE(5, 3),
    };
    this.#input = this.#input.subarray(8);
    this.#frame = frame;
    this.#dataLeft = frame.isControl ? 0 : frame.length;
    if (isControl && frame.length > headerBlockBytesMax) this[Symbol.dispose]();
    return true;
  }

  /** Passes data on as it comes, without waiting for the whole frame. */
  #readData(frame: Frame): boolean {
    const stream = this.#streams.get(frame.number);
    const part = this.#input.subarray(0, this.#dataLeft);
    this.#input = this.#input.subarray(part.length);
    this.#dataLeft -= part.length;
    const isDone = this.#dataLeft === 0;
    if (isDone) this.#frame = undefined;
    if (stream === undefined) {
      if (isDone && frame.length > 0) this.reset(frame.number, resetCodes.invalidStream);
      return isDone;
    }
    if (part.length > 0 && !stream.deliver(part)) this.#blocked.add(stream);
    if (isDone && (frame.flags & flagFin) !== 0) stream.deliver(null);
    return isDone;
  }

  #readControl(frame: Frame): boolean {
    if (this.#input.length < frame.length) return false;
    const payload = this.#input.subarray(0, frame.length);
    this.#input = this.#input.subarray(frame.length);
    this.#frame = undefined;
    this.#control(frame, payload);
    return true;
  }

  #control(frame: Frame, payload: Buffer): void {
    const id = payload.length >= 4 ? payload.readUInt32BE() & 0x7fffffff : 0;
    switch (frame.number) {
      case frameTypes.synStream:
        return this.#unpack(payload.subarray(10), (headers) => this.#opened(id, frame, headers));
      case frameTypes.synReply:
      case frameTypes.headers:
        // Nobody looks at them, but the compression goes on from them.
        return this.#unpack(payload.subarray(4), () => {
          if ((frame.flags & flagFin) !== 0) this.#streams.get(id)?.deliver(null);
        });
      case frameTypes.rstStream:
        this.#streams.get(id)?.cutOff();
        return undefined;
      case frameTypes.ping:
        // Ours are of our parity; the peer's are sent back.
        if ((id & 1) !== (this.#nextId & 1)) this.#sendControl(frameTypes.ping, 0, [payload]);
        return undefined;
      default:
        return undefined;
    }
  }

  #unpack(block: Buffer, then: (headers: SpdyHeaders) => void): void {
    this.#unpacking = true;
    this.#unpacker.unpack(block).then(
      (headers) => {
        this.#unpacking = false;
        if (this.#ended) return;
        then(headers);
        this.#process();
      },
      () => this[Symbol.dispose](),
    );
  }

  #opened(id: number, frame: Frame, headers: SpdyHeaders): void {
    if (this.#onStream === undefined || this.#streams.size >= spdyStreamsMax) {
      return this.reset(id, resetCodes.refusedStream);
    }
    const stream = this.#add(id, headers);
    const fixed = Buffer.alloc(4);
    fixed.writeUInt32BE(id);
    this.#sendControl(frameTypes.synReply, 0, [fixed, this.#packer.pack({})]);
    if ((frame.flags & flagFin) !== 0) stream.deliver(null);
    this.#onStream(stream);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unpacker[Symbol.dispose]();
    for (const stream of this.#streams.values()) stream.cutOff();
    if (!this.#socket.writableEnded) this.#socket.end();
  }
}
