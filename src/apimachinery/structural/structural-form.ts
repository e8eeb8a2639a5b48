import { isSchemaList, type Structural, valuesOf } from "./structural.ts";

/**
 * Whether a schema uses only keywords that structural schemas have; others are refused by name,
 * and nothing more is said of it. Source: apiextensions-apiserver pkg/apiserver/schema/convert.go.
 */
export function isStructuralForm(schema: Structural): boolean {
  const { items } = schema;
  if (schema.$ref !== undefined || schema.dependencies !== undefined) return false;
  if (schema.additionalItems !== undefined || (schema.id ?? "") !== "") return false;
  if (hasMembers(schema.patternProperties) || hasMembers(schema.definitions)) return false;
  if (isSchemaList(items) && items.length > 0) return false;
  return innerOf(schema).every(isStructuralForm);
}

function hasMembers(map: object | undefined): boolean {
  return map !== undefined && Object.keys(map).length > 0;
}

function innerOf(schema: Structural): Structural[] {
  const { items, not, allOf = [], anyOf = [], oneOf = [], properties = {} } = schema;
  const values = valuesOf(schema);
  return [
    ...Object.values(properties),
    ...allOf,
    ...anyOf,
    ...oneOf,
    ...(not === undefined ? [] : [not]),
    ...(items === undefined || isSchemaList(items) ? [] : [items]),
    ...(values === undefined ? [] : [values]),
  ];
}
