import { type FieldError, forbidden, invalid, notSupported } from "../field-error.ts";
import { validateListRules, validateMapType } from "./list-rules.ts";
import { isEmbedded, isSchemaList, metaFields, type Structural } from "./structural.ts";

/** What holds for a schema because of where it stands. */
interface Context {
  readonly isRoot: boolean;
  readonly insideMeta: boolean;
  /** Why there may be no default, "" where there may. */
  readonly defaultsForbidden: string;
}

const types = ["array", "boolean", "integer", "number", "object", "string"];

/**
 * Checks the keywords of a schema and of all inside it, without rules in CEL.
 * Source: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
 */
export function validateSchemaKeywords(schema: Structural, path: string): FieldError[] {
  return validate(schema, path, { isRoot: true, insideMeta: false, defaultsForbidden: "" });
}

function validate(schema: Structural, path: string, context: Context): FieldError[] {
  const errors = validateStandard(schema, path, context);
  if (schema.uniqueItems === true) {
    const detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbidden(`${path}.uniqueItems`, detail));
  }
  errors.push(...validateValues(schema, path, context), ...validateProperties(schema, path, context));
  for (const [inner, at] of branchesOf(schema, path))
    errors.push(...validate(inner, at, { ...context, isRoot: false }));
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  }
  return [...errors, ...validateMapType(schema, path), ...validateListRules(schema, path)];
}

function validateStandard(schema: Structural, path: string, context: Context): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "" } = schema;
  const forbid = (name: string, isGiven: boolean, detail = `${name} is not supported`): void => {
    if (isGiven) errors.push(forbidden(`${path}.${name}`, detail));
  };
  if (type !== "" && !types.includes(type)) errors.push(notSupported(`${path}.type`, type, types));
  const hasDefault = schema.default !== undefined && schema.default !== null;
  forbid("default", hasDefault && context.defaultsForbidden !== "", `must not be set ${context.defaultsForbidden}`);
  forbid("id", (schema.id ?? "") !== "");
  forbid("additionalItems", schema.additionalItems !== undefined);
  forbid("patternProperties", hasMembers(schema.patternProperties));
  forbid("definitions", hasMembers(schema.definitions));
  forbid("dependencies", schema.dependencies !== undefined);
  forbid("$ref", schema.$ref !== undefined);
  forbid("type", type === "null", "type cannot be set to null, use nullable as an alternative");
  const isList = isSchemaList(schema.items) && schema.items.length > 0;
  forbid("items", isList, "items must be a schema object and not an array");
  if (context.insideMeta && isEmbedded(schema)) {
    errors.push(forbidden(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta"));
  }
  return errors;
}

function hasMembers(map: object | undefined): boolean {
  return map !== undefined && Object.keys(map).length > 0;
}

function validateValues(schema: Structural, path: string, context: Context): FieldError[] {
  const { additionalProperties: values } = schema;
  if (values === undefined) return [];
  const at = `${path}.additionalProperties`;
  const errors: FieldError[] = [];
  if (hasMembers(schema.properties) && values !== true) {
    errors.push(forbidden(at, "additionalProperties and properties are mutual exclusive"));
  }
  if (typeof values === "boolean") return errors;
  const inner = context.insideMeta
    ? { ...context, defaultsForbidden: "inside additionalProperties applying to object metadata" }
    : context;
  return [...errors, ...validate(values, at, { ...inner, isRoot: false })];
}

function validateProperties(schema: Structural, path: string, context: Context): FieldError[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const isMeta = (context.isRoot || isEmbedded(schema)) && metaFields.has(name);
    const inner: Context = {
      isRoot: false,
      insideMeta: context.insideMeta || isMeta,
      defaultsForbidden: isMeta && context.isRoot ? `in top-level ${name}` : context.defaultsForbidden,
    };
    return validate(property, `${path}.properties[${name}]`, inner);
  });
}

/** Schemas other than of properties and values, in upstream's order. */
function branchesOf(schema: Structural, path: string): [Structural, string][] {
  const { not, items } = schema;
  const list = (name: string, branches: readonly Structural[] = []): [Structural, string][] =>
    branches.map((branch, i) => [branch, `${path}.${name}[${i}]`]);
  const definitions = Object.entries(schema.definitions ?? {}).map(([name, one]): [Structural, string] => [
    one,
    `${path}.definitions[${name}]`,
  ]);
  const own: [Structural, string][] =
    items === undefined || isSchemaList(items) ? list("items", items) : [[items, `${path}.items`]];
  return [
    ...(not === undefined ? [] : [[not, `${path}.not`] satisfies [Structural, string]]),
    ...list("allOf", schema.allOf),
    ...list("oneOf", schema.oneOf),
    ...list("anyOf", schema.anyOf),
    ...definitions,
    ...own,
  ];
}
