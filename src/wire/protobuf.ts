/**
 * Messages declared as values, for the gRPC services that we speak (etcd, CRI, KMS...): static
 * types, encoder and decoder come from one description.
 *
 *     const Point = message({ x: int64(1), label: string(2), tags: repeated(string(3)) });
 *     Point.encode({ label: "a" });          // fields may be left out
 *     Point.decode(bytes).tags;              // fields are there: 0n, "", [] when not on the wire
 *
 * As in proto3, a field with its default value is not written; nested messages (and so the members
 * of a `oneof`) are `undefined` when absent; unknown fields are skipped.
 */
import { ProtobufError, ProtobufReader, ProtobufWriter, type WireType } from "./protobuf-io.ts";

export { ProtobufError } from "./protobuf-io.ts";

/** Most messages within messages. Source: protobuf's default recursion limit. */
const depthMax = 100;

interface Value<In, Out> {
  readonly wireType: WireType;
  readonly initial: Out;
  isDefault(value: In): boolean;
  write(out: ProtobufWriter, value: In): void;
  read(from: ProtobufReader, depth: number): Out;
}

/** One field of a message. `In` is what is encoded, `Out` what is decoded. */
export interface Field<In, Out> {
  readonly number: number;
  readonly value: Value<In, Out>;
  /** Writes the field, unless it has its default. */
  write(out: ProtobufWriter, value: In): void;
  /** What the field is with one more occurrence on the wire. */
  merge(before: Out, from: ProtobufReader, wireType: number, depth: number): Out;
}

// Variance makes `unknown` impossible here: fields of every type live in one record.
type AnyField = Field<never, unknown>;
type Fields = Readonly<Record<string, AnyField>>;
type InOf<F> = F extends Field<infer In, infer _> ? In : never;
type OutOf<F> = F extends Field<infer _, infer Out> ? Out : never;

/** What `encode` takes. */
export type MessageInput<F extends Fields> = { readonly [K in keyof F]?: InOf<F[K]> | undefined };
/** What `decode` gives. */
export type MessageOutput<F extends Fields> = { readonly [K in keyof F]: OutOf<F[K]> };

export interface Message<In, Out> {
  encode(value: In): Buffer;
  /** Byte fields are views into `bytes`. Errors: `ProtobufError`. */
  decode(bytes: Uint8Array): Out;
  write(out: ProtobufWriter, value: In): void;
  read(from: ProtobufReader, depth: number): Out;
}

/** Type of a decoded message: `Decoded<typeof Point>`. */
export type Decoded<M> = M extends Message<infer _, infer Out> ? Out : never;
/** Type of a message to encode: `Encodable<typeof Point>`. */
export type Encodable<M> = M extends Message<infer In, infer _> ? In : never;

export function message<F extends Fields>(fields: F): Message<MessageInput<F>, MessageOutput<F>> {
  const entries = Object.entries(fields) as [keyof F & string, Field<unknown, unknown>][];
  const byNumber = new Map(entries.map((entry) => [entry[1].number, entry]));
  const inOrder = entries.toSorted(([, a], [, b]) => a.number - b.number);

  function write(out: ProtobufWriter, value: MessageInput<F>): void {
    for (const [name, field] of inOrder) {
      const part = value[name];
      if (part !== undefined) field.write(out, part);
    }
  }

  function read(from: ProtobufReader, depth: number): MessageOutput<F> {
    if (depth > depthMax) throw new ProtobufError("message is too deep");
    const result: Record<string, unknown> = {};
    for (const [name, field] of entries) result[name] = field.value.initial;
    while (!from.atEnd) {
      const tag = from.varint();
      const [name, field] = byNumber.get(Math.floor(tag / 8)) ?? [];
      if (name === undefined || field === undefined) from.skip(tag % 8);
      else result[name] = field.merge(result[name], from, tag % 8, depth);
    }
    return result as MessageOutput<F>;
  }

  return {
    write,
    read,
    encode(value) {
      const out = new ProtobufWriter();
      write(out, value);
      return out.finish();
    },
    decode: (bytes) => read(new ProtobufReader(bytes), 0),
  };
}

export function string(number: number): Field<string, string> {
  return single(number, textValue("utf8"));
}

/** A `bytes` field as a string of which each character is one byte. */
export function byteString(number: number): Field<string, string> {
  return single(number, textValue("latin1"));
}

export function bytes(number: number): Field<Uint8Array, Uint8Array> {
  return single(number, {
    wireType: 2,
    initial: new Uint8Array(0),
    isDefault: (value) => value.length === 0,
    write: (out, value) => out.bytes(value),
    read: (from) => from.bytes(),
  });
}

export function bool(number: number): Field<boolean, boolean> {
  return single(number, {
    wireType: 0,
    initial: false,
    isDefault: (value) => !value,
    write: (out, value) => out.varint(value ? 1 : 0),
    read: (from) => from.varint64() !== 0n,
  });
}

/** Also for enums. */
export function int32(number: number): Field<number, number> {
  return single(number, {
    ...numberValue,
    write: (out, value) => (value < 0 ? out.varint64(BigInt(value)) : out.varint(value)),
    read: (from) => Number(BigInt.asIntN(32, from.varint64())),
  });
}

export function uint32(number: number): Field<number, number> {
  return single(number, { ...numberValue, write: (out, value) => out.varint(value >>> 0) });
}

