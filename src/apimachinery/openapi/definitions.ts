import {
  type EitherSchema,
  type Field,
  type Fields,
  flatFields,
  resolve,
  type ScalarName,
  type Schema,
  type StructSchema,
} from "../schema.ts";

/** A JSON document or part of one. */
export type Json = Record<string, unknown>;

/** OpenAPI v2 (Swagger) and v3 say the same in slightly different ways. */
export type Dialect = 2 | 3;

/** Descriptions of definitions (`field` absent) and their properties. */
export type Describe = (schemaName: string, field?: string) => string | undefined;

export interface GroupVersionKindEntry {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}

/** The values that a field may have; of lists and maps, those of the items. Undefined: any. */
export type EnumOf = (schemaName: string, field: string) => readonly string[] | undefined;

export interface DefinitionOptions {
  readonly dialect: Dialect;
  readonly describe: Describe;
  readonly enumOf?: EnumOf;
  /** Of a root kind; empty: none. */
  readonly kindsOf: (schema: StructSchema<Fields>) => readonly GroupVersionKindEntry[];
}

export function refTo(dialect: Dialect, name: string): string {
  return (dialect === 2 ? "#/definitions/" : "#/components/schemas/") + name;
}

/**
 * Adds the definition of a struct, and of all that it refers to, to `into`. Names that are there
 * already are left alone.
 */
export function addDefinitions(
  schema: StructSchema<Fields>,
  into: Map<string, Json>,
  options: DefinitionOptions,
): void {
  if (into.has(schema.name)) return;
  const definition: Json = {};
  into.set(schema.name, definition);
  Object.assign(definition, structDefinition(schema, options));
  for (const field of flatFields(schema).values()) addReferred(field.schema, into, options);
}

function addReferred(schema: Schema, into: Map<string, Json>, options: DefinitionOptions): void {
  switch (schema.type) {
    case "ref":
      return addReferred(resolve(schema), into, options);
    case "struct":
      return addDefinitions(schema, into, options);
    case "list":
      return addReferred(schema.items, into, options);
    case "map":
      return addReferred(schema.values, into, options);
    case "either":
      into.set(schema.name, described({}, options.describe(schema.name)));
      return addReferred(schema.schema, into, options);
    default: {
      const name = namedScalars.get(schema.type);
      if (name === undefined || into.has(name)) return;
      const shape = options.dialect === 2 ? scalarsV2[schema.type] : scalarsV3[schema.type];
      into.set(name, described({ ...shape }, options.describe(name)));
    }
  }
}

function described(json: Json, description: string | undefined): Json {
  return description === undefined ? json : { description, ...json };
}

