import { escapeFieldName } from "../escaping.ts";
import type { Adapter } from "../json-value.ts";
import { adapterOf, schemaType, withObjectMeta, type SchemaType } from "../schema.ts";
import { compileRules, type CompiledRule } from "./compile-rules.ts";
import {
  elementSchema,
  isEmbeddedResource,
  propertySchema,
  rulesOf,
  valueSchema,
  type RuleSchema,
} from "./rule-schema.ts";

/** A place of the schema that rules apply to, or that has such places inside. */
export interface RuleNode {
  readonly schema: RuleSchema;
  readonly rules: readonly CompiledRule[];
  /** There are rules, but CEL has no type for such values. */
  readonly isUntyped: boolean;
  readonly adapt: Adapter;
  readonly items: RuleNode | undefined;
  readonly values: RuleNode | undefined;
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly allOf: readonly RuleNode[];
}

/** The schema that says what values are; a schema inside `allOf` says only what is checked. */
export interface Spine {
  readonly schema: RuleSchema;
  readonly type: SchemaType | undefined;
  readonly resource: boolean;
}

/**
 * Compiles what `checks` demands of values that `spine` describes; undefined when that is nothing.
 */
export function createNode(checks: RuleSchema, spine: Spine): RuleNode | undefined {
  const { schema, type } = spine;
  const rules = rulesOf(checks);
  const ruled = { ...schema, "x-kubernetes-validations": rules };
  const node: RuleNode = {
    schema,
    rules: type === undefined ? [] : compileRules(ruled, type),
    isUntyped: type === undefined && rules.length > 0,
    adapt: adapterOf(spine.resource ? withObjectMeta(schema) : schema),
    items: innerNode(elementSchema(checks), elementSchema(schema), type?.element),
    values: innerNode(valueSchema(checks), valueSchema(schema), type?.element),
    properties: propertyNodes(checks, spine),
    allOf: (checks.allOf ?? []).flatMap((nested) => createNode(nested, spine) ?? []),
  };
  const isNeeded =
    node.rules.length > 0 ||
    node.isUntyped ||
    node.items !== undefined ||
    node.values !== undefined ||
    node.properties.size > 0 ||
    node.allOf.length > 0;
  return isNeeded ? node : undefined;
}

function innerNode(
  checks: RuleSchema | undefined,
  schema: RuleSchema | undefined,
  type: SchemaType | undefined,
): RuleNode | undefined {
  if (checks === undefined || schema === undefined) return undefined;
  return createNode(checks, { schema, type, resource: isEmbeddedResource(schema) });
}

function propertyNodes(checks: RuleSchema, { schema, type }: Spine): ReadonlyMap<string, RuleNode> {
  const nodes = new Map<string, RuleNode>();
  for (const [name, property] of Object.entries(checks.properties ?? {})) {
    const spine = propertySchema(schema, name);
    const fieldType = spine === undefined ? undefined : typeOfField(name, spine, type);
    // Fields that CEL has no type for are left out of validation.
    const node = fieldType === undefined ? undefined : innerNode(property, spine, fieldType);
    if (node !== undefined) nodes.set(name, node);
  }
  return nodes;
}

function typeOfField(name: string, schema: RuleSchema, type?: SchemaType): SchemaType | undefined {
  const escaped = escapeFieldName(name);
  if (escaped !== undefined) return type?.fields?.get(escaped);
  return schemaType(schema, { name: "selfType", resource: isEmbeddedResource(schema) });
}
