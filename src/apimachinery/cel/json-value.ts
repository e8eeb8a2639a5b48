import { compareStrings, equals, listMapKey, membership } from "./equality.ts";
import {
  CelBoxed,
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelObject,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  mapKey,
  type CelValue,
  type ListSemantics,
} from "./value.ts";
import { escapeFieldName } from "./escaping.ts";
import { formatDuration, formatTimestamp } from "./time.ts";
import { dynType, type CelType } from "./types.ts";

/**
 * Sees a piece of JSON as a CEL value, without copying it; throws `CelError` if it does not fit.
 */
export type Adapter = (json: unknown) => CelValue;

/** Elements of a JSON array, seen when they are read. */
export class JsonList extends CelList {
  readonly json: readonly unknown[];
  readonly items: Adapter;
  override readonly semantics: ListSemantics;

  constructor(json: readonly unknown[], items: Adapter, semantics: ListSemantics) {
    super();
    this.json = json;
    this.items = items;
    this.semantics = semantics;
  }

  get size(): number {
    return this.json.length;
  }

  at(index: number): CelValue {
    return this.items(this.json[index]);
  }

  /**
   * `a + b` of sets and map lists: elements of `a` keep their places, those of `b` that are new
   * follow, and those with a known key replace. Source: pkg/cel/common/valuesunstructured.go.
   */
  override union(other: CelList): CelList {
    const { semantics } = this;
    const merged = [...this.json];
    const elements: CelValue[] = [...this];
    if (semantics.type === "map") {
      const keys = elements.map((element) => listMapKey(element, semantics.keys));
      const places = new Map(keys.map((key, i) => [key, i]));
      for (const element of other) {
        const place = places.get(listMapKey(element, semantics.keys));
        if (place === undefined) merged.push(element);
        else merged[place] = element;
      }
    } else {
      const has = membership(this);
      for (const element of other) if (!has(element)) merged.push(element);
    }
    return new JsonList(merged, boxedOr(this.items), semantics);
  }
}

/** Elements that came from other lists are CEL values already. */
function boxedOr(adapt: Adapter): Adapter {
  return (json) => (isCelValue(json) ? json : adapt(json));
}

function isCelValue(value: unknown): value is CelValue {
  return value instanceof CelBoxed || typeof value === "bigint" || typeof value === "string";
}

/** A JSON object used as a map: every key has a value of one kind. */
export class JsonMap extends CelMap {
  readonly json: Readonly<Record<string, unknown>>;
  readonly values: Adapter;
  #size = -1;

  constructor(json: Readonly<Record<string, unknown>>, values: Adapter) {
    super();
    this.json = json;
    this.values = values;
  }

  get size(): number {
    if (this.#size < 0) this.#size = Object.keys(this.json).length;
    return this.#size;
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== "string" || !Object.hasOwn(this.json, key)) return undefined;
    return this.values(this.json[key]);
  }

  has(key: CelValue): boolean {
    return typeof key === "string" && Object.hasOwn(this.json, key);
  }

  keys(): Iterable<CelValue> {
    return Object.keys(this.json);
  }
}

export interface JsonField {
  readonly jsonName: string;
  readonly adapt: Adapter;
}

/** What a schema says of an object's fields; `fields` goes by CEL names. */
export interface JsonObjectShape {
  readonly fields: ReadonlyMap<string, JsonField>;
}

/**
 * A JSON object whose schema lists its properties. To CEL it is a map of the properties; a null
 * property counts as absent, and one that the schema does not list cannot be seen.
 */
export class JsonObject extends CelMap {
  readonly json: Readonly<Record<string, unknown>>;
  readonly shape: JsonObjectShape;

  constructor(json: Readonly<Record<string, unknown>>, shape: JsonObjectShape) {
    super();
    this.json = json;
    this.shape = shape;
  }

