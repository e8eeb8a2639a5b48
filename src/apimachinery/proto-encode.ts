import { writeJsonText } from "#wire/json.ts";
import { parseDuration } from "./go-duration.ts";
import { type Instant, parseMicroTime, parseTime } from "./go-time.ts";
import { compareBytes } from "./maps.ts";
import { ProtoWriter } from "./proto-writer.ts";
import {
  type EitherSchema,
  type Field,
  type Fields,
  type ListSchema,
  type MapSchema,
  resolve,
  type ScalarName,
  type Schema,
  type StructSchema,
} from "./schema.ts";

/**
 * The protobuf message of an object, byte for byte as gogo writes it: fields by number, every
 * field that is no pointer even when zero, maps by key. `kind` and `apiVersion` are not in it; see
 * `wrapUnknown`.
 */
export function encodeProto(schema: StructSchema<Fields>, object: object): Uint8Array {
  writeMessage(planOf(schema), object as Members, writer);
  return writer.take();
}

/** Encoding is synchronous and does not call back: one writer serves all. */
const writer = new ProtoWriter();

type Members = Readonly<Record<string, unknown>>;

/** Writes the value without its tag; messages with their length. */
type Write = (value: unknown, to: ProtoWriter) => void;

interface FieldPlan {
  readonly tag: number;
  readonly name: string;
  /** Writes the field, tags included, or nothing. */
  readonly write: (value: unknown, to: ProtoWriter) => void;
  /** The struct's fields stand flat in the parent. */
  readonly inline: boolean;
}

/** From the highest number to the lowest, since writing goes backwards. */
type MessagePlan = readonly FieldPlan[];

const plans = new WeakMap<StructSchema<Fields>, MessagePlan>();

function planOf(schema: StructSchema<Fields>): MessagePlan {
  let plan = plans.get(schema);
  if (plan === undefined) {
    plan = Object.entries(schema.fields)
      .filter(([, field]) => field.tag > 0)
      .map(([name, field]) => planField(schema, name, field))
      .toSorted((a, b) => b.tag - a.tag);
    plans.set(schema, plan);
  }
  return plan;
}

function writeMessage(plan: MessagePlan, object: Members, to: ProtoWriter): void {
  for (const field of plan) field.write(field.inline ? object : object[field.name], to);
}

function planField(parent: StructSchema<Fields>, name: string, field: Field): FieldPlan {
  const { tag } = field;
  const schema = resolve(field.schema);
  const inline = field.inline === true && schema.type === "struct";
  return { tag, name, inline, write: fieldWriter(parent, { name, field, schema }) };
}

function fieldWriter(
  parent: StructSchema<Fields>,
  { name, field, schema }: { name: string; field: Field; schema: Schema },
): FieldPlan["write"] {
  const { tag } = field;
  if (schema.type === "list" && schema.wrapped !== true) return listWriter(tag, schema);
  if (schema.type === "map") return mapWriter(tag, schema);
  const write = valueWriter(schema);
  const key = tag * 8 + wireTypeOf(schema);
  const pointer =
    schema.type === "bytes" ||
    schema.type === "list" ||
    schema.type === "either" ||
    (field.presence === "ptr" && !isCreationTimestamp(parent, name));
  const zero = zeroOf(schema);
  return (value, to) => {
    if (value === undefined || value === null) {
      if (pointer) return;
      write(zero, to);
    } else write(value, to);
    to.varint(key);
  };
}

/** No pointer in Go, although JSON leaves it out when it is unset. */
function isCreationTimestamp(parent: StructSchema<Fields>, name: string): boolean {
  return name === "creationTimestamp" && parent.name.endsWith(".meta.v1.ObjectMeta");
}

function wireTypeOf(schema: Schema): number {
  switch (schema.type) {
    case "bool":
    case "int32":
    case "int64":
      return 0;
    case "double":
      return 1;
    default:
      return 2;
  }
}

const numberTypes: ReadonlySet<string> = new Set(["int32", "int64", "double", "intOrString"]);

function zeroOf(schema: Schema): unknown {
  if (numberTypes.has(schema.type)) return 0;
  if (schema.type === "bool") return false;
  if (schema.type === "struct") return {};
  if (schema.type === "string" || schema.type === "bytes") return "";
  if (schema.type === "quantity") return "0";
  return schema.type === "duration" ? "0s" : undefined;
}

