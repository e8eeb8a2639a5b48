import { parseJson } from "#wire/json.ts";
import { type Fields, resolve, type Schema, type StructSchema } from "./schema.ts";
import { shapeOf, type Slot } from "./struct-shape.ts";

const nullWord = Buffer.from("null");
/** Numbers that a double may not hold. */
const longNumber = /[0-9]{16}/;

/**
 * Reads bytes that `encodeJson` made: the object as `decodeJson` gives it, but that unset times
 * are undefined members, and without looking for faults. Only null differs from our shape, so text
 * without it needs no second look.
 */
export function decodeTrusted<T>(schema: StructSchema<Fields>, bytes: Uint8Array): T {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString();
  const value = (longNumber.test(text) ? parseJson(text) : JSON.parse(text)) as T;
  if (buffer.includes(nullWord)) fixerOf(schema)?.(value);
  return value;
}

/**
 * What `decodeTrusted` reads from the bytes of `encodeJsonValue`, made of its value, in place.
 * Undefined when that may hold numbers that reading would change.
 */
export function trustedValue<T>(
  schema: StructSchema<Fields>,
  { text, value }: { readonly text: string; readonly value: Record<string, unknown> },
): T | undefined {
  if (longNumber.test(text)) return undefined;
  if (text.includes("null")) fixerOf(schema)?.(value);
  return value as T;
}

/** Replaces null below a value, in place. */
type Fix = (value: unknown) => void;

interface FixSlot {
  readonly name: string;
  /** What null stands for in this field. */
  readonly make: () => unknown;
  readonly nested: Fix | undefined;
}

const fixers = new WeakMap<StructSchema<Fields>, Fix | undefined>();
/** Schemas that are being compiled: recursive types meet themselves. */
const compiling = new WeakSet<StructSchema<Fields>>();

/** Undefined when Go writes no null anywhere below. */
function fixerOf(schema: StructSchema<Fields>): Fix | undefined {
  if (fixers.has(schema)) return fixers.get(schema);
  if (compiling.has(schema)) return (value) => fixers.get(schema)?.(value);
  compiling.add(schema);
  const slots = shapeOf(schema)
    .slots.map(compileSlot)
    .filter((slot) => slot !== undefined);
  const fix = slots.length === 0 ? undefined : structFixer(slots);
  fixers.set(schema, fix);
  compiling.delete(schema);
  return fix;
}

function structFixer(slots: readonly FixSlot[]): Fix {
  return (value) => {
    const object = value as Record<string, unknown>;
    for (const { name, make, nested } of slots) {
      const member = object[name];
      if (member === null) object[name] = make();
      else if (member !== undefined) nested?.(member);
    }
  };
}

const printsNull: ReadonlySet<string> = new Set([
  "list",
  "map",
  "bytes",
  "time",
  "microTime",
  "any",
  "object",
  "fields",
  "either",
]);

function compileSlot({ name, field, schema }: Slot): FixSlot | undefined {
  const nested = nestedFixer(schema);
  const written = field.presence !== "ptr" && printsNull.has(schema.type);
  const nil =
    field.nullable === true || (written && !(field.presence === "opt" && dropped(schema)));
  if (!nil && nested === undefined) return undefined;
  return { name, make: field.nullable === true ? absent : makerOf(schema), nested };
}

/** Left out when empty, so never null. */
function dropped({ type }: Schema): boolean {
  return type === "list" || type === "map" || type === "bytes";
}

function absent(): undefined {
  return undefined;
}

function makerOf({ type }: Schema): () => unknown {
  if (type === "list") return () => [];
  if (type === "map") return () => ({});
  return type === "bytes" ? () => "" : absent;
}

function nestedFixer(schema: Schema): Fix | undefined {
  switch (schema.type) {
    case "ref":
      return nestedFixer(resolve(schema));
    case "struct":
      return fixerOf(schema);
    case "list": {
      const item = nestedFixer(schema.items);
      return item && ((value) => (value as unknown[]).forEach(item));
    }
    case "map": {
      const item = nestedFixer(schema.values);
      return item && ((value) => Object.values(value as object).forEach(item));
    }
    default:
      return undefined;
  }
}
