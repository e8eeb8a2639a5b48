import { copyJson, isJsonMap, type JsonMap } from "../json-value.ts";
import { setOwn } from "../maps.ts";
import { itemsOf, propertyOf, type Structural, valuesOf } from "./structural.ts";

/**
 * Fills in defaults, in place; `value` is the caller's own. A null where the schema allows none
 * takes the default, or goes when there is none (`dropNulls`).
 * Source: apiextensions-apiserver pkg/apiserver/schema/defaulting.
 */
export function applyStructuralDefaults(value: unknown, schema: Structural | undefined): void {
  if (schema === undefined || !hasDefaults(schema)) return;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    for (let i = 0; i < value.length; i++) {
      if (items !== undefined && isForbiddenNull(value[i], items)) value[i] = defaultOf(items);
      applyStructuralDefaults(value[i], items);
    }
    return;
  }
  if (!isJsonMap(value)) return;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined || property.default === null) continue;
    const present = Object.hasOwn(value, name) && value[name] !== undefined;
    if (!present || isForbiddenNull(value[name], property)) setOwn(value, name, defaultOf(property));
  }
  const values = valuesOf(schema);
  for (const name of Object.keys(value)) {
    const property = propertyOf(schema, name);
    if (property === undefined && values !== undefined && isForbiddenNull(value[name], values)) {
      setOwn(value, name, defaultOf(values));
    }
    applyStructuralDefaults(value[name], property ?? values);
  }
}

/**
 * Removes members that are null although their schema allows none and has no default, in place.
 * Source: pkg/apiserver/schema/defaulting/prunenulls.go.
 */
export function dropNulls(value: unknown, schema: Structural | undefined): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items !== undefined) for (const item of value) dropNulls(item, items);
    return;
  }
  if (isJsonMap(value)) dropNullMembers(value, schema);
}

function dropNullMembers(value: JsonMap, schema: Structural): void {
  const values = valuesOf(schema);
  for (const name of Object.keys(value)) {
    const property = propertyOf(schema, name);
    const inner = property ?? values;
    if (inner === undefined) continue;
    if (isForbiddenNull(value[name], inner) && (inner.default === undefined || inner.default === null)) {
      delete value[name];
    } else dropNulls(value[name], inner);
  }
}

function isForbiddenNull(value: unknown, schema: Structural): boolean {
  return value === null && schema.nullable !== true;
}

function defaultOf(schema: Structural): unknown {
  return copyJson(schema.default ?? null);
}

const defaulting = new WeakMap<Structural, boolean>();

/** Whether there is a default anywhere below; most of a large schema has none. */
function hasDefaults(schema: Structural): boolean {
  let known = defaulting.get(schema);
  if (known === undefined) {
    known = findDefaults(schema);
    // Leaves are as fast to look at as to look up, and there are many.
    if (schema.properties !== undefined) defaulting.set(schema, known);
  }
  return known;
}

function findDefaults(schema: Structural): boolean {
  const inner = [itemsOf(schema), valuesOf(schema), ...Object.values(schema.properties ?? {})];
  return inner.some((one) => one !== undefined && ((one.default ?? null) !== null || hasDefaults(one)));
}
