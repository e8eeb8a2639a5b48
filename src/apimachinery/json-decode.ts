import { DecodeError, Decoding } from "./decode-error.ts";
import { markGivenEmpty } from "./given-empty.ts";
import { type Decode, jsonTypeOf, scalarDecoders, stringDecoder } from "./json-scalars.ts";
import { isJsonMap } from "./json-value.ts";
import { setOwn } from "./maps.ts";
import {
  type EitherSchema,
  type Fields,
  type ListSchema,
  type MapSchema,
  resolve,
  type Schema,
  type StructSchema,
} from "./schema.ts";
import { assembleStruct } from "./struct-assembly.ts";
import { goTypeName, shapeOf, type Slot } from "./struct-shape.ts";

/**
 * From parsed JSON to our shape of objects:
 *  - fields stand in Go's order; unknown ones are dropped; null is as absent;
 *  - `req` fields are always there: `""`, 0, false, `[]`, `{}` (times: absent);
 *  - `opt` structs are always there, other `opt` fields only when they are not zero, save empty lists and maps
 *    that a client sent: to Go they are not nil, until the object is written;
 *  - `ptr` fields are there when the client sent them.
 */
export interface DecodeOptions {
  /** Whether unknown fields are reported. Default true. */
  readonly collectFindings?: boolean;
  /** What paths in findings begin with, e.g. `metadata`. */
  readonly path?: string;
  /** The object that the value was made of by a patch, or the value itself: nobody sent its empty lists. */
  readonly base?: object;
}

export interface Decoded<T> {
  /** Fresh, except for what stands under `any`, `object` and `fields`. */
  readonly object: T;
  /** `unknown field "spec.foo"`, in the order of the body. */
  readonly findings: string[];
}

/** Throws a DecodeError with Go's text. */
export function decodeJson<T>(
  schema: StructSchema<Fields>,
  value: unknown,
  options: DecodeOptions = {},
): Decoded<T> {
  const run = new Decoding(options.collectFindings ?? true, options.path ?? "");
  run.base = options.base;
  const object = value === null ? zeroValue(schema) : decoderOf(schema)(value, run);
  run.finish();
  return { object: object as T, findings: run.findings };
}

/** Decodes one value of any schema; null is the schema's zero. Throws a DecodeError. */
export function decodeJsonValue(schema: Schema, value: unknown): unknown {
  const run = new Decoding(false, "");
  const decoded = value === null ? undefined : decoderOf(schema)(value, run);
  run.finish();
  return decoded ?? zeroValue(schema);
}

const decoders = new WeakMap<Schema, Decode>();

/** Compiled on first use. */
function decoderOf(schema: Schema): Decode {
  let decode = decoders.get(schema);
  if (decode === undefined) decoders.set(schema, (decode = compile(schema)));
  return decode;
}

function compile(schema: Schema): Decode {
  switch (schema.type) {
    case "ref":
      return (value, run) => decoderOf(resolve(schema))(value, run);
    case "struct":
      return compileStruct(schema);
    case "list":
      return compileList(schema);
    case "map":
      return compileMap(schema);
    case "either":
      return compileEither(schema);
    case "string":
      return schema.goType === undefined ? scalarDecoders.string : stringDecoder(schema.goType);
    default:
      return scalarDecoders[schema.type];
  }
}

interface DecodeSlot {
  readonly slot: Slot;
  readonly decode: Decode;
  /** `opt`, and of a type that Go leaves out when zero. */
  readonly dropsZero: boolean;
  readonly always: boolean;
  readonly isContainer: boolean;
}

interface StructPlan {
  readonly slots: ReadonlyMap<string, DecodeSlot>;
  /** Fields that are always there, with what makes their zero value. */
  readonly always: readonly { readonly slot: Slot; readonly zero: () => unknown }[];
}

function compileStruct(schema: StructSchema<Fields>): Decode {
  const goType = goTypeName(schema);
  let plan: StructPlan | undefined;
  return (value, run) => {
    if (!isJsonMap(value)) return run.save(run.mismatch(jsonTypeOf(value), goType));
    // Not before the first use: types contain themselves.
    plan ??= planOf(schema);
    return decodeStruct(plan, value, run);
  };
}

const plans = new WeakMap<StructSchema<Fields>, StructPlan>();

function planOf(schema: StructSchema<Fields>): StructPlan {
  let plan = plans.get(schema);
  if (plan === undefined) {
    const shape = shapeOf(schema);
    const slots = shape.slots.map((slot) => ({
      slot,
      decode: decoderOf(slot.schema),
      dropsZero: slot.field.presence === "opt" && dropsZero(slot.schema),
      always: isAlwaysThere(slot),
      isContainer: slot.field.presence !== "ptr" && ["list", "map"].includes(slot.schema.type),
    }));
    const always = shape.slots
      .filter((slot) => isAlwaysThere(slot))
      .map((slot) => ({ slot, zero: () => zeroValue(slot.schema) }));
    plan = { slots: new Map(slots.map((entry) => [entry.slot.name, entry])), always };
    plans.set(schema, plan);
  }
  return plan;
}

