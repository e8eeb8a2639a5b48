import type { JSONSchemaProps } from "./json-schema-props.ts";

/** Findings show schemas as Go's JSON of the internal type, which has no JSON names. */
type Zero = "text" | "null" | "false";

/** In Go's order: the internal name, ours, and what absence looks like. */
const fields: readonly (readonly [string, keyof JSONSchemaProps, Zero])[] = [
  ["ID", "id", "text"],
  ["Schema", "$schema", "text"],
  ["Ref", "$ref", "null"],
  ["Description", "description", "text"],
  ["Type", "type", "text"],
  ["Nullable", "nullable", "false"],
  ["Format", "format", "text"],
  ["Title", "title", "text"],
  ["Default", "default", "null"],
  ["Maximum", "maximum", "null"],
  ["ExclusiveMaximum", "exclusiveMaximum", "false"],
  ["Minimum", "minimum", "null"],
  ["ExclusiveMinimum", "exclusiveMinimum", "false"],
  ["MaxLength", "maxLength", "null"],
  ["MinLength", "minLength", "null"],
  ["Pattern", "pattern", "text"],
  ["MaxItems", "maxItems", "null"],
  ["MinItems", "minItems", "null"],
  ["UniqueItems", "uniqueItems", "false"],
  ["MultipleOf", "multipleOf", "null"],
  ["Enum", "enum", "null"],
  ["MaxProperties", "maxProperties", "null"],
  ["MinProperties", "minProperties", "null"],
  ["Required", "required", "null"],
  ["Items", "items", "null"],
  ["AllOf", "allOf", "null"],
  ["OneOf", "oneOf", "null"],
  ["AnyOf", "anyOf", "null"],
  ["Not", "not", "null"],
  ["Properties", "properties", "null"],
  ["AdditionalProperties", "additionalProperties", "null"],
  ["PatternProperties", "patternProperties", "null"],
  ["Dependencies", "dependencies", "null"],
  ["AdditionalItems", "additionalItems", "null"],
  ["Definitions", "definitions", "null"],
  ["ExternalDocs", "externalDocs", "null"],
  ["Example", "example", "null"],
  ["XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", "null"],
  ["XEmbeddedResource", "x-kubernetes-embedded-resource", "false"],
  ["XIntOrString", "x-kubernetes-int-or-string", "false"],
  ["XListMapKeys", "x-kubernetes-list-map-keys", "null"],
  ["XListType", "x-kubernetes-list-type", "null"],
  ["XMapType", "x-kubernetes-map-type", "null"],
  ["XValidations", "x-kubernetes-validations", "null"],
];

const zeros = { text: "", null: null, false: false };

/** Internal names of what a schema says, in Go's order. */
export function internalFieldNames(schema: JSONSchemaProps): string[] {
  return fields.filter(([, name, zero]) => isSet(schema[name], zero)).map(([internal]) => internal);
}

function isSet(value: unknown, zero: Zero): boolean {
  return value !== undefined && value !== zeros[zero];
}

export function internalSchema(schema: JSONSchemaProps): Record<string, unknown> {
  const shown = fields.map(([internal, name, zero]) => {
    const value = schema[name];
    return [internal, isSet(value, zero) ? shownValue(name, value) : zeros[zero]] as const;
  });
  return Object.fromEntries(shown);
}

const schemaLists: ReadonlySet<string> = new Set(["allOf", "oneOf", "anyOf"]);
const schemaMaps: ReadonlySet<string> = new Set(["properties", "patternProperties", "definitions"]);

function shownValue(name: keyof JSONSchemaProps, value: unknown): unknown {
  const one = (schema: unknown): unknown => internalSchema(schema as JSONSchemaProps);
  if (name === "not") return one(value);
  if (schemaLists.has(name)) return (value as readonly unknown[]).map(one);
  if (schemaMaps.has(name)) {
    const entries = Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, schema]) => [key, one(schema)]));
  }
  if (name === "items") {
    return Array.isArray(value)
      ? { Schema: null, JSONSchemas: value.map(one) }
      : { Schema: one(value), JSONSchemas: null };
  }
  if (name === "additionalProperties" || name === "additionalItems") {
    return typeof value === "boolean" ? { Allows: value, Schema: null } : { Allows: true, Schema: one(value) };
  }
  if (name === "x-kubernetes-validations") return (value as readonly object[]).map(shownRule);
  return value;
}

function shownRule(rule: object): object {
  const given = rule as NonNullable<JSONSchemaProps["x-kubernetes-validations"]>[number];
  return {
    Rule: given.rule,
    Message: given.message ?? "",
    MessageExpression: given.messageExpression ?? "",
    Reason: given.reason ?? null,
    FieldPath: given.fieldPath ?? "",
    OptionalOldSelf: given.optionalOldSelf ?? null,
  };
}
