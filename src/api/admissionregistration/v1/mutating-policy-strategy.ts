import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { invalid, notSupported, required } from "#apimachinery/field-error.ts";
import type { Column, Strategy } from "#apimachinery/resource.ts";
import {
  type Findings,
  validateRequiredSupported,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { paramKindText, paramRefText } from "./policy-columns.ts";
import type { MutatingAdmissionPolicy, Mutation } from "./mutating-admission-policy.ts";
import type { MutatingAdmissionPolicyBinding } from "./mutating-admission-policy-binding.ts";
import { type Expression, validateExpression } from "../expressions.ts";
import { compileMutatingPolicy } from "./policy-expressions.ts";
import {
  defaultMatchResources,
  validateMatchResources,
  validateParamKind,
  validateParamRef,
  validatePolicyName,
  validateVariables,
} from "./policy-validation.ts";
import { failurePolicies, validateMatchConditions } from "./webhook-validation.ts";

/**
 * Behaviour of the kinds in all of their versions, which have one shape.
 * Source: pkg/apis/admissionregistration/validation.
 */
export const mutatingPolicyStrategy: Strategy<MutatingAdmissionPolicy> = {
  generation: true,
  default({ spec }) {
    spec.failurePolicy ??= "Fail";
    defaultMatchResources(spec.matchConstraints);
  },
  validate: (policy) => [...validatePolicy(policy)],
  validateUpdate: (policy) => [...validatePolicy(policy)],
};

export const mutatingPolicyBindingStrategy: Strategy<MutatingAdmissionPolicyBinding> = {
  generation: true,
  default: ({ spec }) => defaultMatchResources(spec.matchResources),
  validate: (binding) => [...validateBinding(binding)],
  validateUpdate: (binding) => [...validateBinding(binding)],
};

/** Objects that go have nothing to change. */
const operations = ["*", "CONNECT", "CREATE", "UPDATE"];

function* validatePolicy({ spec }: MutatingAdmissionPolicy): Findings {
  yield* validateParamKind(spec.paramKind);
  const { matchConstraints, mutations = [] } = spec;
  if (matchConstraints === undefined) yield required("spec.matchConstraints", "");
  else {
    const path = "spec.matchConstraints";
    yield* validateMatchResources(matchConstraints, { path, needsRules: true });
    const asked = (matchConstraints.resourceRules ?? []).flatMap((rule) => rule.operations ?? []);
    for (const operation of asked.filter((name) => name === "DELETE")) {
      yield notSupported(`${path}.resourceRules.operations`, operation, operations);
    }
  }
  const compiled = compileMutatingPolicy(spec);
  yield* validateMatchConditions(
    spec.matchConditions,
    "spec.matchConditions",
    spec.paramKind !== undefined,
  );
  yield* validateVariables(spec.variables, compiled.variables);
  if (mutations.length === 0) {
    yield required("spec.mutations", "mutations must contain at least one item");
  }
  for (const [i, mutation] of mutations.entries()) {
    yield* validateMutation(mutation, `spec.mutations[${i}]`, compiled.mutations[i]);
  }
  yield* validateSupported(spec.failurePolicy, failurePolicies, "spec.failurePolicy");
  const reinvocations = ["IfNeeded", "Never"];
  yield* validateRequiredSupported(
    spec.reinvocationPolicy,
    reinvocations,
    "spec.reinvocationPolicy",
  );
}

const arms = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;
const patchTypes = Object.keys(arms) as (keyof typeof arms)[];

function* validateMutation(
  mutation: Mutation,
  path: string,
  compiled: Expression | undefined,
): Findings {
  const { patchType } = mutation;
  const known = patchTypes.find((type) => type === patchType);
  if (known === undefined) {
    yield* validateRequiredSupported(patchType, patchTypes, `${path}.patchType`);
    return;
  }
  const arm = arms[known];
  if (mutation[arm] === undefined) {
    yield required(`${path}.${arm}`, `must be specified when patchType is ${known}`);
  } else if ((mutation[arm].expression ?? "").trim() === "") {
    yield required(`${path}.${arm}.expression`, "");
  } else if (compiled !== undefined) {
    yield* validateExpression(compiled, `${path}.${arm}.expression`);
  }
  for (const other of Object.values(arms)) {
    if (other === arm || mutation[other] === undefined) continue;
    const detail = `must not be specified when patchType is ${known}`;
    yield invalid(`${path}.${other}`, `{${other}}`, detail);
  }
}

function* validateBinding({ spec }: MutatingAdmissionPolicyBinding): Findings {
  yield* validatePolicyName(spec.policyName);
  yield* validateParamRef(spec.paramRef);
  if (spec.matchResources === undefined) return;
  const rules = { path: "spec.matchResources", needsRules: false };
  yield* validateMatchResources(spec.matchResources, rules);
}

export const mutatingPolicyColumns: readonly Column<MutatingAdmissionPolicy>[] = [
  nameColumn,
  column("Mutations", ({ spec }) => (spec.mutations ?? []).length, { description: "How many changes it makes.", type: "integer" }),
  column("ParamKind", ({ spec }) => paramKindText(spec.paramKind), { description: "Kind of its parameters." }),
  ageColumn,
];

export const mutatingPolicyBindingColumns: readonly Column<MutatingAdmissionPolicyBinding>[] = [
  nameColumn,
  column("PolicyName", ({ spec }) => spec.policyName ?? "", { description: "Policy that is bound." }),
  column("ParamRef", ({ spec }) => paramRefText(spec.paramRef), { description: "Parameters of the policy." }),
  ageColumn,
];
