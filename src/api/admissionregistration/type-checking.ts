import { type CelSchema, schemaType } from "#apimachinery/cel/schema.ts";
import { type CelType, dynType } from "#apimachinery/cel/types.ts";
import { flatFields, type Schema } from "#apimachinery/schema.ts";
import type {
  ExpressionWarning,
  ValidatingAdmissionPolicySpec,
} from "./v1/validating-admission-policy.ts";
import type { GroupVersionKind } from "#apimachinery/object.ts";
import { apiVersionOf } from "#apimachinery/object.ts";
import {
  admissionEnvironment,
  compileExpression,
  compileVariables,
  variablesType,
} from "./expressions.ts";

/**
 * Kinds that one rule of a policy is checked against. Source: policy/validating/typechecking.go.
 */
export const typesCheckedMax = 10;

/** Anything: what CEL knows no more of than that it is there. */
const anything: CelSchema = { "x-kubernetes-int-or-string": true };

const scalars: Readonly<Record<string, CelSchema>> = {
  string: { type: "string" },
  bool: { type: "boolean" },
  int32: { type: "integer" },
  int64: { type: "integer" },
  double: { type: "number" },
  bytes: { type: "string", format: "byte" },
  time: { type: "string", format: "date-time" },
  microTime: { type: "string", format: "date-time" },
  duration: { type: "string" },
};

/** A type of our own as CEL's schema; where types contain themselves the inner one is dynamic. */
export function celSchemaOf(schema: Schema, above: readonly Schema[] = []): CelSchema {
  switch (schema.type) {
    case "list":
      return { type: "array", items: celSchemaOf(schema.items, above) };
    case "map":
      return { type: "object", additionalProperties: celSchemaOf(schema.values, above) };
    case "ref":
      return celSchemaOf(schema.target(), above);
    case "either":
      return anything;
    case "struct": {
      if (above.includes(schema)) return anything;
      const properties: Record<string, CelSchema> = {};
      for (const [name, field] of flatFields(schema)) {
        properties[name] = celSchemaOf(field.schema, [...above, schema]);
      }
      return { type: "object", properties };
    }
    default:
      return scalars[schema.type] ?? anything;
  }
}

/** A kind that a policy matches, with the schema of its objects. */
export interface CheckedKind {
  readonly gvk: GroupVersionKind;
  readonly schema: CelSchema;
}

/** Warnings of expressions that read what objects of the matched kinds do not have. */
export function checkTypes(
  spec: ValidatingAdmissionPolicySpec,
  kinds: readonly CheckedKind[],
  params: CelSchema | undefined,
): ExpressionWarning[] {
  const warnings: ExpressionWarning[] = [];
  const checkers = kinds.map((kind) => checkerOf(spec, kind, params));
  const check = (expression: string, fieldRef: string): void => {
    const texts = checkers.flatMap((checker) => checker(expression) ?? []);
    if (texts.length > 0) warnings.push({ fieldRef, warning: texts.join("\n") });
  };
  for (const [i, { expression, messageExpression = "" }] of (spec.validations ?? []).entries()) {
    check(expression, `spec.validations[${i}].expression`);
    if (messageExpression !== "")
      check(messageExpression, `spec.validations[${i}].messageExpression`);
  }
  return warnings;
}

function checkerOf(
  spec: ValidatingAdmissionPolicySpec,
  { gvk, schema }: CheckedKind,
  params: CelSchema | undefined,
): (expression: string) => string | undefined {
  const object = typeOf(schema, gvk.kind);
  const options = {
    hasParams: spec.paramKind !== undefined,
    hasAuthorizer: true,
    object: { object, oldObject: object },
    ...(params && { params: typeOf(params, spec.paramKind?.kind ?? "Params") }),
  };
  const variables = compileVariables(spec.variables, options);
  const environment = admissionEnvironment({
    ...options,
    ...(variables.length > 0 && { variables: variablesType(variables) }),
  });
  const name = `${apiVersionOf(gvk.group, gvk.version)}, Kind=${gvk.kind}`;
  return (expression) => {
    const { error } = compileExpression(environment, expression, "any");
    return error === undefined ? undefined : `${gvk.group === "" ? "/" : ""}${name}: ${error}\n`;
  };
}

function typeOf(schema: CelSchema, name: string): CelType {
  return schemaType(schema, { name, resource: true })?.type ?? dynType;
}

/** Resources that a policy names, without wildcards and subresources. */
export function namedResources(
  spec: ValidatingAdmissionPolicySpec,
): { group: string; version: string; plural: string }[] {
  const named: { group: string; version: string; plural: string }[] = [];
  for (const { apiGroups = [], apiVersions = [], resources = [] } of spec.matchConstraints
    ?.resourceRules ?? []) {
    if (apiGroups.includes("*") || apiVersions.includes("*")) continue;
    const plain = resources.filter((resource) => !/[*/]/.test(resource)).sort();
    const triples = apiGroups
      .toSorted()
      .flatMap((group) =>
        apiVersions
          .toSorted()
          .flatMap((version) => plain.map((plural) => ({ group, version, plural }))),
      );
    named.push(...triples.slice(0, typesCheckedMax));
  }
  return named;
}
