import { ProtoError, ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** What stands before every object in protobuf: `k8s` and a zero byte. */
const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

/** `runtime.Unknown`: the kind beside the encoded object. */
export interface Unknown {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
  readonly contentEncoding?: string;
  /** Of `raw`; empty is protobuf. */
  readonly contentType?: string;
}

const writer = new ProtoWriter();

/** The bytes of an object as clients get them. */
export function wrapUnknown(unknown: Unknown): Uint8Array {
  writer.string(unknown.contentType ?? "");
  writer.varint(0x22);
  writer.string(unknown.contentEncoding ?? "");
  writer.varint(0x1a);
  writer.bytes(unknown.raw);
  writer.varint(0x12);
  const mark = writer.written;
  writer.string(unknown.kind);
  writer.varint(0x12);
  writer.string(unknown.apiVersion);
  writer.varint(0x0a);
  writer.close(1, mark);
  writer.raw(magic);
  return writer.take();
}

export function isProto(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** Undefined when the prefix is missing; `raw` is a view. Throws a ProtoError. */
export function unwrapUnknown(bytes: Uint8Array): Required<Unknown> | undefined {
  if (!isProto(bytes)) return undefined;
  const from = new ProtoReader(bytes.subarray(magic.length));
  const unknown = {
    apiVersion: "",
    kind: "",
    raw: new Uint8Array() as Uint8Array,
    contentEncoding: "",
    contentType: "",
  };
  while (from.more) {
    const key = from.varint();
    if (key === 0x0a) {
      const outer = from.enter();
      while (from.more) {
        const inner = from.varint();
        if (inner === 0x0a) unknown.apiVersion = from.string();
        else if (inner === 0x12) unknown.kind = from.string();
        else from.skip(inner & 7);
      }
      from.leave(outer);
    } else if (key === 0x12) unknown.raw = from.bytes();
    else if (key === 0x1a) unknown.contentEncoding = from.string();
    else if (key === 0x22) unknown.contentType = from.string();
    else from.skip(key & 7);
  }
  return unknown;
}

/** One frame of a stream: four bytes of length, big-endian, and the message. */
export function frameProto(message: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(4 + message.length);
  frame.writeUInt32BE(message.length);
  frame.set(message, 4);
  return frame;
}

/** Longest frame that a reader accepts. */
export const frameBytesMax = 16 << 20;

/**
 * Splits a stream into frames: give it chunks, it calls back with whole messages (views or copies).
 * Throws a ProtoError when a frame is longer than `frameBytesMax`.
 */
export function createFrameReader(onMessage: (message: Uint8Array) => void): {
  push(chunk: Uint8Array): void;
} {
  let pending: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk]);
      while (pending.length >= 4) {
        const length = pending.readUInt32BE();
        if (length > frameBytesMax) throw new ProtoError("frame too large");
        if (pending.length < 4 + length) return;
        onMessage(pending.subarray(4, 4 + length));
        pending = pending.subarray(4 + length);
      }
    },
  };
}

/**
 * The message of a list: its metadata encoded, and the messages of its items. Not the envelope.
 */
export function joinProtoList(metadata: Uint8Array, items: readonly Uint8Array[]): Uint8Array[] {
  const chunks = [fieldHead(1, metadata.length), metadata];
  for (const item of items) chunks.push(fieldHead(2, item.length), item);
  return chunks;
}

function fieldHead(tag: number, lengthBytes: number): Uint8Array {
  writer.varint(lengthBytes);
  writer.varint(tag * 8 + 2);
  return writer.take();
}
