import { jsonEqual } from "../json-value.ts";
import { elementSchema, propertySchema, valueSchema, type RuleSchema } from "./rule-schema.ts";

type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Finds the element of an old list that has the keys of a new one. */
export type OldElements = (element: unknown) => unknown;

/** Lists other than maps (`x-kubernetes-list-type`) have no elements to find. */
export function oldElements(schema: RuleSchema, old: unknown): OldElements {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const isMap = schema["x-kubernetes-list-type"] === "map";
  if (!isMap || keys.length === 0 || !Array.isArray(old)) return () => undefined;
  const byKey = new Map<string, unknown>();
  for (const element of old) {
    const key = compositeKey(element, keys);
    if (key !== undefined && !byKey.has(key)) byKey.set(key, element);
  }
  return (element) => byKey.get(compositeKey(element, keys) ?? "");
}

function compositeKey(element: unknown, keys: readonly string[]): string | undefined {
  if (!isJsonObject(element)) return undefined;
  const values: string[] = [];
  for (const key of keys) {
    const value = Object.hasOwn(element, key) ? element[key] : undefined;
    if (!["boolean", "number", "bigint", "string"].includes(typeof value)) return undefined;
    values.push(typeof value === "string" ? JSON.stringify(value) : String(value));
  }
  return values.join();
}

/**
 * A value beside the old one that it replaces, to tell what an update left as it was.
 * Source: pkg/cel/common/equality.go.
 */
export class Correlation {
  readonly #schema: RuleSchema;
  readonly #value: unknown;
  readonly #old: unknown;
  readonly #children = new Map<string | number, Correlation | undefined>();
  #findOld: OldElements | undefined;
  #equal: boolean | undefined;

  constructor(schema: RuleSchema, value: unknown, old: unknown) {
    this.#schema = schema;
    this.#value = value;
    this.#old = old;
  }

  /** A field of both values. */
  key(name: string): Correlation | undefined {
    return this.#child(name, () => {
      const [value, old] = [this.#value, this.#old];
      const schema = propertySchema(this.#schema, name) ?? valueSchema(this.#schema);
      if (schema === undefined || !isJsonObject(value) || !isJsonObject(old)) return undefined;
      if (!Object.hasOwn(value, name) || !Object.hasOwn(old, name)) return undefined;
      return new Correlation(schema, value[name], old[name]);
    });
  }

  /** An element of a map list, beside the old one with its keys. */
  index(at: number): Correlation | undefined {
    return this.#child(at, () => {
      const schema = elementSchema(this.#schema);
      if (schema === undefined || !Array.isArray(this.#value)) return undefined;
      const value: unknown = this.#value[at];
      this.#findOld ??= oldElements(this.#schema, this.#old);
      const old = this.#findOld(value);
      return old === undefined ? undefined : new Correlation(schema, value, old);
    });
  }

  #child(key: string | number, find: () => Correlation | undefined): Correlation | undefined {
    if (!this.#children.has(key)) this.#children.set(key, find());
    return this.#children.get(key);
  }

  /** Whether nothing changed; map lists may have changed their order. */
  isUnchanged(): boolean {
    this.#equal ??= this.#compare();
    return this.#equal;
  }

  #compare(): boolean {
    const [value, old] = [this.#value, this.#old];
    if (value === old) return true;
    if (Array.isArray(value) && Array.isArray(old)) return this.#listUnchanged(value, old);
    if (!isJsonObject(value) || !isJsonObject(old)) return jsonEqual(value, old);
    const names = Object.keys(value);
    if (names.length !== Object.keys(old).length) return false;
    return names.every((name) => this.key(name)?.isUnchanged() === true);
  }

  #listUnchanged(value: readonly unknown[], old: readonly unknown[]): boolean {
    if (value.length !== old.length) return false;
    if (this.#schema["x-kubernetes-list-type"] !== "map") return jsonEqual(value, old);
    return value.every((_, at) => this.index(at)?.isUnchanged() === true);
  }
}