/** Scalars that have a definition of their own. */
const namedScalars: ReadonlyMap<ScalarName, string> = new Map([
  ["time", "io.k8s.apimachinery.pkg.apis.meta.v1.Time"],
  ["microTime", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"],
  ["fields", "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"],
  ["duration", "io.k8s.apimachinery.pkg.apis.meta.v1.Duration"],
  ["quantity", "io.k8s.apimachinery.pkg.api.resource.Quantity"],
  ["intOrString", "io.k8s.apimachinery.pkg.util.intstr.IntOrString"],
  ["object", "io.k8s.apimachinery.pkg.runtime.RawExtension"],
  ["any", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON"],
]);

const scalarsV2: Readonly<Record<ScalarName, Json>> = {
  string: { type: "string" },
  bool: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" },
  bytes: { type: "string", format: "byte" },
  time: { type: "string", format: "date-time" },
  microTime: { type: "string", format: "date-time" },
  duration: { type: "string" },
  fields: { type: "object" },
  object: { type: "object" },
  any: {},
  quantity: { type: "string" },
  intOrString: { type: "string", format: "int-or-string" },
};

const scalarsV3: Readonly<Record<ScalarName, Json>> = {
  ...scalarsV2,
  quantity: { oneOf: [{ type: "string" }, { type: "number" }] },
  intOrString: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
};

function structDefinition(schema: StructSchema<Fields>, options: DefinitionOptions): Json {
  const properties: Json = {};
  const required: string[] = [];
  if (schema.root) {
    for (const name of ["apiVersion", "kind"]) {
      properties[name] = described({ type: "string" }, options.describe(schema.name, name));
    }
  }
  for (const [name, field] of flatFields(schema)) {
    if (field.hidden === true) continue;
    const description = options.describe(schema.name, name);
    const property = propertyOf(field, options.dialect, description);
    properties[name] = withEnum(property, options.enumOf?.(schema.name, name));
    if (field.required ?? field.presence === "req") required.push(name);
  }
  const kinds = schema.root || schema.name.endsWith(".WatchEvent") ? options.kindsOf(schema) : [];
  return {
    ...described({ type: "object" }, options.describe(schema.name)),
    ...(required.length > 0 && { required }),
    ...(Object.keys(properties).length > 0 && { properties: sorted(properties) }),
    ...(kinds.length > 0 && { "x-kubernetes-group-version-kind": kinds }),
    ...(schema.atomic && { "x-kubernetes-map-type": "atomic" }),
    ...(schema.unions && { "x-kubernetes-unions": schema.unions.map(unionJson) }),
  };
}

/** Members as Go prints maps. */
export function sorted(json: Json): Json {
  const keys = Object.keys(json).toSorted();
  return Object.fromEntries(keys.map((key) => [key, json[key]]));
}

function unionJson({ discriminator, fields }: { discriminator?: string; fields: object }): Json {
  return {
    ...(discriminator !== undefined && { discriminator }),
    "fields-to-discriminateBy": fields,
  };
}

function propertyOf(field: Field, dialect: Dialect, description: string | undefined): Json {
  const json = typeOf(field.schema, dialect);
  const value = dialect === 3 ? defaultOf(field) : undefined;
  const more: Json = {
    ...(description !== undefined && { description }),
    ...(field.format !== undefined && { format: field.format }),
    ...(value !== undefined && { default: value }),
    ...(field.mapKeys && { "x-kubernetes-list-map-keys": field.mapKeys }),
    ...(field.listType && { "x-kubernetes-list-type": field.listType }),
    ...(field.mapType && { "x-kubernetes-map-type": field.mapType }),
    ...(field.mergeKey && { "x-kubernetes-patch-merge-key": field.mergeKey }),
    ...(field.patch && { "x-kubernetes-patch-strategy": field.patch }),
  };
  // In v3 nothing may stand beside a reference.
  const wrapped = "$ref" in json && dialect === 3 && Object.keys(more).length > 0;
  return { ...(wrapped ? { allOf: [json] } : json), ...more };
}

function withEnum(property: Json, values: readonly string[] | undefined): Json {
  if (values === undefined) return property;
  const { items, additionalProperties } = property;
  if (items !== undefined) return { ...property, items: { ...(items as Json), enum: values } };
  if (additionalProperties !== undefined) {
    return { ...property, additionalProperties: { ...(additionalProperties as Json), enum: values } };
  }
  return { ...property, enum: values };
}

/** The declared default, or Go's zero where JSON always has the field. */
function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  if (field.presence === "ptr") return undefined;
  const schema = resolve(field.schema);
  if (schema.type === "struct") return {};
  if (field.presence !== "req") return undefined;
  if (schema.type === "string") return "";
  if (schema.type === "bool") return false;
  return schema.type === "int32" || schema.type === "int64" || schema.type === "double"
    ? 0
    : undefined;
}

function typeOf(schema: Schema, dialect: Dialect): Json {
  switch (schema.type) {
    case "ref":
      return typeOf(resolve(schema), dialect);
    case "struct":
      return { $ref: refTo(dialect, schema.name) };
    case "either":
      return { $ref: refTo(dialect, (schema as EitherSchema<unknown>).name) };
    case "list":
      return { type: "array", items: typeOf(schema.items, dialect) };
    case "map":
      return { type: "object", additionalProperties: typeOf(schema.values, dialect) };
    default: {
      const name = namedScalars.get(schema.type);
      if (name !== undefined) return { $ref: refTo(dialect, name) };
      return { ...(dialect === 2 ? scalarsV2 : scalarsV3)[schema.type] };
    }
  }
}