/** Whole 64 bits. */
export function int64(number: number): Field<bigint, bigint> {
  return single(number, { ...bigintValue, read: (from) => BigInt.asIntN(64, from.varint64()) });
}

export function uint64(number: number): Field<bigint, bigint> {
  return single(number, bigintValue);
}

/** An int64 or uint64 that is known to be a safe integer (revisions, counts, nanoseconds...). */
export function safeInt(number: number): Field<number, number> {
  return single(number, {
    ...numberValue,
    write: (out, value) => (value < 0 ? out.varint64(BigInt(value)) : out.varint(value)),
    read: (from) => Number(BigInt.asIntN(64, from.varint64())),
  });
}

export function double(number: number): Field<number, number> {
  return single(number, {
    ...numberValue,
    wireType: 1,
    isDefault: (value) => Object.is(value, 0),
    write: (out, value) => out.double(value),
    read: (from) => from.double(),
  });
}

export function fixed64(number: number): Field<bigint, bigint> {
  return single(number, {
    ...bigintValue,
    wireType: 1,
    write: (out, value) => out.fixed64(value),
    read: (from) => from.fixed64(),
  });
}

/** A nested message. For one that contains itself, `of` is a function. */
export function nested<In, Out>(
  number: number,
  of: Message<In, Out> | (() => Message<In, Out>),
): Field<In | undefined, Out | undefined> {
  const resolve = (): Message<In, Out> => (typeof of === "function" ? of() : of);
  return single<In | undefined, Out | undefined>(number, {
    wireType: 2,
    initial: undefined,
    isDefault: (value) => value === undefined,
    write: (out, value) => {
      if (value !== undefined) out.nested(() => resolve().write(out, value));
    },
    read: (from, depth) => from.nested(() => resolve().read(from, depth + 1)),
  });
}

/** Any number of the field, in order. Numbers are written packed, and read packed or not. */
export function repeated<In, Out>(
  field: Field<In, Out>,
): Field<readonly Exclude<In, undefined>[], readonly Exclude<Out, undefined>[]> {
  type Ins = readonly Exclude<In, undefined>[];
  type Outs = readonly Exclude<Out, undefined>[];
  const { number, value } = field;
  const packed = value.wireType !== 2;
  return {
    number,
    value: { ...(value as never as Value<Ins, Outs>), initial: [] },
    write(out, items: Ins) {
      if (items.length === 0) return;
      if (packed) {
        out.tag(number, 2);
        out.nested(() => items.forEach((item) => value.write(out, item)));
        return;
      }
      for (const item of items) {
        out.tag(number, value.wireType);
        value.write(out, item);
      }
    },
    merge(before, from, wireType, depth) {
      // The first occurrence makes a list of this message's own, later ones add to it.
      const items = (before.length === 0 ? [] : before) as Exclude<Out, undefined>[];
      const readOne = (): void =>
        void items.push(value.read(from, depth) as Exclude<Out, undefined>);
      if (packed && wireType === 2) from.nested(() => readWhile(from, readOne));
      else if (wireType === value.wireType) readOne();
      else from.skip(wireType);
      return items;
    },
  };
}

/** `map<string, V>`; the value field's own number is not used. */
export function mapOf<In, Out>(
  number: number,
  values: Field<In, Out>,
): Field<ReadonlyMap<string, In>, ReadonlyMap<string, Out>> {
  const entry = message({
    key: string(1),
    value: { ...values, ...single(2, values.value) } as Field<In, Out>,
  });
  type Entry = { readonly key: string; readonly value: Out };
  const value: Value<ReadonlyMap<string, In>, ReadonlyMap<string, Out>> = {
    wireType: 2,
    initial: new Map(),
    isDefault: (map) => map.size === 0,
    write: (out, map) => {
      for (const [key, item] of map) {
        out.tag(number, 2);
        out.nested(() => entry.write(out, { key, value: item } as never));
      }
    },
    read: (from, depth) => {
      const { key, value: item } = from.nested(() => entry.read(from, depth + 1)) as Entry;
      return new Map([[key, item]]);
    },
  };
  return {
    number,
    value,
    write: (out, map) => value.write(out, map),
    merge(before, from, wireType, depth) {
      if (wireType !== 2) return (from.skip(wireType), before);
      return new Map([...before, ...value.read(from, depth)]);
    },
  };
}

function single<In, Out>(number: number, value: Value<In, Out>): Field<In, Out> {
  return {
    number,
    value,
    write(out, item) {
      if (value.isDefault(item)) return;
      out.tag(number, value.wireType);
      value.write(out, item);
    },
    merge(before, from, wireType, depth) {
      if (wireType === value.wireType) return value.read(from, depth);
      from.skip(wireType);
      return before;
    },
  };
}

const numberValue: Value<number, number> = {
  wireType: 0,
  initial: 0,
  isDefault: (value) => value === 0,
  write: (out, value) => out.varint(value),
  read: (from) => from.varint(),
};

const bigintValue: Value<bigint, bigint> = {
  wireType: 0,
  initial: 0n,
  isDefault: (value) => value === 0n,
  write: (out, value) => out.varint64(value),
  read: (from) => from.varint64(),
};

function textValue(encoding: "utf8" | "latin1"): Value<string, string> {
  return {
    wireType: 2,
    initial: "",
    isDefault: (value) => value === "",
    write: (out, value) => out.text(value, encoding),
    read: (from) => from.text(encoding),
  };
}

function readWhile(from: ProtobufReader, readOne: () => void): void {
  while (!from.atEnd) readOne();
}
