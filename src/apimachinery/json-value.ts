import { JsonNumber } from "#wire/json-token.ts";
import { compareBytes, setOwn } from "./maps.ts";

/** JSON objects and lists while they are worked on. */
export type JsonMap = Record<string, unknown>;
export type JsonList = unknown[];

export function isJsonMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}

/** A shallow copy with members in Go's order of strings (integer-like keys come first in V8). */
export function sortedCopy(map: Readonly<JsonMap>): JsonMap {
  const copy: JsonMap = {};
  for (const key of Object.keys(map).sort(compareBytes)) setOwn(copy, key, map[key]);
  return copy;
}

/** A deep copy of JSON. */
export function copyJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyJson) as T;
  if (!isJsonMap(value)) return value;
  const result: JsonMap = {};
  for (const name of Object.keys(value)) {
    if (value[name] !== undefined) setOwn<unknown>(result, name, copyJson(value[name]));
  }
  return result as T;
}
