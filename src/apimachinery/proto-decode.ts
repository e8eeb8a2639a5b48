import { errorMessage } from "#base/error-message.ts";
import { formatDuration } from "./go-duration.ts";
import { formatMicroTime, formatTime } from "./go-time.ts";
import { zeroValue } from "./json-decode.ts";
import { setOwn } from "./maps.ts";
import { ProtoError, ProtoReader } from "./proto-reader.ts";
import { canonicalQuantity } from "./quantity.ts";
import {
  type EitherSchema,
  type Fields,
  resolve,
  type ScalarName,
  type Schema,
  type StructSchema,
} from "./schema.ts";
import { assembleStruct } from "./struct-assembly.ts";
import { shapeOf, type Slot } from "./struct-shape.ts";

/**
 * The object of a protobuf message, in the shape that `decodeJson` gives, without `kind` and
 * `apiVersion`. Unknown fields are skipped. Throws a ProtoError.
 */
export function decodeProto<T>(schema: StructSchema<Fields>, bytes: Uint8Array): T {
  return readStruct(structPlanOf(schema), new ProtoReader(bytes)) as T;
}

/** Reads one value; undefined where Go would have its zero. */
type Read = (from: ProtoReader) => unknown;

interface ReadField {
  readonly wireType: number;
  readonly slot: Slot;
  readonly read: Read;
  readonly repeats: "no" | "list" | "map";
  /** `opt`, and left out of objects when zero. */
  readonly dropsZero: boolean;
}

type MessagePlan = ReadonlyMap<number, ReadField | { readonly inline: MessagePlan }>;

/** `slots` are those of the struct that the JSON fields stand in, also for inlined structs. */
function planMessage(schema: StructSchema<Fields>, slots: ReadonlyMap<string, Slot>): MessagePlan {
  const plan = new Map<number, ReadField | { readonly inline: MessagePlan }>();
  for (const [name, field] of Object.entries(schema.fields)) {
    if (field.tag === 0) continue;
    const nested = resolve(field.schema);
    if (field.inline === true && nested.type === "struct") {
      plan.set(field.tag, { inline: planMessage(nested, slots) });
      continue;
    }
    const slot = slots.get(name);
    if (slot !== undefined) plan.set(field.tag, planField(slot));
  }
  return plan;
}

const droppable: ReadonlySet<string> = new Set([
  "string",
  "bool",
  "int32",
  "int64",
  "double",
  "bytes",
]);

function planField(slot: Slot): ReadField {
  const { schema, field } = slot;
  const dropsZero = field.presence === "opt" && droppable.has(schema.type);
  if (schema.type === "list" && schema.wrapped !== true) {
    const items = resolve(schema.items);
    const read = readerOf(items);
    return { slot, read, repeats: "list", dropsZero, wireType: wireTypeOf(items) };
  }
  if (schema.type === "map") {
    const read = readerOf(resolve(schema.values));
    return { slot, read, repeats: "map", dropsZero, wireType: 2 };
  }
  return { slot, read: readerOf(schema), repeats: "no", dropsZero, wireType: wireTypeOf(schema) };
}

function wireTypeOf(schema: Schema): number {
  if (schema.type === "bool" || schema.type === "int32" || schema.type === "int64") return 0;
  return schema.type === "double" ? 1 : 2;
}

interface Found {
  readonly slots: Slot[];
  readonly values: unknown[];
}

interface StructPlan {
  readonly fields: MessagePlan;
  /** Fields that are there even when the message has none. */
  readonly always: readonly Slot[];
}

const structPlans = new WeakMap<StructSchema<Fields>, StructPlan>();

function structPlanOf(schema: StructSchema<Fields>): StructPlan {
  let plan = structPlans.get(schema);
  if (plan === undefined) {
    plan = {
      fields: planMessage(schema, shapeOf(schema).byName),
      always: shapeOf(schema).slots.filter(isAlwaysThere),
    };
    structPlans.set(schema, plan);
  }
  return plan;
}

