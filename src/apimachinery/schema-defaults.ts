import { type Fields, resolve, type Schema, type StructSchema } from "./schema.ts";
import { shapeOf, type Slot } from "./struct-shape.ts";

/**
 * Fills in the constants that the schema declares, in place and at any depth. Optional structs that
 * are absent stay absent. Zero counts as absent where Go has no pointer.
 */
export function applySchemaDefaults(schema: StructSchema<Fields>, object: object): void {
  applierOf(schema)?.(object);
}

type Applier = (value: unknown) => void;

const appliers = new WeakMap<StructSchema<Fields>, Applier | undefined>();
/** Schemas that are being compiled: recursive types meet themselves. */
const compiling = new WeakSet<StructSchema<Fields>>();

/** Undefined when nothing below has defaults. */
function applierOf(schema: StructSchema<Fields>): Applier | undefined {
  if (appliers.has(schema)) return appliers.get(schema);
  if (compiling.has(schema)) return (value) => appliers.get(schema)?.(value);
  compiling.add(schema);
  const applier = compileStruct(schema);
  appliers.set(schema, applier);
  compiling.delete(schema);
  return applier;
}

interface DefaultSlot {
  readonly name: string;
  readonly make: (() => unknown) | undefined;
  readonly zeroIsAbsent: boolean;
  readonly nested: Applier | undefined;
}

function compileStruct(schema: StructSchema<Fields>): Applier | undefined {
  const slots = shapeOf(schema)
    .slots.map(compileSlot)
    .filter((slot) => slot !== undefined);
  if (slots.length === 0) return undefined;
  return (value) => {
    const object = value as Record<string, unknown>;
    for (const { name, make, zeroIsAbsent, nested } of slots) {
      let current = object[name];
      const absent = current === undefined || current === null;
      if (make !== undefined && (absent || (zeroIsAbsent && isZeroScalar(current)))) {
        current = make();
        object[name] = current;
      }
      if (nested !== undefined && current !== undefined && current !== null) nested(current);
    }
  };
}

function compileSlot(slot: Slot): DefaultSlot | undefined {
  const zeroIsAbsent = slot.field.presence !== "ptr";
  const make = makerOf(slot, zeroIsAbsent);
  const nested = nestedApplier(slot.schema);
  if (make === undefined && nested === undefined) return undefined;
  return { name: slot.name, make, zeroIsAbsent, nested };
}

function makerOf({ field }: Slot, zeroIsAbsent: boolean): (() => unknown) | undefined {
  const value = field.default;
  if (value === undefined || (zeroIsAbsent && isZeroScalar(value))) return undefined;
  return typeof value === "object" && value !== null ? () => structuredClone(value) : () => value;
}

function nestedApplier(schema: Schema): Applier | undefined {
  switch (schema.type) {
    case "ref":
      return nestedApplier(resolve(schema));
    case "struct":
      return applierOf(schema);
    case "list": {
      const item = nestedApplier(schema.items);
      if (item === undefined) return undefined;
      return (value) => {
        for (const each of value as unknown[]) item(each);
      };
    }
    case "map": {
      const item = nestedApplier(schema.values);
      if (item === undefined) return undefined;
      return (value) => {
        for (const each of Object.values(value as object)) item(each);
      };
    }
    default:
      return undefined;
  }
}

function isZeroScalar(value: unknown): boolean {
  return value === "" || value === 0 || value === false;
}
