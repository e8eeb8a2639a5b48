import { escapeFieldName, reservedWords } from "./escaping.ts";
import { JsonList, JsonMap, JsonObject, PreservedJson, adaptJson, type Adapter, type JsonField } from "./json-value.ts";
import { requestBytesMax } from "./limits.ts";
import { parseDuration, parseTimestamp } from "./time.ts";
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  objectType,
  optionalType,
  stringType,
  timestampType,
  type CelType,
} from "./types.ts";
import { CelError, type CelValue, type ListSemantics } from "./value.ts";

/**
 * What CEL needs to know of a JSON schema. The names are OpenAPI v3's, so a CRD's structural schema
 * can be given as it is.
 */
export interface CelSchema {
  readonly type?: string | undefined;
  readonly format?: string | undefined;
  readonly nullable?: boolean | undefined;
  readonly properties?: Readonly<Record<string, CelSchema>> | undefined;
  readonly additionalProperties?: boolean | CelSchema | undefined;
  /** A list of schemas is nothing that CEL supports. */
  readonly items?: CelSchema | readonly CelSchema[] | undefined;
  readonly required?: readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly default?: unknown;
  readonly maxLength?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly maxProperties?: number | undefined;
  readonly "x-kubernetes-int-or-string"?: boolean | undefined;
  readonly "x-kubernetes-embedded-resource"?: boolean | undefined;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean | undefined;
  readonly "x-kubernetes-list-type"?: string | undefined;
  readonly "x-kubernetes-list-map-keys"?: readonly string[] | undefined;
}

/** A schema as CEL sees it. */
export interface SchemaType {
  readonly type: CelType;
  readonly adapt: Adapter;
  /** Most characters, bytes, items or properties; 0 where size means nothing. */
  readonly elementsMax: number;
  /** Fewest bytes of such a value as JSON. */
  readonly serializedBytesMin: number;
  /** Elements of a list, values of a map. */
  readonly element?: SchemaType;
  readonly key?: SchemaType;
  /** Properties by their CEL names. */
  readonly fields?: ReadonlyMap<string, SchemaType>;
  /** What any other name leads to, of a map that is read like an object. */
  readonly anyField?: SchemaType;
}

const minBytes = { string: 2, bool: 4, number: 1, duration: 3, date: 12, dateTime: 21 };
const timeCharsMax = { duration: 32, date: 12, dateTime: 32 };

interface Place {
  /** Name of the type, if it is an object's. */
  readonly name: string;
  /** Objects that have `kind`, `apiVersion` and `metadata` whatever their schema says. */
  readonly resource: boolean;
}

/**
 * Makes a CEL type of a schema, or undefined when expressions cannot see values of it. Nested
 * object types are named after `name`. Source: pkg/cel/common/schemas.go.
 */
export function schemaType(schema: CelSchema, place: Place): SchemaType | undefined {
  if (schema["x-kubernetes-int-or-string"] === true) return intOrString(schema);
  switch (schema.type) {
    case "array":
      return arrayType(schema, place.name);
    case "object":
      return typeof schema.additionalProperties === "object"
        ? mapSchemaType(schema.additionalProperties, { schema, name: place.name })
        : objectSchemaType(place.resource ? withObjectMeta(schema) : schema, place.name);
    case "string":
      return stringSchemaType(schema);
    case "boolean":
      return scalar(boolType, minBytes.bool, schema);
    case "number":
      return scalar(doubleType, minBytes.number, schema);
    case "integer":
      return scalar(intType, minBytes.number, schema);
    default:
      return undefined;
  }
}

/** The schema of all elements. */
export function itemsOf({ items }: CelSchema): CelSchema | undefined {
  return isList(items) ? undefined : items;
}

// Array.isArray does not tell readonly arrays apart.
function isList(items: CelSchema["items"]): items is readonly CelSchema[] {
  return Array.isArray(items);
}