function readStruct(plan: StructPlan, from: ProtoReader): Record<string, unknown> {
  const found: Found = { slots: [], values: [] };
  readFields(plan.fields, from, found);
  for (const slot of plan.always) {
    if (found.slots.includes(slot)) continue;
    found.slots.push(slot);
    found.values.push(zeroValue(slot.schema));
  }
  return assembleStruct(found.slots, found.values);
}

function isAlwaysThere({ field, schema }: Slot): boolean {
  if (field.presence === "ptr") return false;
  if (schema.type === "struct") return true;
  if (field.presence !== "req") return false;
  return droppable.has(schema.type) || ["list", "map", "intOrString"].includes(schema.type);
}

function readFields(plan: MessagePlan, from: ProtoReader, found: Found): void {
  while (from.more) {
    const key = from.varint();
    const field = plan.get(key >>> 3);
    if (field === undefined) from.skip(key & 7);
    else if ("inline" in field) {
      const outer = from.enter();
      readFields(field.inline, from, found);
      from.leave(outer);
    } else readField(field, key & 7, { from, found });
  }
}

function readField(
  field: ReadField,
  wireType: number,
  { from, found }: { from: ProtoReader; found: Found },
): void {
  if (wireType === 2 && field.wireType !== 2 && field.repeats === "list") {
    const outer = from.enter();
    while (from.more) append(field, field.read(from), found);
    from.leave(outer);
    return;
  }
  if (wireType !== field.wireType) {
    throw new ProtoError(
      `proto: wrong wireType = ${wireType} for field ${goFieldName(field.slot)}`,
    );
  }
  if (field.repeats === "list") return append(field, field.read(from), found);
  if (field.repeats === "map") return readEntry(field, from, found);
  const value = field.read(from);
  if (value === undefined || (field.dropsZero && isZero(value))) return;
  const last = found.slots.indexOf(field.slot);
  if (last >= 0) found.values[last] = value;
  else {
    found.slots.push(field.slot);
    found.values.push(value);
  }
}

function goFieldName({ name }: Slot): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function isZero(value: unknown): boolean {
  return value === "" || value === 0 || value === false;
}

function append({ slot }: ReadField, value: unknown, found: Found): void {
  const list = containerOf(slot, found, () => []) as unknown[];
  list.push(value ?? null);
}

/** The list or map of the field: its items arrive one by one. */
function containerOf(slot: Slot, found: Found, make: () => unknown): unknown {
  const { slots, values } = found;
  // Items of one field follow each other: the last one is most often it.
  const last = slots.length - 1;
  if (slots[last] === slot) return values[last];
  const index = slots.indexOf(slot);
  if (index >= 0) return values[index];
  const container = make();
  slots.push(slot);
  values.push(container);
  return container;
}

function readEntry({ slot, read }: ReadField, from: ProtoReader, found: Found): void {
  const map = containerOf(slot, found, () => ({})) as Record<string, unknown>;
  const outer = from.enter();
  let name = "";
  let value: unknown;
  while (from.more) {
    const key = from.varint();
    if (key === 0x0a) name = from.string();
    else if (key >>> 3 === 2) value = read(from);
    else from.skip(key & 7);
  }
  from.leave(outer);
  setOwn(map, name, value ?? (slot.schema.type === "map" ? zeroValue(slot.schema.values) : null));
}

function readerOf(schema: Schema): Read {
  switch (schema.type) {
    case "ref":
      return readerOf(resolve(schema));
    case "struct": {
      let plan: StructPlan | undefined;
      return (from) => {
        // Not before the first use: types contain themselves.
        plan ??= structPlanOf(schema);
        const outer = from.enter();
        const value = readStruct(plan, from);
        from.leave(outer);
        return value;
      };
    }
    case "list":
      return wrappedListReader(resolve(schema.items));
    case "either":
      return eitherReader(schema);
    case "map":
      throw new TypeError("a map is no value of a protobuf list or map");
    default:
      return scalarReaders[schema.type];
  }
}

