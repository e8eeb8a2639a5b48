import { deepEqual } from "../deep-equal.ts";
import { type FieldError, fieldErrorText, forbidden, invalid, required } from "../field-error.ts";
import { compareBytes } from "../maps.ts";
import { regexpError } from "../regexp.ts";
import { validateCompleteness, validateNested } from "./nested-rules.ts";
import { isEmbedded, itemsOf, preservesUnknown, propertyOf, type Structural, valuesOf } from "./structural.ts";

type Level = "root" | "item" | "field";

/**
 * Whether a schema is structural: every value has one type, said outside of `allOf` and the like,
 * which only restrict. Sorted by text. Source: apiextensions-apiserver pkg/apiserver/schema.
 */
export function validateStructural(schema: Structural, path: string): FieldError[] {
  const errors = [...validateNode(schema, "root", path), ...validateCompleteness(schema, path)];
  return errors.sort((a, b) => compareBytes(fieldErrorText(a), fieldErrorText(b)));
}

function validateNode(schema: Structural, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "", properties = {}, additionalProperties, pattern } = schema;
  const items = itemsOf(schema);
  if (type === "array" && schema.items === undefined) errors.push(required(`${path}.items`, "must be specified"));
  if (items !== undefined) errors.push(...validateNode(items, "item", `${path}.items`));
  for (const [name, property] of Object.entries(properties)) {
    errors.push(...validateNode(property, "field", `${path}.properties[${name}]`));
  }
  if (additionalProperties !== undefined) {
    const at = `${path}.additionalProperties`;
    if (level === "root") errors.push(forbidden(at, "must not be used at the root"));
    const values = valuesOf(schema);
    if (values !== undefined) errors.push(...validateNode(values, "field", at));
  }
  errors.push(...validateExtensions(schema, path), ...validateBranches(schema, path));
  if (pattern !== undefined && pattern !== "") errors.push(...validatePattern(pattern, `${path}.pattern`));
  errors.push(...validateType(schema, level, path), ...validateMeta(schema, level, path));
  return errors;
}

export function validatePattern(pattern: string, at: string): FieldError[] {
  const why = regexpError(pattern);
  if (why === undefined) return [];
  return [invalid(at, pattern, `must be a valid regular expression, but isn't: ${why}`)];
}

function validateExtensions(schema: Structural, path: string): FieldError[] {
  if (schema["x-kubernetes-int-or-string"] !== true) return [];
  const detail = "must be false if x-kubernetes-int-or-string is true";
  const errors: FieldError[] = [];
  for (const name of ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const) {
    if (schema[name] === true) errors.push(invalid(`${path}.${name}`, true, detail));
  }
  return errors;
}

const intOrString: readonly Structural[] = [{ type: "integer" }, { type: "string" }];

/** `anyOf` of integer and string may name types, at the top or in the first of `allOf`. */
function validateBranches(schema: Structural, path: string): FieldError[] {
  const { anyOf = [], allOf = [], oneOf = [], not } = schema;
  const errors: FieldError[] = [];
  if (!deepEqual(anyOf, intOrString)) {
    for (const [i, branch] of anyOf.entries()) errors.push(...validateNested(branch, `${path}.anyOf[${i}]`));
  }
  for (const [i, branch] of allOf.entries()) {
    const skipAnyOf = i === 0 && deepEqual(branch.anyOf, intOrString);
    errors.push(...validateNested(branch, `${path}.allOf[${i}]`, { skipAnyOf }));
  }
  for (const [i, branch] of oneOf.entries()) errors.push(...validateNested(branch, `${path}.oneOf[${i}]`));
  if (not !== undefined) errors.push(...validateNested(not, `${path}.not`));
  return errors;
}

const emptyTypes: Record<Level, string> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

function validateType(schema: Structural, level: Level, path: string): FieldError[] {
  const { type = "", properties = {} } = schema;
  const errors: FieldError[] = [];
  const at = `${path}.type`;
  if (isEmbedded(schema) && type !== "object") {
    const detail = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(type === "" ? required(at, detail) : invalid(at, type, detail));
  } else if (type === "" && schema["x-kubernetes-int-or-string"] !== true && !preservesUnknown(schema)) {
    errors.push(required(at, emptyTypes[level]));
  }
  if (isEmbedded(schema) && schema.additionalProperties !== undefined) {
    const detail = "must not be used if x-kubernetes-embedded-resource is set";
    errors.push(forbidden(`${path}.additionalProperties`, detail));
  }
  if (level === "root" && type !== "" && type !== "object") {
    errors.push(invalid(at, type, "must be object at the root"));
  }
  if (isEmbedded(schema) && !preservesUnknown(schema) && Object.keys(properties).length === 0) {
    const detail =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(`${path}.properties`, detail));
  }
  return errors;
}

/** Kind, version and metadata are the same for all objects. */
function validateMeta(schema: Structural, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const isObject = level === "root" || isEmbedded(schema);
  for (const name of ["kind", "apiVersion"]) {
    const property = propertyOf(schema, name);
    if (!isObject || property === undefined || property.type === "string") continue;
    errors.push(invalid(`${path}.properties[${name}].type`, property.type ?? "", "must be string"));
  }
  const metadata = propertyOf(schema, "metadata");
  if (metadata === undefined) return errors;
  const at = `${path}.properties[metadata]`;
  if (isObject && metadata.type !== "object") {
    errors.push(invalid(`${at}.type`, metadata.type ?? "", "must be object"));
  }
  if (level !== "root" || restrictsNamesOnly(metadata)) return errors;
  const detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
  return [...errors, forbidden(at, detail)];
}

function restrictsNamesOnly({ type: _type, default: _default, properties = {}, ...rest }: Structural): boolean {
  const names = Object.keys(properties);
  const others = Object.values(rest).filter((value) => value !== undefined);
  return others.length === 0 && names.every((name) => name === "name" || name === "generateName");
}
