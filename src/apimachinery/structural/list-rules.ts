import { type FieldError, forbidden, invalid, notSupported, required } from "../field-error.ts";
import { isSchemaList, propertyOf, type Structural } from "./structural.ts";

/** Checks `x-kubernetes-map-type`. */
export function validateMapType(schema: Structural, path: string): FieldError[] {
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType === undefined) return [];
  const errors: FieldError[] = [];
  const { type = "" } = schema;
  const detail = "must be object if x-kubernetes-map-type is specified";
  if (type !== "object") errors.push(requiredOrInvalid(`${path}.type`, type, detail));
  if (mapType !== "atomic" && mapType !== "granular") {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]));
  }
  return errors;
}

/** Checks `x-kubernetes-list-type` and `x-kubernetes-list-map-keys`. */
export function validateListRules(schema: Structural, path: string): FieldError[] {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const errors: FieldError[] = [];
  const { type = "" } = schema;
  const typeAt = `${path}.x-kubernetes-list-type`;
  if (listType !== undefined && type !== "array") {
    const detail = "must be array if x-kubernetes-list-type is specified";
    errors.push(requiredOrInvalid(`${path}.type`, type, detail));
  } else if (listType === "set") errors.push(...validateSetItems(schema, path));
  if (listType !== undefined && !["atomic", "set", "map"].includes(listType)) {
    errors.push(notSupported(typeAt, listType, ["atomic", "set", "map"]));
  }
  if (keys.length > 0 && listType !== "map") {
    const detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(listType === undefined ? required(typeAt, detail) : invalid(typeAt, listType, detail));
  }
  if (listType === "map") errors.push(...validateMapList(schema, keys, path));
  return [...errors, ...validateNullability(schema, keys, path)];
}

function requiredOrInvalid(path: string, value: string, detail: string): FieldError {
  return value === "" ? required(path, detail) : invalid(path, value, detail);
}

/** Elements of a set are replaced as wholes. */
function validateSetItems({ items }: Structural, path: string): FieldError[] {
  if (items === undefined || isSchemaList(items)) return [];
  const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items["x-kubernetes-list-type"];
  const mapType = items["x-kubernetes-map-type"];
  if (items.type === "array" && listType !== undefined && listType !== "atomic") {
    return [invalid(`${path}.items.x-kubernetes-list-type`, listType, detail)];
  }
  if (items.type === "object" && mapType !== "atomic") {
    // Upstream shows the list type here.
    return [invalid(`${path}.items.x-kubernetes-map-type`, listType ?? null, detail)];
  }
  return [];
}

function validateMapList({ items }: Structural, keys: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const keysAt = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) errors.push(required(keysAt, "must not be empty if x-kubernetes-list-type is map"));
  if (items === undefined) {
    errors.push(required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map"));
    return errors;
  }
  if (isSchemaList(items)) {
    const detail = "must only have a single schema if x-kubernetes-list-type is map";
    return [...errors, invalid(`${path}.items`, items, detail)];
  }
  if (items.type !== "object") {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, invalid(`${path}.items.type`, items.type ?? "", detail)];
  }
  for (const [i, key] of keys.entries()) {
    const type = propertyOf(items, key)?.type;
    if (propertyOf(items, key) === undefined) {
      errors.push(invalid(keysAt, keys, "entries must all be names of item properties"));
    } else if (type === "array" || type === "object") {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${path}.items.properties[${key}].type`, items.type, detail));
    }
    if (keys.indexOf(key) < i) errors.push(invalid(keysAt, keys, "must not contain duplicate entries"));
  }
  return errors;
}

/** Keys must be there and not null, or elements could not be told apart. */
function validateNullability(schema: Structural, keys: readonly string[], path: string): FieldError[] {
  const listType = schema["x-kubernetes-list-type"];
  const { items } = schema;
  if (items === undefined || isSchemaList(items) || (listType !== "set" && listType !== "map")) return [];
  const errors: FieldError[] = [];
  if (items.nullable === true) {
    const detail = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(forbidden(`${path}.items.nullable`, detail));
  }
  if (listType === "set") return errors;
  for (const key of keys) {
    const property = propertyOf(items, key);
    if (property === undefined) continue;
    const at = `${path}.items.properties[${key}]`;
    const present = items.required?.includes(key) === true || (property.default ?? null) !== null;
    if (!present) {
      const detail =
        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
      errors.push(required(`${at}.default`, detail));
    }
    if (property.nullable === true) {
      const detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
      errors.push(forbidden(`${at}.nullable`, detail));
    }
  }
  return errors;
}
