import type { Correlation } from "../cel/rules/correlation.ts";
import { deepEqual } from "../deep-equal.ts";
import type { FieldError } from "../field-error.ts";
import { isJsonMap, type JsonMap } from "../json-value.ts";
import { compileRegexp } from "../regexp.ts";
import { hasFormat, isKnownFormat } from "./formats.ts";
import { validateBranches } from "./schema-branches.ts";
import { validateNumber } from "./schema-numbers.ts";
import {
  addError,
  forbiddenProperty,
  longerThan,
  merge,
  missing,
  moreThan,
  newResult,
  noField,
  notInEnum,
  outside,
  type SchemaResult,
  wrongType,
} from "./schema-result.ts";
import { isSchemaList, type Structural } from "./structural.ts";

/** A value in its place. */
export interface Subject {
  readonly value: unknown;
  /** `spec.list[0].x`, "" at the root; as upstream a dot leads where the root is a map of values. */
  readonly path: string;
  /** What an update left as it was cannot be wrong. */
  readonly correlation?: Correlation | undefined;
}

/**
 * Checks a value by a schema, with upstream's texts and in its order. `base` leads the fields of
 * errors and is not in their texts, as where a status is checked by itself.
 * Source: kube-openapi pkg/validation/validate, apiextensions-apiserver pkg/apiserver/validation.
 */
export function validateBySchema(schema: Structural, subject: Subject, base = ""): FieldError[] {
  const errors = validateNode(schema, subject).errors.map(({ error }) => error);
  if (base === "") return errors;
  return errors.map((error) => ({ ...error, field: below(base, error.field) }));
}

function below(base: string, field: string): string {
  if (field === "" || field === noField) return base;
  return field.startsWith("[") ? base + field : `${base}.${field}`;
}

export function validateNode(schema: Structural, subject: Subject): SchemaResult {
  const result = newResult();
  const { value, path, correlation } = subject;
  if (value === null || value === undefined) {
    checkNull(result, schema, path);
    checkEnum(result, schema, { value: null, path });
  } else {
    checkType(result, schema, subject);
    merge(result, validateBranches(schema, subject));
    if (typeof value === "string") checkString(result, schema, { value, path });
    if (typeof value === "number" || typeof value === "bigint") {
      merge(result, validateNumber(schema, { value, path }));
    }
    if (Array.isArray(value)) checkList(result, schema, subject);
    checkEnum(result, schema, subject);
    if (isJsonMap(value)) checkMap(result, schema, subject);
    result.matches++;
  }
  if (result.errors.length > 0 && correlation?.isUnchanged() === true) {
    return { errors: [], matches: result.matches };
  }
  return result;
}

function typesOf(schema: Structural): readonly string[] {
  if (schema["x-kubernetes-int-or-string"] === true) return ["integer", "string"];
  return schema.type ? [schema.type] : [];
}

function formatOf(schema: Structural): string {
  return isKnownFormat(schema) ? (schema.format ?? "") : "";
}

function checkNull(result: SchemaResult, schema: Structural, path: string): void {
  const types = typesOf(schema);
  result.matches++;
  if (types.length === 0 || types.includes("null") || schema.nullable === true) return;
  addError(result, wrongType(path, types.join(","), "null"));
}

/** The JSON type of a value, and Go's name of its size. */
function jsonType(value: unknown): { type: string; format: string } {
  switch (typeof value) {
    case "string":
      return { type: "string", format: "" };
    case "boolean":
      return { type: "boolean", format: "" };
    case "bigint":
      return { type: "integer", format: "int64" };
    case "number":
      return Number.isInteger(value) ? { type: "integer", format: "int64" } : { type: "number", format: "double" };
    default:
      return { type: Array.isArray(value) ? "array" : "object", format: "" };
  }
}

function checkType(result: SchemaResult, schema: Structural, { value, path }: Subject): void {
  const types = typesOf(schema);
  const format = formatOf(schema);
  if (types.length === 0 && format === "") return;
  result.matches += 2;
  const found = jsonType(value);
  const isNumeric = types.includes("number") || types.includes("integer");
  const isText = typeof value === "string" || Array.isArray(value);
  const fits = types.includes(found.type) || (found.type === "integer" && types.includes("number"));
  if (!isText && format !== "" && !fits && found.format !== format) {
    addError(result, wrongType(path, format, found.format));
    return;
  }
  // Text with a format is checked by that alone.
  if (!isNumeric && format !== "" && isText) return;
  if (!fits) addError(result, wrongType(path, types.join(","), found.type));
}