function dropsZero(schema: Schema): boolean {
  return ["string", "bool", "int32", "int64", "double", "bytes", "list", "map"].includes(
    schema.type,
  );
}

function isAlwaysThere({ field, schema }: Slot): boolean {
  if (field.presence === "ptr") return false;
  return schema.type === "struct" || (field.presence === "req" && hasZero(schema));
}

/** Whether absence has a value of its own in memory. */
function hasZero(schema: Schema): boolean {
  return schema.type === "struct" || dropsZero(schema) || schema.type === "intOrString";
}

function decodeStruct(
  plan: StructPlan,
  value: Record<string, unknown>,
  run: Decoding,
): Record<string, unknown> {
  const slots: Slot[] = [];
  const values: unknown[] = [];
  let required = 0;
  for (const name in value) {
    const entry = plan.slots.get(name);
    if (entry === undefined) {
      run.unknownField(name);
      continue;
    }
    const given = value[name];
    if (given === null || given === undefined) continue;
    run.enter(entry.slot);
    const decoded = entry.decode(given, run);
    run.leave();
    if (decoded === undefined) continue;
    if ((entry.dropsZero || entry.isContainer) && isZero(decoded)) {
      const isSent = entry.isContainer && isSentEmpty(run, given);
      if (entry.dropsZero && !isSent) continue;
      if (isSent) markGivenEmpty(decoded as object);
    }
    slots.push(entry.slot);
    values.push(decoded);
    if (entry.always) required++;
  }
  if (required < plan.always.length) {
    for (const { slot, zero } of plan.always) {
      if (slots.includes(slot)) continue;
      slots.push(slot);
      values.push(zero());
    }
  }
  return assembleStruct(slots, values);
}

function isZero(value: unknown): boolean {
  if (value === "" || value === 0 || value === false) return true;
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

function compileList(schema: ListSchema<Schema>): Decode {
  const goType = goTypeName(schema);
  const decode = decoderOf(schema.items);
  return (value, run) => {
    if (!Array.isArray(value)) return run.save(run.mismatch(jsonTypeOf(value), goType));
    const list: unknown[] = [];
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      run.enter(i);
      const decoded = item === null ? undefined : decode(item, run);
      run.leave();
      list.push(decoded === undefined ? zeroValue(schema.items) : decoded);
    }
    return list;
  };
}

function compileMap(schema: MapSchema<Schema>): Decode {
  const goType = goTypeName(schema);
  const decode = decoderOf(schema.values);
  return (value, run) => {
    if (!isJsonMap(value)) return run.save(run.mismatch(jsonTypeOf(value), goType));
    const map: Record<string, unknown> = {};
    for (const key in value) {
      const given = value[key];
      run.enter(key);
      const decoded = given === null ? undefined : decode(given, run);
      run.leave();
      setOwn(map, key, decoded === undefined ? zeroValue(schema.values) : decoded);
    }
    return map;
  };
}

/** Go types with their own unmarshalling: strictness does not reach into them. */
function compileEither(schema: EitherSchema<unknown>): Decode {
  const decode = decoderOf(schema.schema);
  return (value, run) => {
    run.enterLenient();
    try {
      if (isJsonMap(value)) return decode(value, run);
      if (schema.or === "bool") {
        if (typeof value === "boolean") return value;
        throw new DecodeError("boolean or JSON schema expected");
      }
      if (!Array.isArray(value)) return undefined;
      return value.map((item: unknown) => {
        if (schema.or === "list") return decode(item, run);
        return scalarDecoders.string(item, run);
      });
    } finally {
      run.leaveLenient();
    }
  };
}

/** What Go has where nothing was sent; fresh each time. Null for values that print as null. */
export function zeroValue(schema: Schema): unknown {
  switch (schema.type) {
    case "ref":
      return zeroValue(resolve(schema));
    case "struct":
      return zeroStruct(schema);
    case "list":
      return [];
    case "map":
      return {};
    case "string":
    case "bytes":
      return "";
    case "bool":
      return false;
    case "int32":
    case "int64":
    case "double":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "duration":
      return "0s";
    default:
      return null;
  }
}

function zeroStruct(schema: StructSchema<Fields>): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const { slot, zero } of planOf(schema).always) object[slot.name] = zero();
  return object;
}

/** Whether a client sent the empty list or map, rather than that it stands in what a patch was applied to. */
function isSentEmpty({ base }: Decoding, given: unknown): boolean {
  return base === undefined || !holds(base, given as object);
}

/** Whether the very container stands somewhere in `value`. */
function holds(value: unknown, container: object): boolean {
  if (value === container) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some((member) => holds(member, container));
}