function isResource(schema: CelSchema): boolean {
  return schema["x-kubernetes-embedded-resource"] === true;
}

function scalar(type: CelType, serializedBytesMin: number, schema: CelSchema): SchemaType {
  return { type, serializedBytesMin, elementsMax: 0, adapt: adapterOf(schema) };
}

function intOrString(schema: CelSchema): SchemaType {
  const elementsMax = schema.maxLength === undefined ? requestBytesMax - 2 : Math.max(0, schema.maxLength) * 4;
  return { type: dynType, serializedBytesMin: 1, elementsMax, adapt: adapterOf(schema) };
}

function arrayType(schema: CelSchema, name: string): SchemaType | undefined {
  const items = itemsOf(schema);
  if (items === undefined) return undefined;
  const place = { name: `${name}.@idx`, resource: isResource(items) };
  const element = schemaType(items, place);
  if (element === undefined) return undefined;
  const elementsMax = schema.maxItems ?? Math.floor((requestBytesMax - 2) / (element.serializedBytesMin + 1));
  return {
    type: listType(element.type),
    serializedBytesMin: 2,
    elementsMax: Math.max(0, elementsMax),
    element,
    adapt: adapterOf(schema),
  };
}

const stringKey: SchemaType = {
  type: stringType,
  serializedBytesMin: minBytes.string,
  elementsMax: 0,
  adapt: adaptJson,
};

function mapSchemaType(
  values: CelSchema,
  { schema, name }: { schema: CelSchema; name: string },
): SchemaType | undefined {
  const element = schemaType(values, { name: `${name}.@elem`, resource: isResource(values) });
  if (element === undefined) return undefined;
  const elementsMax = schema.maxProperties ?? Math.floor((requestBytesMax - 2) / (element.serializedBytesMin + 6));
  return {
    type: mapType(stringType, element.type),
    serializedBytesMin: 2,
    elementsMax: Math.max(0, elementsMax),
    key: stringKey,
    element,
    adapt: adapterOf(schema),
  };
}

function objectSchemaType(schema: CelSchema, name: string): SchemaType {
  const fields = new Map<string, SchemaType>();
  const required = new Set(schema.required);
  let serializedBytesMin = 2;
  for (const [jsonName, property] of Object.entries(schema.properties ?? {})) {
    const escaped = escapeFieldName(jsonName);
    const place = { name: `${name}.${escaped ?? jsonName}`, resource: isResource(property) };
    const type = schemaType(property, place);
    if (type === undefined) continue;
    if (escaped !== undefined) fields.set(escaped, type);
    if (required.has(jsonName) && property.default === undefined) {
      serializedBytesMin += Buffer.byteLength(jsonName) + type.serializedBytesMin + 4;
    }
  }
  const field = (fieldName: string): CelType | undefined => {
    const found = fields.get(fieldName);
    if (found !== undefined || !reservedWords.has(fieldName)) return found?.type;
    return fields.get(`__${fieldName}__`)?.type;
  };
  const type = objectType(name, { field });
  return { type, serializedBytesMin, elementsMax: 0, fields, adapt: adapterOf(schema) };
}

const plainString: CelSchema = { type: "string" };

/** Adds what the root of every resource has. Source: WithTypeAndObjectMeta. */
export function withObjectMeta(schema: CelSchema): CelSchema {
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  const { name, generateName } = metadata?.properties ?? {};
  const complete = [kind, apiVersion, name, generateName].every((p) => p?.type === "string");
  if (complete && metadata?.type === "object") return schema;
  return {
    ...schema,
    properties: {
      ...schema.properties,
      kind: plainString,
      apiVersion: plainString,
      metadata: { type: "object", properties: { name: plainString, generateName: plainString } },
    },
  };
}