function inMessage<T>(from: ProtoReader, read: () => T): T {
  const outer = from.enter();
  const value = read();
  from.leave(outer);
  return value;
}

function wrappedListReader(items: Schema): Read {
  const read = readerOf(items);
  return (from) =>
    inMessage(from, () => {
      const list: unknown[] = [];
      eachField(from, (tag) => {
        if (tag !== 1) return false;
        list.push(read(from));
        return true;
      });
      return list;
    });
}

/** `take` reads the value of a field it knows. */
function eachField(from: ProtoReader, take: (tag: number) => boolean): void {
  while (from.more) {
    const key = from.varint();
    if (!take(key >>> 3)) from.skip(key & 7);
  }
}

function eitherReader(schema: EitherSchema<unknown>): Read {
  const struct = readerOf(schema.schema);
  const read = schema.or === "strings" ? scalarReaders.string : struct;
  return (from) =>
    inMessage(from, () => {
      let value: unknown = schema.or === "bool" ? false : undefined;
      eachField(from, (tag) => {
        if (tag > 2) return false;
        if (schema.or === "bool") {
          if (tag === 2) value = struct(from);
          else if (from.bool()) value = typeof value === "object" ? value : true;
        } else if (tag === 1) value = struct(from);
        else value = [...(Array.isArray(value) ? value : []), read(from)];
        return true;
      });
      return value;
    });
}

const scalarReaders: Readonly<Record<ScalarName, Read>> = {
  string: (from) => from.string(),
  bool: (from) => from.bool(),
  int32: (from) => from.int32(),
  int64: (from) => from.int64(),
  double: (from) => from.double(),
  bytes: (from) => Buffer.from(from.bytes()).toString("base64"),
  time: (from) => {
    const instant = readInstant(from);
    return instant && formatTime(instant.seconds);
  },
  microTime: (from) => {
    const instant = readInstant(from);
    return instant && formatMicroTime(instant);
  },
  quantity: readQuantity,
  intOrString(from) {
    let [isString, int, text] = [false, 0, ""];
    inMessage(from, () =>
      eachField(from, (tag) => {
        if (tag === 1) isString = from.int32() === 1;
        else if (tag === 2) int = from.int32();
        else if (tag === 3) text = from.string();
        return tag <= 3;
      }),
    );
    return isString ? text : int;
  },
  duration: (from) => formatDuration(BigInt(readOne(from, 1, () => from.int64()) ?? 0)),
  any: readJson,
  object: readJson,
  fields: readJson,
};

/** What a Date can hold. */
const secondsMax = 8.64e12;

/** Undefined for Go's zero time, an empty message. */
function readInstant(from: ProtoReader): { seconds: number; nanos: number } | undefined {
  return inMessage(from, () => {
    if (!from.more) return undefined;
    let [seconds, nanos] = [0, 0];
    eachField(from, (tag) => {
      if (tag === 1) seconds = Number(from.int64());
      else if (tag === 2) nanos = from.int32();
      return tag <= 2;
    });
    if (Math.abs(seconds) > secondsMax) throw new ProtoError("time out of range");
    return { seconds, nanos };
  });
}

/** A message of which only one field matters. */
function readOne<T>(from: ProtoReader, wanted: number, read: () => T): T | undefined {
  return inMessage(from, () => {
    let value: T | undefined;
    eachField(from, (tag) => {
      if (tag !== wanted) return false;
      value = read();
      return true;
    });
    return value;
  });
}

function readQuantity(from: ProtoReader): string {
  const text = readOne(from, 1, () => from.string()) || "0";
  try {
    return canonicalQuantity(text);
  } catch (error) {
    throw new ProtoError(errorMessage(error), { cause: error });
  }
}

function readJson(from: ProtoReader): unknown {
  const raw = readOne(from, 1, () => from.bytes());
  if (raw === undefined || raw.length === 0) return undefined;
  try {
    return JSON.parse(Buffer.from(raw).toString()) as unknown;
  } catch (error) {
    throw new ProtoError(errorMessage(error), { cause: error });
  }
}
