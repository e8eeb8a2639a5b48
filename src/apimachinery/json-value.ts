import { compareBytes, setOwn } from "./maps.ts";

/** JSON objects and lists while they are worked on. */
export type JsonMap = Record<string, unknown>;
export type JsonList = unknown[];

export function isJsonMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A shallow copy with members in Go's order of strings (integer-like keys come first in V8). */
export function sortedCopy(map: Readonly<JsonMap>): JsonMap {
  const copy: JsonMap = {};
  for (const key of Object.keys(map).sort(compareBytes)) setOwn(copy, key, map[key]);
  return copy;
}
