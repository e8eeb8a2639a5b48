import { forbidden, invalid, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsLabel,
  validateDnsSubdomain,
  validateRequiredSupported,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import { checkPathSegment } from "#apimachinery/validation/names.ts";
import { type NamedExpression, validateExpression } from "../expressions.ts";
import type { MatchResources, ParamKind, ParamRef, Variable } from "./policy-matching.ts";
import { allOperations, validateRule } from "./rule-validation.ts";
import { matchPolicies } from "./webhook-validation.ts";

/** What both kinds of policies share. Source: pkg/apis/admissionregistration/validation. */
export function defaultMatchResources(resources: MatchResources | undefined): void {
  if (resources === undefined) return;
  resources.matchPolicy ??= "Equivalent";
  resources.namespaceSelector ??= {};
  resources.objectSelector ??= {};
  for (const rule of [
    ...(resources.resourceRules ?? []),
    ...(resources.excludeResourceRules ?? []),
  ]) {
    rule.scope ??= "*";
  }
}

interface MatchRules {
  readonly path: string;
  /** Policies must say what they match; bindings may narrow it. */
  readonly needsRules: boolean;
  readonly operations?: readonly string[];
}

export function* validateMatchResources(
  resources: MatchResources,
  { path, needsRules, operations = allOperations }: MatchRules,
): Findings {
  yield* validateLabelSelector(resources.namespaceSelector, `${path}.namespaceSelector`);
  yield* validateLabelSelector(resources.objectSelector, `${path}.objectSelector`);
  const { resourceRules = [], excludeResourceRules = [] } = resources;
  if (needsRules && resourceRules.length === 0) yield required(`${path}.resourceRules`, "");
  for (const [i, rule] of resourceRules.entries()) {
    yield* validateRule(rule, `${path}.resourceRules[${i}]`, operations);
  }
  for (const [i, rule] of excludeResourceRules.entries()) {
    yield* validateRule(rule, `${path}.excludeResourceRules[${i}]`, operations);
  }
  const { matchPolicy = "" } = resources;
  yield* validateRequiredSupported(matchPolicy, matchPolicies, `${path}.matchPolicy`);
}

export function* validateParamKind(param: ParamKind | undefined): Findings {
  if (param === undefined) return;
  const { apiVersion = "", kind = "" } = param;
  const path = "spec.paramKind";
  const parts = apiVersion.split("/");
  if (apiVersion === "") yield required(`${path}.apiVersion`, "");
  else if (parts.length > 2) {
    const detail = `unexpected GroupVersion string: ${apiVersion}`;
    yield invalid(`${path}.apiVersion`, apiVersion, detail);
  } else {
    const [group, version] = parts.length === 2 ? parts : ["", parts[0]];
    if (group) yield* validateDnsSubdomain(group, `${path}.apiVersion`);
    yield* validateDnsLabel(version ?? "", `${path}.apiVersion`);
  }
  if (kind === "") yield required(`${path}.kind`, "");
}

const notFoundActions = ["Deny", "Allow"];

export function* validateParamRef(reference: ParamRef | undefined): Findings {
  if (reference === undefined) return;
  const path = "spec.paramRef";
  const { name = "", namespace = "", selector, parameterNotFoundAction: action } = reference;
  if (name !== "") {
    yield* invalidTexts(`${path}.name`, name, checkPathSegment(name));
    if (selector !== undefined) {
      const detail = "name and selector are mutually exclusive";
      yield forbidden(`${path}.name`, detail);
      yield forbidden(`${path}.selector`, detail);
    }
  }
  if (namespace !== "") yield* validateDnsLabel(namespace, `${path}.namespace`);
  if (selector !== undefined) yield* validateLabelSelector(selector, `${path}.selector`);
  if (name === "" && selector === undefined) {
    yield required(path, "one of name or selector must be specified");
  }
  if (action === undefined) yield required(`${path}.parameterNotFoundAction`, "");
  else yield* validateSupported(action, notFoundActions, `${path}.parameterNotFoundAction`);
}

export function* validateVariables(
  variables: readonly Variable[] | undefined,
  compiled: readonly NamedExpression[],
): Findings {
  for (const [i, { name, expression }] of (variables ?? []).entries()) {
    const path = `spec.variables[${i}]`;
    if (name === "") yield required(`${path}.name`, "name is not specified");
    else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name)) {
      yield invalid(`${path}.name`, name, "must be a valid CEL identifier");
    }
    const found = compiled[i];
    if (expression.trim() === "")
      yield required(`${path}.expression`, "expression is not specified");
    else if (found !== undefined) yield* validateExpression(found.expression, `${path}.expression`);
  }
}

export function* validatePolicyName(name: string | undefined): Findings {
  if (!name) yield required("spec.policyName", "");
  else yield* validateDnsSubdomain(name, "spec.policyName");
}
