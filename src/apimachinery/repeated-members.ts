import { RepeatedMember } from "#wire/json-token.ts";
import { typedDepthMax } from "./decode-error.ts";
import { isJsonMap, type JsonMap } from "./json-value.ts";
import { setOwn } from "./maps.ts";
import { type Fields, resolve, type Schema, type StructSchema } from "./schema.ts";
import { shapeOf } from "./struct-shape.ts";

/**
 * The document as Go's decoder would end up with it where members stand more than once: each value is
 * decoded into what the one before it left, so that structs and lists are merged member by member and item
 * by item; of a map the keys are. Source: encoding/json decode.go (`object`, `array`, `literalStore`).
 */
export function mergeRepeated(schema: StructSchema<Fields>, value: unknown): unknown {
  return into({ schema, isPointer: false, depth: 0 }, undefined, value);
}

interface Place {
  readonly schema: Schema;
  readonly isPointer: boolean;
  readonly depth: number;
}

/** Decodes `value` into a place that holds `known`; undefined: nothing yet. */
function into(place: Place, known: unknown, value: unknown): unknown {
  if (value instanceof RepeatedMember) return value.values.reduce<unknown>((sum, each) => into(place, sum, each), known);
  // The decoder refuses what nests deeper.
  if (place.depth > typedDepthMax) return value;
  const schema = resolve(place.schema);
  if (value === null) return keepsOnNull(place, schema) ? (known ?? null) : null;
  switch (schema.type) {
    case "struct":
      return isJsonMap(value) ? intoStruct(schema, known, { value, depth: place.depth }) : value;
    case "map": {
      if (!isJsonMap(value)) return value;
      const map: JsonMap = isJsonMap(known) ? { ...known } : {};
      const inner = { schema: schema.values, isPointer: false, depth: place.depth + 1 };
      // Values of maps are fresh: the last counts.
      for (const key of Object.keys(value)) setOwn(map, key, into(inner, undefined, lastOf(value[key])));
      return map;
    }
    case "list": {
      if (!Array.isArray(value)) return value;
      const items: readonly unknown[] = Array.isArray(known) ? known : [];
      const inner = { schema: schema.items, isPointer: false, depth: place.depth + 1 };
      return value.map((item: unknown, index) => into(inner, items[index], item));
    }
    default:
      return value;
  }
}

function intoStruct(
  schema: StructSchema<Fields>,
  known: unknown,
  { value, depth }: { readonly value: JsonMap; readonly depth: number },
): JsonMap {
  const { byName } = shapeOf(schema);
  const struct: JsonMap = isJsonMap(known) ? { ...known } : {};
  for (const key of Object.keys(value)) {
    const slot = byName.get(key);
    const member = value[key];
    if (slot === undefined) setOwn(struct, key, lastOf(member));
    else {
      const place = { schema: slot.schema, isPointer: slot.field.presence === "ptr", depth: depth + 1 };
      struct[key] = into(place, struct[key], member);
    }
  }
  return struct;
}

/** Null sets pointers, lists and maps to nil, and types that decode themselves to zero; others it leaves as they are. */
function keepsOnNull({ isPointer }: Place, { type }: Schema): boolean {
  return !isPointer && ["struct", "string", "bool", "int32", "int64", "double", "object"].includes(type);
}

function lastOf(value: unknown): unknown {
  return value instanceof RepeatedMember ? lastOf(value.values.at(-1)) : value;
}
