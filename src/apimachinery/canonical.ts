import { compareBytes, setOwn } from "./maps.ts";
import { zeroValue } from "./json-decode.ts";
import {
  type EitherSchema,
  type Fields,
  type MapSchema,
  resolve,
  type Schema,
  type StructSchema,
} from "./schema.ts";
import { assembleStruct } from "./struct-assembly.ts";
import { shapeOf, type Slot } from "./struct-shape.ts";

/**
 * A fresh object with exactly the members that Go prints, in Go's order: zero values where Go
 * writes them (null for lists and maps), maps sorted by bytes. Values themselves are taken as
 * canonical already: decoding made them so.
 */
export function canonical(schema: StructSchema<Fields>, object: object): Record<string, unknown> {
  return canonicalWith(schema, object, {}).value;
}

export interface CanonicalOptions {
  /**
   * Empty `req` lists and maps: `null` as objects have them that were stored (protobuf knows no
   * empty list), or kept, as in answers that are made and never stored. Default null.
   */
  readonly emptyLists?: "null" | "keep";
}

interface Run {
  readonly keepEmpty: boolean;
  /** A map has keys that V8 would print out of order. */
  integerKeys: boolean;
}

/** As `canonical`; `plain` tells that `JSON.stringify` keeps the order of members. */
export function canonicalWith(
  schema: StructSchema<Fields>,
  object: object,
  options: CanonicalOptions,
): { value: Record<string, unknown>; plain: boolean } {
  const run: Run = { keepEmpty: options.emptyLists === "keep", integerKeys: false };
  const value = canonicalStruct(planOf(schema), object as Record<string, unknown>, run);
  return { value, plain: !run.integerKeys };
}

/** Undefined when the value is empty or zero: whether that is written, the field says. */
type Canonical = (value: unknown, run: Run) => unknown;

interface CanonicalSlot {
  readonly slot: Slot;
  readonly canonical: Canonical;
  /** Zero values are left out. */
  readonly dropsZero: boolean;
  /** What stands for an absent value; undefined: nothing. */
  readonly absent: ((run: Run) => unknown) | undefined;
}

interface StructPlan {
  readonly slots: ReadonlyMap<string, CanonicalSlot>;
  readonly always: readonly CanonicalSlot[];
}

const plans = new WeakMap<StructSchema<Fields>, StructPlan>();

function planOf(schema: StructSchema<Fields>): StructPlan {
  let plan = plans.get(schema);
  if (plan === undefined) {
    const slots = shapeOf(schema).slots.map(planSlot);
    plan = {
      slots: new Map(slots.map((entry) => [entry.slot.name, entry])),
      always: slots.filter((entry) => entry.absent !== undefined),
    };
    plans.set(schema, plan);
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
  "list",
  "map",
]);

function planSlot(slot: Slot): CanonicalSlot {
  const { field, schema } = slot;
  const dropsZero = field.presence === "opt" && droppable.has(schema.type);
  const written = field.presence !== "ptr" && !dropsZero;
  let absent: CanonicalSlot["absent"];
  if (field.nullable === true) absent = () => null;
  else if (written) absent = absentWriter(schema);
  return { slot, canonical: canonicalOf(schema), dropsZero, absent };
}

function absentWriter(schema: Schema): (run: Run) => unknown {
  switch (schema.type) {
    case "struct":
      return (run) => canonicalStruct(planOf(schema), {}, run);
    case "list":
    case "map":
    case "bytes":
      return () => null;
    case "either":
      return () => (schema.or === "bool" ? false : null);
    default: {
      const zero = zeroValue(schema);
      return () => zero;
    }
  }
}

const canonicals = new WeakMap<Schema, Canonical>();

function canonicalOf(schema: Schema): Canonical {
  let compiled = canonicals.get(schema);
  if (compiled === undefined) canonicals.set(schema, (compiled = compile(schema)));
  return compiled;
}

function compile(schema: Schema): Canonical {
  switch (schema.type) {
    case "ref":
      return (value, run) => canonicalOf(resolve(schema))(value, run);
    case "struct": {
      let plan: StructPlan | undefined;
      return (value, run) => {
        // Not before the first use: types contain themselves.
        plan ??= planOf(schema);
        return canonicalStruct(plan, value as Record<string, unknown>, run);
      };
    }
    case "list":
      return compileList(schema.items);
    case "map":
      return compileMap(schema);
    case "either":
      return compileEither(schema);
    default:
      return (value) => value;
  }
}

function canonicalStruct(
  plan: StructPlan,
  object: Readonly<Record<string, unknown>>,
  run: Run,
): Record<string, unknown> {
  const slots: Slot[] = [];
  const values: unknown[] = [];
  let always = 0;
  for (const name in object) {
    const entry = plan.slots.get(name);
    const value = object[name];
    if (entry === undefined || value === undefined || value === null) continue;
    let written: unknown;
    if (isZero(value)) {
      if (entry.dropsZero) continue;
      written = zeroOf(entry, value, run);
    } else written = entry.canonical(value, run);
    if (entry.absent !== undefined) always++;
    slots.push(entry.slot);
    values.push(written);
  }
  if (always < plan.always.length) {
    for (const entry of plan.always) {
      if (slots.includes(entry.slot)) continue;
      slots.push(entry.slot);
      values.push(entry.absent?.(run));
    }
  }
  return assembleStruct(slots, values);
}

/** A zero value that is written: empty lists and maps that are no pointers print as null. */
function zeroOf(entry: CanonicalSlot, value: unknown, run: Run): unknown {
  const { type } = entry.slot.schema;
  const nil = type === "list" || type === "map" || type === "bytes";
  if (nil && entry.absent !== undefined && !run.keepEmpty) return null;
  return entry.canonical(value, run);
}

function isZero(value: unknown): boolean {
  if (typeof value !== "object" || value === null) {
    return value === "" || value === 0 || value === false || value === 0n;
  }
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

function compileList(items: Schema): Canonical {
  const item = canonicalOf(items);
  const zero = ["string", "bool", "int32"].includes(items.type) ? zeroValue(items) : null;
  return (value, run) => {
    const list = value as readonly unknown[];
    const written: unknown[] = [];
    for (const each of list)
      written.push(each === null || each === undefined ? zero : item(each, run));
    return written;
  };
}

const integerKey = /^(0|[1-9]\d{0,9})$/;

function compileMap(schema: MapSchema<Schema>): Canonical {
  const item = canonicalOf(schema.values);
  return (value, run) => {
    const map = value as Readonly<Record<string, unknown>>;
    const keys = Object.keys(map);
    if (keys.length > 1) keys.sort(compareBytes);
    const written: Record<string, unknown> = {};
    for (const key of keys) {
      const code = key.charCodeAt(0);
      if (code >= 48 && code <= 57 && integerKey.test(key)) run.integerKeys = true;
      setOwn(written, key, item(map[key], run));
    }
    return written;
  };
}

function compileEither(schema: EitherSchema<unknown>): Canonical {
  const nested = canonicalOf(schema.schema);
  return (value, run) => {
    if (typeof value === "boolean") return value;
    if (!Array.isArray(value)) return nested(value, run);
    // Go prints the struct, nil here, when its list is empty.
    if (value.length === 0) return null;
    return schema.or === "list" ? value.map((item: unknown) => nested(item, run)) : value;
  };
}