function stringSchemaType(schema: CelSchema): SchemaType {
  const adapt = adapterOf(schema);
  switch (schema.format) {
    case "byte": {
      const elementsMax = schema.maxLength ?? requestBytesMax - 2;
      return { type: bytesType, serializedBytesMin: minBytes.string, elementsMax, adapt };
    }
    case "duration": {
      const elementsMax = timeCharsMax.duration;
      return { type: durationType, serializedBytesMin: minBytes.duration, elementsMax, adapt };
    }
    case "date": {
      const elementsMax = timeCharsMax.date;
      return { type: timestampType, serializedBytesMin: minBytes.date, elementsMax, adapt };
    }
    case "date-time": {
      const elementsMax = timeCharsMax.dateTime;
      return { type: timestampType, serializedBytesMin: minBytes.dateTime, elementsMax, adapt };
    }
    default: {
      const elementsMax = stringElementsMax(schema);
      return { type: stringType, serializedBytesMin: minBytes.string, elementsMax, adapt };
    }
  }
}

function stringElementsMax(schema: CelSchema): number {
  // A length counts characters, of which each may take four bytes of a request.
  if (schema.maxLength !== undefined) return Math.max(0, schema.maxLength) * 4;
  if (schema.enum !== undefined && schema.enum.length > 0) {
    const lengths = schema.enum.map((v) => (typeof v === "string" ? Buffer.byteLength(v) : 0));
    return Math.max(...lengths);
  }
  return requestBytesMax - 2;
}

const adapters = new WeakMap<CelSchema, Adapter>();

/**
 * How values of a schema are read. Values that do not fit fail when they are read, with upstream's
 * texts. Source: pkg/cel/common/valuesunstructured.go.
 */
export function adapterOf(schema: CelSchema): Adapter {
  let adapter = adapters.get(schema);
  if (adapter === undefined) {
    const present = presentAdapter(schema);
    const nullable = schema.nullable === true;
    adapter = (json) => {
      if (json !== null && json !== undefined) return present(json);
      if (nullable) return null;
      throw new CelError("invalid data, got null for schema with nullable=false");
    };
    adapters.set(schema, adapter);
  }
  return adapter;
}

function presentAdapter(schema: CelSchema): Adapter {
  if (schema["x-kubernetes-int-or-string"] === true) return adaptIntOrString;
  switch (schema.type) {
    case "object":
      return objectAdapter(schema);
    case "array":
      return arrayAdapter(schema);
    case "string":
      return stringAdapter(schema.format);
    case "number":
      return adaptNumber;
    case "integer":
      return adaptInteger;
    case "boolean":
      return adaptBoolean;
    default:
      if (schema["x-kubernetes-preserve-unknown-fields"] === true) {
        return (json) => new PreservedJson(json);
      }
      return () => {
        throw new CelError(
          `invalid type, expected object, array, number, integer, boolean or string, or no type with x-kubernetes-int-or-string or x-kubernetes-preserve-unknown-fields is true, got ${schema.type ?? ""}`,
        );
      };
  }
}

function adaptIntOrString(json: unknown): CelValue {
  if (typeof json === "string" || typeof json === "bigint") return json;
  if (typeof json === "number" && Number.isInteger(json)) return BigInt(json);
  throw new CelError("invalid data, expected XIntOrString value to be either a string or integer");
}

function adaptNumber(json: unknown): CelValue {
  if (typeof json === "number") return json;
  if (typeof json === "bigint") return Number(json);
  throw new CelError(`invalid data, expected float, got ${typeof json}`);
}

function adaptInteger(json: unknown): CelValue {
  if (typeof json === "bigint") return json;
  if (typeof json === "number" && Number.isInteger(json)) return BigInt(json);
  throw new CelError(`invalid data, expected int, got ${typeof json}`);
}

function adaptBoolean(json: unknown): CelValue {
  if (typeof json === "boolean") return json;
  throw new CelError(`invalid data, expected bool, got ${typeof json}`);
}

function isJsonObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function objectAdapter(schema: CelSchema): Adapter {
  const values = schema.additionalProperties;
  const read = (make: (json: Readonly<Record<string, unknown>>) => CelValue): Adapter => {
    return (json) => {
      if (isJsonObject(json)) return make(json);
      throw new CelError("invalid data, expected a map for the provided schema with type=object");
    };
  };
  if (schema.properties === undefined && !isResource(schema) && typeof values === "object") {
    let adapt: Adapter | undefined;
    return read((json) => new JsonMap(json, (adapt ??= adapterOf(values))));
  }
  const shape = { fields: new Map<string, JsonField>() };
  let filled = false;
  return read((json) => {
    if (!filled) fillFields(shape.fields, isResource(schema) ? withObjectMeta(schema) : schema);
    filled = true;
    return new JsonObject(json, shape);
  });
}

function fillFields(fields: Map<string, JsonField>, schema: CelSchema): void {
  for (const [jsonName, property] of Object.entries(schema.properties ?? {})) {
    const escaped = escapeFieldName(jsonName);
    if (escaped === undefined) continue;
    fields.set(escaped, { jsonName, adapt: adapterOf(property) });
  }
}

function arrayAdapter(schema: CelSchema): Adapter {
  const items = itemsOf(schema);
  const semantics = listSemantics(schema);
  let adapt: Adapter | undefined;
  return (json) => {
    if (!Array.isArray(json)) {
      throw new CelError("invalid data, expected an array for the provided schema with type=array");
    }
    if (items === undefined) {
      throw new CelError("invalid array type, expected Items with a non-empty Schema");
    }
    return new JsonList(json, (adapt ??= adapterOf(items)), semantics);
  };
}

function listSemantics(schema: CelSchema): ListSemantics {
  switch (schema["x-kubernetes-list-type"]) {
    case "set":
      return { type: "set" };
    case "map": {
      const keys = schema["x-kubernetes-list-map-keys"] ?? [];
      return { type: "map", keys: keys.map((key) => escapeFieldName(key) ?? key) };
    }
    default:
      return { type: "atomic" };
  }
}

function stringAdapter(format: string | undefined): Adapter {
  const parse = stringFormats[format ?? ""];
  return (json) => {
    if (typeof json !== "string") {
      throw new CelError(`invalid data, expected string, got ${typeof json}`);
    }
    return parse === undefined ? json : parse(json);
  };
}

const stringFormats: Readonly<Record<string, (text: string) => CelValue>> = {
  duration(text) {
    const duration = parseDuration(text);
    if (duration !== undefined) return duration;
    throw new CelError(`Invalid duration ${text}: unable to parse ${text} as duration`);
  },
  date(text) {
    const date = /^\d{4}-\d\d-\d\d$/.test(text) ? parseTimestamp(`${text}T00:00:00Z`) : undefined;
    if (date !== undefined) return date;
    throw new CelError(`Invalid date formatted string ${text}: cannot parse as date`);
  },
  "date-time": (text) => {
    const time = parseTimestamp(text.toUpperCase());
    if (time !== undefined) return time;
    throw new CelError(`Invalid date-time formatted string ${text}: cannot parse as date-time`);
  },
  byte(text) {
    if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
      return new Uint8Array(Buffer.from(text, "base64"));
    }
    throw new CelError(`Invalid byte formatted string ${text}: illegal base64 data`);
  },
};

/** The type of an old value that may be absent; bind a `CelOptional`. */
export function optionalSchemaType(schema: SchemaType): SchemaType {
  return { ...schema, type: optionalType(schema.type) };
}

/** The schema type at a path of CEL names, `@items`, `@keys` and `@values` below a variable. */
export function schemaAt(root: SchemaType, path: readonly string[]): SchemaType | undefined {
  let at: SchemaType | undefined = root;
  for (const step of path) {
    if (step === "@items" || step === "@values") at = at?.element;
    else if (step === "@keys") at = at?.key;
    else at = at?.fields?.get(step) ?? at?.anyField;
    if (at === undefined) return undefined;
  }
  return at;
}
