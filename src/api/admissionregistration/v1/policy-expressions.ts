import {
  boolType,
  dynType,
  listType,
  nullType,
  objectType,
  stringType,
} from "#apimachinery/cel/types.ts";
import {
  admissionEnvironment,
  compileExpression,
  compileVariables,
  type Expression,
  type NamedExpression,
  variablesType,
} from "../expressions.ts";
import type { MutatingAdmissionPolicySpec } from "./mutating-admission-policy.ts";
import type { ValidatingAdmissionPolicySpec } from "./validating-admission-policy.ts";
import { jsonPatchType } from "#apimachinery/cel/library/mutation.ts";

/** All expressions of a ValidatingAdmissionPolicy, compiled; lists are parallel to the spec's. */
export interface CompiledValidatingPolicy {
  readonly variables: readonly NamedExpression[];
  readonly validations: readonly {
    readonly expression: Expression;
    readonly message?: Expression;
  }[];
  readonly auditAnnotations: readonly Expression[];
}

const validatingPolicies = new WeakMap<ValidatingAdmissionPolicySpec, CompiledValidatingPolicy>();

/** Compiles once for each spec. */
export function compileValidatingPolicy(
  spec: ValidatingAdmissionPolicySpec,
): CompiledValidatingPolicy {
  let compiled = validatingPolicies.get(spec);
  if (compiled === undefined) {
    compiled = compileValidating(spec);
    validatingPolicies.set(spec, compiled);
  }
  return compiled;
}

function compileValidating(spec: ValidatingAdmissionPolicySpec): CompiledValidatingPolicy {
  const hasParams = spec.paramKind !== undefined;
  const variables = compileVariables(spec.variables, { hasParams, hasAuthorizer: true });
  const composed = variables.length > 0 ? { variables: variablesType(variables) } : {};
  const environment = admissionEnvironment({ hasParams, hasAuthorizer: true, ...composed });
  const messages = admissionEnvironment({ hasParams, hasAuthorizer: false, ...composed });
  return {
    variables,
    validations: (spec.validations ?? []).map(({ expression, messageExpression = "" }) => ({
      expression: compileExpression(environment, expression, [boolType]),
      ...(messageExpression.trim() !== "" && {
        message: compileExpression(messages, messageExpression, [stringType]),
      }),
    })),
    auditAnnotations: (spec.auditAnnotations ?? []).map(({ valueExpression }) =>
      compileExpression(environment, valueExpression.trim(), [stringType, nullType]),
    ),
  };
}

/** All expressions of a MutatingAdmissionPolicy; `mutations` is parallel to the spec's. */
export interface CompiledMutatingPolicy {
  readonly variables: readonly NamedExpression[];
  readonly mutations: readonly Expression[];
}

const mutatingPolicies = new WeakMap<MutatingAdmissionPolicySpec, CompiledMutatingPolicy>();
const appliedType = objectType("Object");
const patchesType = listType(jsonPatchType);

/** Compiles once for each spec. */
export function compileMutatingPolicy(spec: MutatingAdmissionPolicySpec): CompiledMutatingPolicy {
  let compiled = mutatingPolicies.get(spec);
  if (compiled === undefined) {
    compiled = compileMutating(spec);
    mutatingPolicies.set(spec, compiled);
  }
  return compiled;
}

function compileMutating(spec: MutatingAdmissionPolicySpec): CompiledMutatingPolicy {
  const options = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true, mutation: true };
  const variables = compileVariables(spec.variables, options);
  const composed = variables.length > 0 ? { variables: variablesType(variables) } : {};
  const environment = admissionEnvironment({ ...options, ...composed });
  const mutations = (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => {
    const applies = patchType === "ApplyConfiguration";
    const text = (applies ? applyConfiguration : jsonPatch)?.expression ?? "";
    const allowed = applies ? [appliedType] : [patchesType, listType(dynType)];
    const expression = compileExpression(environment, text, allowed);
    return applies || expression.error?.startsWith("must evaluate to") !== true
      ? expression
      : compileExpression(environment, text, [patchesType]);
  });
  return { variables, mutations };
}