  get size(): number {
    return Object.keys(this.json).length;
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== "string") throw new CelError("no such overload");
    const field = this.shape.fields.get(key) ?? this.#unescapedField(key);
    if (field === undefined) return undefined;
    const raw = this.json[field.jsonName];
    // Names such as `constructor` must not reach the prototype.
    if (raw === undefined || raw === null || !Object.hasOwn(this.json, field.jsonName)) {
      return undefined;
    }
    return field.adapt(raw);
  }

  /** Reserved words and names in brackets or backquotes need no escapes. */
  #unescapedField(key: string): JsonField | undefined {
    const escaped = escapeFieldName(key);
    return escaped === undefined ? undefined : this.shape.fields.get(escaped);
  }

  has(key: CelValue): boolean {
    return this.get(key) !== undefined;
  }

  *keys(): Generator<CelValue> {
    for (const [name, field] of this.shape.fields) {
      if (Object.hasOwn(this.json, field.jsonName)) yield name;
    }
  }

  /** Properties outside the schema count too. Source: unstructuredMap.Equal. */
  override equalsMap(other: CelMap, equal: (a: CelValue, b: CelValue) => boolean): boolean {
    if (!(other instanceof JsonObject)) return super.equalsMap(other, equal);
    if (this.json === other.json) return true;
    if (this.size !== other.size) return false;
    const listed = new Set<string>();
    for (const [name, field] of this.shape.fields) {
      listed.add(field.jsonName);
      const [left, right] = [this.get(name), other.get(name)];
      if (left === undefined || right === undefined) {
        if (left !== right) return false;
      } else if (!equal(left, right)) return false;
    }
    return Object.keys(this.json).every(
      (name) =>
        listed.has(name) ||
        !Object.hasOwn(other.json, name) ||
        jsonEqual(this.json[name], other.json[name]),
    );
  }
}

/** JSON that no schema describes, inside an object that has one: it can only be compared. */
export class PreservedJson extends CelOpaque {
  readonly json: unknown;

  constructor(json: unknown) {
    super();
    this.json = json;
  }

  get type(): CelType {
    return dynType;
  }

  equals(other: CelValue): boolean {
    return other instanceof PreservedJson && jsonEqual(this.json, other.json);
  }
}

export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return equals(adaptJson(a), adaptJson(b));
}

const atomic: ListSemantics = { type: "atomic" };

/** Sees JSON without schema: whole numbers are ints. CEL values are passed through. */
export function adaptJson(json: unknown): CelValue {
  switch (typeof json) {
    case "string":
    case "boolean":
    case "bigint":
      return json;
    case "number":
      return Number.isSafeInteger(json) ? BigInt(json) : json;
    case "object":
      if (json === null || json instanceof Uint8Array) return json;
      if (Array.isArray(json)) return new JsonList(json, adaptJson, atomic);
      if (json instanceof CelBoxed) return json as CelValue; // The union is closed over CelBoxed.
      return new JsonMap(json as Record<string, unknown>, adaptJson);
    default:
      return null;
  }
}

/** Object fields as the result of an expression sees them. */
function objectToJson(value: CelObject): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const name of value.fieldNames()) entries.push([name, toJson(value.get(name) ?? null)]);
  return Object.fromEntries(entries);
}

/**
 * Turns a result into plain JSON: ints that fit are numbers, others bigint; bytes are base64, times
 * and durations text. What came from JSON comes back as it was. Throws for types that JSON lacks.
 */
export function toJson(value: CelValue): unknown {
  if (typeof value === "bigint") return plainInt(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof CelUint) return plainInt(value.value);
  if (value instanceof CelTimestamp) return formatTimestamp(value);
  if (value instanceof CelDuration) return formatDuration(value);
  if (value instanceof CelList) return Array.from(value, toJson);
  if (value instanceof JsonObject) return value.json;
  if (value instanceof CelMap) return mapToJson(value);
  if (value instanceof CelObject) return objectToJson(value);
  if (value instanceof PreservedJson) return value.json;
  if (value instanceof CelOptional && value.value !== undefined) return toJson(value.value);
  const type = value instanceof CelTypeValue ? "type" : value.type.name;
  throw new CelError(`cannot convert to JSON: ${type}`);
}

function plainInt(value: bigint): number | bigint {
  const plain = Number(value);
  return Number.isSafeInteger(plain) ? plain : value;
}

function mapToJson(map: CelMap): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const key of map.keys()) {
    const name = typeof key === "string" ? key : String(mapKey(key));
    entries.push([name, toJson(map.get(key) ?? null)]);
  }
  // fromEntries defines properties, so that a key named __proto__ stays a key.
  return Object.fromEntries(entries.sort(([a], [b]) => compareStrings(a, b)));
}
