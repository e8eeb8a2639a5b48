import {
  type Field,
  type Fields,
  flatFields,
  resolve,
  type Schema,
  type StructSchema,
  string,
} from "./schema.ts";

/** A field of a struct in JSON: what codecs need to know of it, computed once. */
export interface Slot {
  readonly index: number;
  readonly name: string;
  readonly field: Field;
  /** References followed. */
  readonly schema: Resolved;
  /** Go names of the embedded structs that the field comes from, outermost first. */
  readonly embedded: readonly string[];
  /** Go name of the struct that the field stands in. */
  readonly structName: string;
}

export type Resolved = ReturnType<typeof resolve>;

/** The JSON fields of a struct, `kind` and `apiVersion` of a root included, in Go's order. */
export interface Shape {
  readonly schema: StructSchema<Fields>;
  readonly slots: readonly Slot[];
  readonly byName: ReadonlyMap<string, Slot>;
}

const shapes = new WeakMap<StructSchema<Fields>, Shape>();

export function shapeOf(schema: StructSchema<Fields>): Shape {
  let shape = shapes.get(schema);
  if (shape === undefined) shapes.set(schema, (shape = computeShape(schema)));
  return shape;
}

const typeMetaField: Field = Object.freeze({ presence: "opt", tag: 0, schema: string });

function computeShape(schema: StructSchema<Fields>): Shape {
  const structName = goName(schema);
  const embedded = new Map<string, readonly string[]>();
  collectEmbedded(schema, [], embedded);
  const fields: [string, Field][] = [...flatFields(schema)];
  if (schema.root) fields.unshift(["kind", typeMetaField], ["apiVersion", typeMetaField]);
  const slots = fields.map(([name, field], index) => ({
    index,
    name,
    field,
    schema: resolve(field.schema),
    embedded: embedded.get(name) ?? [],
    structName,
  }));
  return { schema, slots, byName: new Map(slots.map((slot) => [slot.name, slot])) };
}

function collectEmbedded(
  schema: StructSchema<Fields>,
  path: readonly string[],
  into: Map<string, readonly string[]>,
): void {
  for (const [name, field] of Object.entries(schema.fields)) {
    const nested = field.inline === true ? resolve(field.schema) : undefined;
    if (nested?.type === "struct") collectEmbedded(nested, [...path, goName(nested)], into);
    else if (path.length > 0) into.set(name, path);
  }
}

/** `PodSpec` of `io.k8s.api.core.v1.PodSpec`. */
export function goName(schema: StructSchema<Fields>): string {
  return schema.name.slice(schema.name.lastIndexOf(".") + 1);
}

/** How Go prints the type in errors: `[]v1.Container`, `map[string]string`. */
export function goTypeName(schema: Schema): string {
  switch (schema.type) {
    case "ref":
      return goTypeName(resolve(schema));
    case "struct":
    case "either":
      return schema.name.split(".").slice(-2).join(".");
    case "list":
      return schema.goType ?? `[]${goTypeName(schema.items)}`;
    case "map":
      return schema.goType ?? `map[string]${goTypeName(schema.values)}`;
    default:
      return schema.goType ?? goScalarNames[schema.type];
  }
}

const goScalarNames = {
  string: "string",
  bool: "bool",
  int32: "int32",
  int64: "int64",
  double: "float64",
  bytes: "[]uint8",
  time: "v1.Time",
  microTime: "v1.MicroTime",
  quantity: "resource.Quantity",
  intOrString: "intstr.IntOrString",
  duration: "v1.Duration",
  any: "v1.JSON",
  object: "runtime.RawExtension",
  fields: "v1.FieldsV1",
} as const;
