import type { RuleSchema } from "../cel/rules/rule-schema.ts";

/**
 * A node of a structural schema: OpenAPI v3 as CustomResourceDefinitions carry it, read as it
 * stands there. Functions over it interpret the JSON, so a schema costs nothing beyond itself.
 */
export interface Structural extends RuleSchema {
  readonly id?: string | undefined;
  readonly $schema?: string | undefined;
  readonly $ref?: string | undefined;
  readonly description?: string | undefined;
  readonly title?: string | undefined;
  readonly pattern?: string | undefined;
  readonly minLength?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMaximum?: boolean | undefined;
  readonly minimum?: number | undefined;
  readonly exclusiveMinimum?: boolean | undefined;
  readonly multipleOf?: number | undefined;
  readonly minItems?: number | undefined;
  readonly uniqueItems?: boolean | undefined;
  readonly minProperties?: number | undefined;
  readonly example?: unknown;
  readonly items?: Structural | readonly Structural[] | undefined;
  readonly properties?: Readonly<Record<string, Structural>> | undefined;
  readonly additionalProperties?: boolean | Structural | undefined;
  readonly allOf?: readonly Structural[] | undefined;
  readonly anyOf?: readonly Structural[] | undefined;
  readonly oneOf?: readonly Structural[] | undefined;
  readonly not?: Structural | undefined;
  readonly patternProperties?: Readonly<Record<string, Structural>> | undefined;
  readonly definitions?: Readonly<Record<string, Structural>> | undefined;
  readonly dependencies?: Readonly<Record<string, Structural | readonly string[]>> | undefined;
  readonly additionalItems?: boolean | Structural | undefined;
  readonly externalDocs?: object | undefined;
}

/** What every object has whatever its schema says. */
export const metaFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

export function propertyOf(schema: Structural, name: string): Structural | undefined {
  const { properties } = schema;
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

export function itemsOf({ items }: Structural): Structural | undefined {
  return isSchemaList(items) ? undefined : items;
}

// Array.isArray does not tell readonly arrays apart.
export function isSchemaList(items: Structural["items"]): items is readonly Structural[] {
  return Array.isArray(items);
}

export function valuesOf({ additionalProperties }: Structural): Structural | undefined {
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

export function isEmbedded(schema: Structural): boolean {
  return schema["x-kubernetes-embedded-resource"] === true;
}

export function preservesUnknown(schema: Structural): boolean {
  return schema["x-kubernetes-preserve-unknown-fields"] === true;
}

/** `spec.x`, or `x` at the root. */
export function childPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