function listWriter(tag: number, schema: ListSchema<Schema>): FieldPlan["write"] {
  const items = resolve(schema.items);
  const write = valueWriter(items);
  const key = tag * 8 + wireTypeOf(items);
  const zero = zeroOf(items);
  return (value, to) => {
    if (!Array.isArray(value)) return;
    for (let i = value.length - 1; i >= 0; i--) {
      write(value[i] ?? zero, to);
      to.varint(key);
    }
  };
}

function mapWriter(tag: number, schema: MapSchema<Schema>): FieldPlan["write"] {
  const values = resolve(schema.values);
  const write = valueWriter(values);
  const key = 2 * 8 + wireTypeOf(values);
  const zero = zeroOf(values);
  return (value, to) => {
    if (typeof value !== "object" || value === null) return;
    const map = value as Members;
    const keys = Object.keys(map);
    if (keys.length > 1) keys.sort(compareBytes);
    for (let i = keys.length - 1; i >= 0; i--) {
      const name = keys[i] ?? "";
      const mark = to.written;
      write(map[name] ?? zero, to);
      to.varint(key);
      to.string(name);
      to.varint(0x0a);
      to.close(tag, mark);
    }
  };
}

function valueWriter(schema: Schema): Write {
  switch (schema.type) {
    case "ref":
      return valueWriter(resolve(schema));
    case "struct":
      // The plan is looked up late: types contain themselves.
      return (value, to) => message(to, () => writeMessage(planOf(schema), value as Members, to));
    case "list": {
      const items = listWriter(1, schema);
      return (value, to) => message(to, () => items(value, to));
    }
    case "map":
      throw new TypeError("a map is no value of a protobuf list or map");
    case "either":
      return eitherWriter(schema);
    default:
      return scalarWriters[schema.type];
  }
}

function message(to: ProtoWriter, content: () => void): void {
  const mark = to.written;
  content();
  to.varint(to.written - mark);
}

function eitherWriter(schema: EitherSchema<unknown>): Write {
  const struct = valueWriter(schema.schema);
  const list = schema.or === "strings" ? scalarWriters.string : struct;
  return (value, to) =>
    message(to, () => {
      if (schema.or === "bool") {
        if (typeof value !== "boolean") {
          struct(value, to);
          to.varint(0x12);
        }
        to.bool(value !== false);
        to.varint(0x08);
      } else if (Array.isArray(value)) {
        for (const item of value.toReversed()) {
          list(item, to);
          to.varint(0x12);
        }
      } else {
        struct(value, to);
        to.varint(0x0a);
      }
    });
}

const scalarWriters: Readonly<Record<ScalarName, Write>> = {
  string: (value, to) => to.string(value as string),
  bool: (value, to) => to.bool(value as boolean),
  int32: (value, to) => to.int(value as number),
  int64: (value, to) => to.int(value as number | bigint),
  double: (value, to) => to.double(value as number),
  bytes: (value, to) => to.bytes(Buffer.from(value as string, "base64")),
  time: (value, to) =>
    message(to, () => {
      if (typeof value === "string") writeInstant({ ...parseTime(value), nanos: 0 }, to);
    }),
  microTime: (value, to) =>
    message(to, () => {
      if (typeof value === "string") writeInstant(parseMicroTime(value), to);
    }),
  quantity: (value, to) =>
    message(to, () => {
      to.string(value as string);
      to.varint(0x0a);
    }),
  intOrString: (value, to) =>
    message(to, () => {
      const isString = typeof value === "string";
      to.string(isString ? value : "");
      to.varint(0x1a);
      to.int(isString ? 0 : (value as number));
      to.varint(0x10);
      to.int(isString ? 1 : 0);
      to.varint(0x08);
    }),
  duration: (value, to) =>
    message(to, () => {
      to.int(parseDuration(value as string));
      to.varint(0x08);
    }),
  any: writeJson,
  object: writeJson,
  fields: writeJson,
};

function writeInstant({ seconds, nanos }: Instant, to: ProtoWriter): void {
  to.int(nanos);
  to.varint(0x10);
  to.int(seconds);
  to.varint(0x08);
}

/** JSON as bytes in field 1; `{ raw: Uint8Array }` is taken as those bytes. */
function writeJson(value: unknown, to: ProtoWriter): void {
  message(to, () => {
    if (value === undefined || value === null) return;
    to.bytes(rawBytesOf(value) ?? Buffer.from(writeJsonText(value)));
    to.varint(0x0a);
  });
}

function rawBytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== "object" || value === null || !("raw" in value)) return undefined;
  return value.raw instanceof Uint8Array ? value.raw : undefined;
}