function checkString(
  result: SchemaResult,
  schema: Structural,
  { value, path }: { readonly value: string; readonly path: string },
): void {
  result.matches++;
  const { maxLength, minLength, pattern } = schema;
  const length = maxLength === undefined && minLength === undefined ? 0 : codePoints(value);
  if (maxLength !== undefined && length > maxLength) addError(result, longerThan(path, maxLength));
  else if (minLength !== undefined && length < minLength) {
    addError(result, outside(path, value, `should be at least ${minLength} chars long`));
  } else if (pattern !== undefined && pattern !== "" && !compileRegexp(pattern).test(value)) {
    addError(result, outside(path, value, `should match '${pattern}'`));
  }
  const format = formatOf(schema);
  if (format === "") return;
  result.matches++;
  if (!hasFormat(format, value)) addError(result, wrongFormat(path, format, value));
}

function wrongFormat(path: string, format: string, value: string): ReturnType<typeof wrongType> {
  return wrongType(path, format, value);
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function checkEnum(result: SchemaResult, schema: Structural, { value, path }: Subject): void {
  const { enum: allowed } = schema;
  result.matches++;
  if (allowed === undefined || allowed.length === 0) return;
  if (allowed.some((one) => deepEqual(one, value))) return;
  addError(result, notInEnum(path, value, allowed));
}

function checkList(result: SchemaResult, schema: Structural, subject: Subject): void {
  const { path, correlation } = subject;
  const list = subject.value as readonly unknown[];
  const { items, minItems, maxItems } = schema;
  result.matches++;
  if (items !== undefined && !isSchemaList(items)) {
    for (const [i, value] of list.entries()) {
      const at = { value, path: `${path}[${i}]`, correlation: correlation?.index(i) };
      merge(result, validateNode(items, at));
    }
  }
  const count = list.length;
  if (minItems !== undefined && count < minItems) {
    addError(result, outside(path, count, `should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && count > maxItems) {
    addError(result, moreThan(path, { count, max: maxItems, of: "items" }));
  }
  if (schema.uniqueItems === true && hasTwins(list)) {
    addError(result, outside(path, "", "shouldn't contain duplicates"));
  }
}

function hasTwins(list: readonly unknown[]): boolean {
  return list.some((item, i) => list.slice(0, i).some((other) => deepEqual(item, other)));
}

function checkMap(result: SchemaResult, schema: Structural, subject: Subject): void {
  const map = subject.value as JsonMap;
  const { path } = subject;
  const names = Object.keys(map).filter((name) => map[name] !== undefined);
  const { minProperties, maxProperties, properties = {} } = schema;
  result.matches++;
  if (minProperties !== undefined && names.length < minProperties) {
    const why = `should have at least ${minProperties} properties`;
    addError(result, outside(path, names.length, why));
    return;
  }
  if (maxProperties !== undefined && names.length > maxProperties) {
    addError(result, moreThan(path, { count: names.length, max: maxProperties, of: "properties" }));
    return;
  }
  checkOtherMembers(result, schema, { ...subject, names });
  for (const name of names) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property === undefined) continue;
    const at = path === "" ? name : `${path}.${name}`;
    merge(result, validateNode(property, childOf(subject, name, at)));
  }
  for (const name of schema.required ?? []) {
    if (Object.hasOwn(map, name) && map[name] !== undefined) continue;
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    // A default would have been filled in: its place may be dropped by a conversion only.
    if (property?.default !== undefined && property.default !== null) continue;
    addError(result, missing(`${path}.${name}`));
  }
}

function childOf({ value, path, correlation }: Subject, name: string, at: string): Subject {
  // Kind and version are the same on both sides of a conversion, so they are never excused.
  const isTypeMeta = path === "" && (name === "kind" || name === "apiVersion");
  return {
    value: (value as JsonMap)[name],
    path: at,
    correlation: isTypeMeta ? undefined : correlation?.key(name),
  };
}

function checkOtherMembers(
  result: SchemaResult,
  schema: Structural,
  subject: Subject & { readonly names: readonly string[] },
): void {
  const { additionalProperties: values, properties = {} } = schema;
  if (values === undefined || values === true) return;
  for (const name of subject.names) {
    if (Object.hasOwn(properties, name)) continue;
    if (values !== false) {
      merge(result, validateNode(values, childOf(subject, name, `${subject.path}.${name}`)));
    } else if (name !== "$schema" && name !== "id") {
      addError(result, forbiddenProperty(subject.path, name));
    }
  }
}
