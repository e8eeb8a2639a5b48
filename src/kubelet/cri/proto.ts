/**
 * Protobuf messages (proto3) as values: `message({ name: str(1), ... })` gives the codec and, by
 * inference, the types. Decoded scalars, lists and maps are always present (zero when absent on
 * the wire), messages only when sent. Unknown fields are skipped.
 * Source: protobuf encoding guide.
 */
import { setOwn } from "#apimachinery/maps.ts";
import { assert } from "#base/assert.ts";

/** An int64 is a number here: exact up to 2^53, nanosecond times to a quarter of a microsecond. */
export type ScalarKind = "string" | "bytes" | "bool" | "int32" | "int64" | "double";

type ScalarType<K> = K extends "string"
  ? string
  : K extends "bytes"
    ? Uint8Array
    : K extends "bool"
      ? boolean
      : number;

export interface ScalarField<K extends ScalarKind = ScalarKind> {
  readonly tag: number;
  readonly shape: "scalar";
  readonly kind: K;
}
export interface ScalarListField<K extends ScalarKind = ScalarKind> {
  readonly tag: number;
  readonly shape: "scalars";
  readonly kind: K;
}
export interface MessageField<M extends Message = Message> {
  readonly tag: number;
  readonly shape: "message";
  readonly message: M;
}
export interface MessageListField<M extends Message = Message> {
  readonly tag: number;
  readonly shape: "messages";
  readonly message: M;
}
/** `map<string, string>`. */
export interface TextMapField {
  readonly tag: number;
  readonly shape: "map";
}

export type ProtoField =
  | ScalarField
  | ScalarListField
  | MessageField<Message>
  | MessageListField<Message>
  | TextMapField;

export interface Message<F extends Readonly<Record<string, ProtoField>> = Fields> {
  readonly fields: F;
  readonly byTag: ReadonlyMap<number, readonly [name: string, field: ProtoField]>;
}
type Fields = Readonly<Record<string, ProtoField>>;

/** What comes out of `decodeMessage`. */
export type Decoded<M> =
  M extends Message<infer F>
    ? {
        readonly [K in keyof F as F[K] extends MessageField<Message> ? never : K]: DecodedField<F[K]>;
      } & {
        readonly [K in keyof F as F[K] extends MessageField<Message> ? K : never]?:
          | DecodedField<F[K]>
          | undefined;
      }
    : never;
type DecodedField<F> = F extends ScalarField<infer K>
  ? ScalarType<K>
  : F extends ScalarListField<infer K>
    ? readonly ScalarType<K>[]
    : F extends MessageField<infer M>
      ? Decoded<M>
      : F extends MessageListField<infer M>
        ? readonly Decoded<M>[]
        : Readonly<Record<string, string>>;

/** What goes into `encodeMessage`: every field may be left out. */
export type Encodable<M> =
  M extends Message<infer F>
    ? { readonly [K in keyof F]?: EncodableField<F[K]> | undefined }
    : never;
type EncodableField<F> = F extends ScalarField<infer K>
  ? ScalarType<K>
  : F extends ScalarListField<infer K>
    ? readonly ScalarType<K>[]
    : F extends MessageField<infer M>
      ? Encodable<M>
      : F extends MessageListField<infer M>
        ? readonly Encodable<M>[]
        : Readonly<Record<string, string>>;

export function message<const F extends Fields>(fields: F): Message<F> {
  const entries = Object.entries(fields);
  const byTag = new Map(entries.map(([name, field]) => [field.tag, [name, field] as const]));
  assert(byTag.size === entries.length, "protobuf message with a tag used twice");
  return Object.freeze({ fields, byTag });
}

function scalar<const K extends ScalarKind>(kind: K) {
  return (tag: number): ScalarField<K> => ({ tag, shape: "scalar", kind });
}
export const str = scalar("string");
export const bin = scalar("bytes");
export const bool = scalar("bool");
export const int32 = scalar("int32");
export const int64 = scalar("int64");
export const double = scalar("double");

export function strs(tag: number): ScalarListField<"string"> {
  return { tag, shape: "scalars", kind: "string" };
}
export function ints(tag: number): ScalarListField<"int64"> {
  return { tag, shape: "scalars", kind: "int64" };
}
export function texts(tag: number): TextMapField {
  return { tag, shape: "map" };
}
export function one<M extends Message>(tag: number, of: M): MessageField<M> {
  return { tag, shape: "message", message: of };
}
export function many<M extends Message>(tag: number, of: M): MessageListField<M> {
  return { tag, shape: "messages", message: of };
}

const wireType = { varint: 0, fixed64: 1, length: 2, fixed32: 5 } as const;
const textMapEntry = message({ key: str(1), value: str(2) });
/** Deepest nesting accepted. Source: protobuf's default recursion limit. */
const depthMax = 100;

export function encodeMessage<M extends Message>(type: M, value: Encodable<M>): Uint8Array {
  const out: number[] = [];
  write(type, value as Readonly<Record<string, unknown>>, out);
  return Uint8Array.from(out);
}

function write(type: Message, value: Readonly<Record<string, unknown>>, out: number[]): void {
  for (const [name, field] of Object.entries(type.fields)) {
    const part = value[name];
    if (part === undefined) continue;
    switch (field.shape) {
      case "scalar":
        if (!isZero(part)) writeScalar(field, part, out);
        break;
      case "scalars":
        for (const item of part as readonly unknown[]) writeScalar(field, item, out);
        break;
      case "message":
        writeNested(field.tag, field.message, part, out);
        break;
      case "messages":
        for (const item of part as readonly unknown[]) writeNested(field.tag, field.message, item, out);
        break;
      case "map":
        for (const [key, text] of Object.entries(part as Record<string, string>)) {
          writeNested(field.tag, textMapEntry, { key, value: text }, out);
        }
    }
  }
}

