import { isGivenEmpty } from "./given-empty.ts";

/**
 * Structural equality of JSON values. A property that is `undefined` counts as absent, and so does
 * an empty list or map that a client sent for what is left out then; in lists the order counts, in
 * objects it does not. Shared substructure is recognized at once, so comparing an object with an
 * edited copy of it costs what was copied.
 */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return scalarsEqual(a, b);
  }
  if (Array.isArray(a)) return Array.isArray(b) && listsEqual(a, b, deepEqual);
  if (Array.isArray(b)) return false;
  return objectsEqual(a as JsonObject, b as JsonObject);
}

type JsonObject = Readonly<Record<string, unknown>>;

function scalarsEqual(a: unknown, b: unknown): boolean {
  // An int64 may be a bigint on one side only when it was computed there.
  if (typeof a === "bigint" && typeof b === "number") {
    return Number.isInteger(b) && a === BigInt(b);
  }
  if (typeof a === "number" && typeof b === "bigint") return scalarsEqual(b, a);
  return Number.isNaN(a) && Number.isNaN(b);
}

function listsEqual(
  a: readonly unknown[],
  b: readonly unknown[],
  equal: (a: unknown, b: unknown) => boolean,
): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!equal(a[i], b[i])) return false;
  return true;
}

function objectsEqual(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a);
  let count = 0;
  for (const key of keys) {
    const value = a[key];
    if (value === undefined) continue;
    const other = Object.hasOwn(b, key) ? b[key] : undefined;
    if (other === undefined) {
      if (!isAbsent(value)) return false;
      continue;
    }
    if (!deepEqual(value, other)) return false;
    count++;
  }
  const others = Object.keys(b);
  if (others.length === count) return true;
  return others.filter((key) => !isAbsent(b[key]) || (Object.hasOwn(a, key) && a[key] !== undefined)).length === count;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && value !== null && isGivenEmpty(value));
}

/**
 * Kubernetes' semantic equality: as `deepEqual`, but absent, null, `[]`, `{}` and objects of only
 * these are the same. No schema is consulted, so this holds for structs too, where Go tells nil
 * from empty.
 * Source: k8s.io/apimachinery/third_party/forked/golang/reflect (`Equalities.DeepEqual`).
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const emptyA = isEmpty(a);
  if (emptyA || isEmpty(b)) return emptyA && isEmpty(b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return scalarsEqual(a, b);
  }
  if (Array.isArray(a)) return Array.isArray(b) && listsEqual(a, b, semanticEqual);
  if (Array.isArray(b)) return false;
  return semanticObjectsEqual(a as JsonObject, b as JsonObject);
}

function semanticObjectsEqual(a: JsonObject, b: JsonObject): boolean {
  for (const key of Object.keys(a)) {
    if (!semanticEqual(a[key], Object.hasOwn(b, key) ? b[key] : undefined)) return false;
  }
  for (const key of Object.keys(b)) {
    if (!Object.hasOwn(a, key) && !isEmpty(b[key])) return false;
  }
  return true;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== "object") return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const key of Object.keys(value)) if (!isEmpty((value as JsonObject)[key])) return false;
  return true;
}
