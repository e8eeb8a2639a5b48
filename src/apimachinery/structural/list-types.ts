import { duplicate, type FieldError, invalid } from "../field-error.ts";
import { goJson } from "../go-format.ts";
import { isJsonMap, type JsonMap } from "../json-value.ts";
import { childPath, itemsOf, propertyOf, type Structural, valuesOf } from "./structural.ts";

/**
 * Elements that stand twice in lists of type `set` and `map`.
 * Source: apiextensions-apiserver pkg/apiserver/schema/listtype.
 */
export function validateListTypes(value: unknown, schema: Structural, path = ""): FieldError[] {
  if (Array.isArray(value)) return validateList(value, schema, path);
  if (!isJsonMap(value)) return [];
  const errors: FieldError[] = [];
  const values = valuesOf(schema);
  if (values !== undefined) {
    for (const name of Object.keys(value)) {
      errors.push(...validateListTypes(value[name], values, `${path}[${name}]`));
    }
  }
  if (schema.properties === undefined) return errors;
  for (const name of Object.keys(value)) {
    const property = propertyOf(schema, name);
    if (property !== undefined) errors.push(...validateListTypes(value[name], property, childPath(path, name)));
  }
  return errors;
}

function validateList(list: readonly unknown[], schema: Structural, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = schema["x-kubernetes-list-type"];
  if (type === "set") {
    for (const i of repeated(list)) errors.push(duplicate(`${path}[${i}]`, list[i]));
  } else if (type === "map") errors.push(...validateMapList(list, schema, path));
  const items = itemsOf(schema);
  if (items === undefined) return errors;
  return [...errors, ...list.flatMap((item, i) => validateListTypes(item, items, `${path}[${i}]`))];
}

function validateMapList(list: readonly unknown[], schema: Structural, path: string): FieldError[] {
  const wrong = list.findIndex((item) => item !== null && !isJsonMap(item));
  if (wrong >= 0) {
    const detail = "must be an object for an array of list-type map";
    return [invalid(`${path}[${wrong}]`, list[wrong], detail)];
  }
  const names = schema["x-kubernetes-list-map-keys"] ?? [];
  const keys = list.map((item) => keyOf(isJsonMap(item) ? item : {}, names));
  return repeated(keys).map((i) => duplicate(`${path}[${i}]`, keys[i]));
}

function keyOf(item: JsonMap, names: readonly string[]): JsonMap {
  const present = names.filter((name) => Object.hasOwn(item, name));
  return Object.fromEntries(present.map((name) => [name, item[name]]));
}

/** Indexes of what stands for the second time; a third time says nothing new. */
function repeated(values: readonly unknown[]): number[] {
  if (values.length <= 1) return [];
  const counts = new Map<string, number>();
  return values.flatMap((value, i) => {
    const key = goJson(value);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count === 2 ? [i] : [];
  });
}