function isZero(value: unknown): boolean {
  return value === 0 || value === "" || value === false ||
    (value instanceof Uint8Array && value.length === 0);
}

function writeNested(tag: number, type: Message, value: unknown, out: number[]): void {
  const nested: number[] = [];
  write(type, value as Readonly<Record<string, unknown>>, nested);
  writeVarint((tag << 3) | wireType.length, out);
  writeVarint(nested.length, out);
  for (const byte of nested) out.push(byte);
}

function writeScalar(field: ScalarField | ScalarListField, value: unknown, out: number[]): void {
  if (field.kind === "string" || field.kind === "bytes") {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : (value as Uint8Array);
    writeVarint((field.tag << 3) | wireType.length, out);
    writeVarint(bytes.length, out);
    for (const byte of bytes) out.push(byte);
  } else if (field.kind === "double") {
    writeVarint((field.tag << 3) | wireType.fixed64, out);
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value as number, true);
    out.push(...new Uint8Array(view.buffer));
  } else {
    writeVarint((field.tag << 3) | wireType.varint, out);
    writeVarint(Number(value), out);
  }
}

function writeVarint(value: number, out: number[]): void {
  if (value >= 0 && value < 0x80) return void out.push(value);
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
}

/** Throws a RangeError on bytes that are no such message. */
export function decodeMessage<M extends Message>(type: M, bytes: Uint8Array): Decoded<M> {
  const reader = { bytes, at: 0, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
  return read(type, reader, { end: bytes.length, depth: 0 }) as Decoded<M>;
}

interface Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
}

interface Extent {
  readonly end: number;
  readonly depth: number;
}

function read(type: Message, reader: Reader, extent: Extent): Record<string, unknown> {
  if (extent.depth > depthMax) throw new RangeError("protobuf message is nested too deeply");
  const value = zeroOf(type);
  while (reader.at < extent.end) {
    const key = Number(readVarint(reader));
    const [name, field] = type.byTag.get(key >>> 3) ?? [];
    if (name === undefined || field === undefined) skip(reader, key & 7);
    else readField(value, { name, field, wire: key & 7 }, { reader, depth: extent.depth + 1 });
  }
  if (reader.at !== extent.end) throw new RangeError("protobuf message ends inside a field");
  return value;
}

interface Found {
  readonly name: string;
  readonly field: ProtoField;
  readonly wire: number;
}

function readField(
  value: Record<string, unknown>,
  { name, field, wire }: Found,
  { reader, depth }: { reader: Reader; depth: number },
): void {
  switch (field.shape) {
    case "scalar":
      value[name] = readScalar(field.kind, reader);
      break;
    case "scalars": {
      const list = value[name] as unknown[];
      const packed = wire === wireType.length && field.kind !== "string" && field.kind !== "bytes";
      if (!packed) list.push(readScalar(field.kind, reader));
      else for (const end = endOf(reader); reader.at < end; ) list.push(readScalar(field.kind, reader));
      break;
    }
    case "message":
      value[name] = read(field.message, reader, { end: endOf(reader), depth });
      break;
    case "messages":
      (value[name] as unknown[]).push(read(field.message, reader, { end: endOf(reader), depth }));
      break;
    case "map": {
      const entry = read(textMapEntry, reader, { end: endOf(reader), depth });
      setOwn(value[name] as Record<string, unknown>, String(entry["key"]), entry["value"]);
    }
  }
}

function zeroOf(type: Message): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(type.fields)) {
    if (field.shape === "scalars" || field.shape === "messages") value[name] = [];
    else if (field.shape === "map") value[name] = {};
    else if (field.shape === "scalar") value[name] = scalarZero[field.kind];
  }
  return value;
}

const scalarZero: Record<ScalarKind, unknown> = {
  string: "",
  bytes: new Uint8Array(0),
  bool: false,
  int32: 0,
  int64: 0,
  double: 0,
};

function readScalar(kind: ScalarKind, reader: Reader): unknown {
  switch (kind) {
    case "string":
      return new TextDecoder().decode(readBytes(reader));
    case "bytes":
      return readBytes(reader);
    case "bool":
      return readVarint(reader) !== 0n;
    case "double": {
      const number = reader.view.getFloat64(reader.at, true);
      reader.at += 8;
      return number;
    }
    default:
      return Number(BigInt.asIntN(64, readVarint(reader)));
  }
}

function readBytes(reader: Reader): Uint8Array {
  const end = endOf(reader);
  const bytes = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return bytes;
}

/** Reads a length; returns where what it counts ends. */
function endOf(reader: Reader): number {
  const end = Number(readVarint(reader)) + reader.at;
  if (end > reader.bytes.length) throw new RangeError("protobuf field is longer than its message");
  return end;
}

function readVarint(reader: Reader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw new RangeError("protobuf varint is cut off");
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new RangeError("protobuf varint is too long");
}

function skip(reader: Reader, wire: number): void {
  if (wire === wireType.varint) readVarint(reader);
  else if (wire === wireType.fixed64) reader.at += 8;
  else if (wire === wireType.length) reader.at = endOf(reader);
  else if (wire === wireType.fixed32) reader.at += 4;
  else throw new RangeError(`protobuf wire type ${wire} is not supported`);
}
