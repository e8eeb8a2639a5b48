import { isKnownFormat } from "#apimachinery/structural/formats.ts";
import type { Structural } from "#apimachinery/structural/structural.ts";
import type { CustomResourceDefinition } from "./custom-resource-definition.ts";

/** Formats in the schemas of a definition that are not checked, sorted. */
export function unknownFormats({ spec }: CustomResourceDefinition): string[] {
  const found = new Set<string>();
  for (const { schema } of spec.versions) {
    collectFormats(schema?.openAPIV3Schema as Structural | undefined, found);
  }
  return [...found].sort();
}

function collectFormats(schema: Structural | undefined, found: Set<string>): void {
  if (schema === undefined) return;
  if (!isKnownFormat(schema)) found.add(schema.format ?? "");
  const { items, additionalProperties, properties = {} } = schema;
  if (items !== undefined) for (const one of [items].flat()) collectFormats(one as Structural, found);
  if (typeof additionalProperties === "object") collectFormats(additionalProperties, found);
  for (const property of Object.values(properties)) collectFormats(property, found);
  const branches = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  for (const branch of branches) collectFormats(branch, found);
}
