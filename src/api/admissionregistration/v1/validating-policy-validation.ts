import { duplicate, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateQualifiedName,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { validateConditions } from "#apimachinery/validation/conditions.ts";
import { validateExpression } from "../expressions.ts";
import { compileValidatingPolicy } from "./policy-expressions.ts";
import {
  validateMatchResources,
  validateParamKind,
  validateParamRef,
  validatePolicyName,
  validateVariables,
} from "./policy-validation.ts";
import type { ValidatingAdmissionPolicy } from "./validating-admission-policy.ts";
import type { ValidatingAdmissionPolicyBinding } from "./validating-admission-policy-binding.ts";
import { failurePolicies, validateMatchConditions } from "./webhook-validation.ts";

/** Source: pkg/apis/admissionregistration/validation/validation.go. */
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
const actions = ["Audit", "Deny", "Warn"];

export function* validatePolicy({ spec, metadata }: ValidatingAdmissionPolicy): Findings {
  yield* validateSupported(spec.failurePolicy, failurePolicies, "spec.failurePolicy");
  yield* validateParamKind(spec.paramKind);
  const path = "spec.matchConstraints";
  if (spec.matchConstraints === undefined) yield required(path, "");
  else yield* validateMatchResources(spec.matchConstraints, { path, needsRules: true });
  const hasParams = spec.paramKind !== undefined;
  const compiled = compileValidatingPolicy(spec);
  yield* validateMatchConditions(spec.matchConditions, "spec.matchConditions", hasParams);
  yield* validateVariables(spec.variables, compiled.variables);
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const detail = "validations or auditAnnotations must be set";
    yield required("spec.validations", `${detail}: validations must contain at least one item`);
  }
  for (const [
    i,
    { expression, message = "", messageExpression = "", reason },
  ] of validations.entries()) {
    const at = `spec.validations[${i}]`;
    const found = compiled.validations[i];
    if (expression.trim() === "") yield required(`${at}.expression`, "expression is not specified");
    else if (found !== undefined) yield* validateExpression(found.expression, `${at}.expression`);
    if (messageExpression !== "" && messageExpression.trim() === "") {
      yield invalid(`${at}.messageExpression`, messageExpression, "must be non-empty if specified");
    } else if (found?.message !== undefined) {
      yield* validateExpression(found.message, `${at}.messageExpression`);
    }
    if (message.trim() === "" && message !== "") {
      yield invalid(`${at}.message`, message, "message must be non-empty if specified");
    }
    if (/\n/.test(message))
      yield invalid(`${at}.message`, message, "message must not contain line breaks");
    yield* validateSupported(reason, reasons, `${at}.reason`);
  }
  const keys = new Set<string>();
  for (const [i, { key, valueExpression }] of auditAnnotations.entries()) {
    const at = `spec.auditAnnotations[${i}]`;
    yield* validateQualifiedName(`${metadata?.name ?? ""}/${key}`, `${at}.key`);
    const found = compiled.auditAnnotations[i];
    if (valueExpression.trim() === "") {
      yield required(`${at}.valueExpression`, "valueExpression is not specified");
    } else if (found !== undefined) yield* validateExpression(found, `${at}.valueExpression`);
    if (keys.has(key)) yield duplicate(`${at}.key`, key);
    keys.add(key);
  }
}

export function* validatePolicyStatus({ status }: ValidatingAdmissionPolicy): Findings {
  yield* validateConditions(status?.conditions, "status.conditions");
}

export function* validatePolicyBinding({ spec }: ValidatingAdmissionPolicyBinding): Findings {
  yield* validatePolicyName(spec.policyName);
  yield* validateParamRef(spec.paramRef);
  if (spec.matchResources !== undefined) {
    const rules = { path: "spec.matchResources", needsRules: false };
    yield* validateMatchResources(spec.matchResources, rules);
  }
  const path = "spec.validationActions";
  const { validationActions: own = [] } = spec;
  if (own.length === 0) yield required(path, "at least one validation action is required");
  for (const [i, action] of own.entries()) {
    if (!actions.includes(action)) yield notSupported(`${path}[${i}]`, action, actions);
    if (own.indexOf(action) < i) yield duplicate(`${path}[${i}]`, action);
  }
  if (own.includes("Deny") && own.includes("Warn")) {
    const detail =
      "must not contain both Deny and Warn (repeating the same validation failure information " +
      "in the API response and headers serves no purpose)";
    yield invalid(path, own, detail);
  }
}
