import type { CustomResourceColumnDefinition } from "#api/apiextensions/v1/custom-resource-definition.ts";
import { ageText, creationDescription, nameDescription } from "#apimachinery/columns.ts";
import { parseTime, TimeError } from "#apimachinery/go-time.ts";
import { compileFieldPath, printResults } from "#apimachinery/jsonpath.ts";
import { JsonPathError } from "#apimachinery/jsonpath-parser.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Column } from "#apimachinery/resource.ts";

const nameColumn: Column<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  description: nameDescription,
  cell: (object) => object.metadata?.name ?? "",
};

const ageDefinition: CustomResourceColumnDefinition = {
  name: "Age",
  type: "date",
  description: creationDescription,
  jsonPath: ".metadata.creationTimestamp",
};

/**
 * Name and the columns that a definition declares, or the age when it declares none.
 * Source: apiextensions-apiserver pkg/registry/customresource/tableconvertor.
 */
export function customColumns(declared: readonly CustomResourceColumnDefinition[] | undefined): Column<KubeObject>[] {
  const shown = declared === undefined || declared.length === 0 ? [ageDefinition] : declared;
  return [nameColumn, ...shown.map(customColumn)];
}

function customColumn(definition: CustomResourceColumnDefinition): Column<KubeObject> {
  const { name, type, jsonPath, format, description, priority } = definition;
  let read: ((value: unknown) => unknown) | undefined;
  return {
    name,
    type: type as Column<KubeObject>["type"],
    format: (format ?? "") as "",
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority: priority ?? 0,
    cell(object, nowMs) {
      read ??= compilePath(jsonPath);
      return cellOf(type, read(object), nowMs);
    },
  };
}

function compilePath(path: string): (value: unknown) => unknown {
  try {
    return compileFieldPath(path);
  } catch (error) {
    if (error instanceof JsonPathError) return () => undefined;
    throw error;
  }
}

function cellOf(type: string, value: unknown, nowMs: number): unknown {
  if (value === undefined) return null;
  if (type === "string") return printResults([value]);
  if (value === null) return null;
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : typeof value === "bigint" ? value : null;
    case "number":
      return typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? dateCell(value, nowMs) : null;
    default:
      return null;
  }
}

function dateCell(text: string, nowMs: number): string {
  if (text === "" || text === "null") return ageText(undefined, nowMs);
  try {
    parseTime(text);
    return ageText(text, nowMs);
  } catch (error) {
    if (error instanceof TimeError) return "<invalid>";
    throw error;
  }
}
