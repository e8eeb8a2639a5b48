import type { CelSchema } from "../schema.ts";

/** An entry of `x-kubernetes-validations`. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string | undefined;
  readonly messageExpression?: string | undefined;
  readonly reason?: string | undefined;
  readonly fieldPath?: string | undefined;
  readonly optionalOldSelf?: boolean | undefined;
}

/** A schema with rules. */
export interface RuleSchema extends CelSchema {
  readonly properties?: Readonly<Record<string, RuleSchema>> | undefined;
  readonly additionalProperties?: boolean | RuleSchema | undefined;
  readonly items?: RuleSchema | readonly RuleSchema[] | undefined;
  readonly allOf?: readonly RuleSchema[] | undefined;
  readonly "x-kubernetes-map-type"?: string | undefined;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[] | undefined;
}

export function elementSchema({ items }: RuleSchema): RuleSchema | undefined {
  return isList(items) ? undefined : items;
}

// Array.isArray does not tell readonly arrays apart.
function isList(items: RuleSchema["items"]): items is readonly RuleSchema[] {
  return Array.isArray(items);
}

export function valueSchema({ additionalProperties }: RuleSchema): RuleSchema | undefined {
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

export function propertySchema(schema: RuleSchema, name: string): RuleSchema | undefined {
  const { properties = {} } = schema;
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

export function rulesOf(schema: RuleSchema): readonly ValidationRule[] {
  return schema["x-kubernetes-validations"] ?? [];
}

export function isEmbeddedResource(schema: RuleSchema): boolean {
  return schema["x-kubernetes-embedded-resource"] === true;
}

/** Whether a schema has rules, itself or below; those inside `allOf` do not count, as upstream. */
export function hasRules(schema: RuleSchema | undefined): boolean {
  if (schema === undefined) return false;
  return (
    rulesOf(schema).length > 0 ||
    hasRules(elementSchema(schema)) ||
    hasRules(valueSchema(schema)) ||
    Object.values(schema.properties ?? {}).some(hasRules)
  );
}

/** Whether fields of an object keep their identity over an update. */
export function isCorrelatableMap(schema: RuleSchema): boolean {
  const mapType = schema["x-kubernetes-map-type"];
  return mapType === undefined || mapType === "granular" || mapType === "atomic";
}

export function childPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
