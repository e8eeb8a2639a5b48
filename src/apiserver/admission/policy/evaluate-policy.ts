import { compileValidatingPolicy } from "#api/admissionregistration/v1/policy-expressions.ts";
import type {
  ValidatingAdmissionPolicy,
  Validation,
} from "#api/admissionregistration/v1/validating-admission-policy.ts";
import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Clock } from "#base/clock.ts";
import type { Expression } from "#api/admissionregistration/expressions.ts";
import { messageBytesMax, perObjectCostMax } from "#apimachinery/cel/limits.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import { type Evaluated, Evaluation, OutOfBudgetError } from "../cel/evaluation.ts";
import { matchConditions } from "../cel/match-conditions.ts";
import type { AdmissionRequest } from "../request.ts";
import { inVersion } from "../versions.ts";

export type Decision =
  | { readonly admit: true }
  | { readonly admit: false; readonly message: string; readonly reason: string };

export interface PolicyAuditAnnotation {
  readonly key: string;
  /** Undefined: nothing is published. */
  readonly value?: string;
  readonly error?: string;
}

export interface PolicyResult {
  /** Parallel to the policy's validations, or one for what went wrong as a whole. */
  readonly decisions: readonly Decision[];
  readonly auditAnnotations: readonly PolicyAuditAnnotation[];
}

export interface PolicyRun {
  readonly context: { readonly authorizer: Authorizer; readonly clock: Clock };
  readonly policy: ValidatingAdmissionPolicy;
  readonly definition: ResourceDefinition;
  readonly param: KubeObject | null;
  readonly namespace: Namespace | undefined;
}

const nothing: PolicyResult = { decisions: [], auditAnnotations: [] };

/** Runs one policy with one param. Source: policy/validating/validator.go. */
export async function evaluatePolicy(
  run: PolicyRun,
  request: AdmissionRequest,
): Promise<PolicyResult> {
  const { policy, definition, namespace, param } = run;
  const { spec } = policy;
  const failed = (message: string): PolicyResult => ({
    decisions: [onError(spec, message)],
    auditAnnotations: [],
  });
  const inputs = {
    request,
    definition,
    authorizer: run.context.authorizer,
    clock: run.context.clock,
    namespace,
    ...(spec.paramKind !== undefined && { params: param }),
  };
  const { failurePolicy } = spec;
  const conditions = await matchConditions(spec.matchConditions, { ...inputs, failurePolicy });
  if (conditions.error !== undefined) return failed(conditions.error);
  if (!conditions.matches) return nothing;
  const seen = { ...inputs, request: await inVersion(request, definition) };
  const compiled = compileValidatingPolicy(spec);
  const { variables } = compiled;
  const evaluation = new Evaluation({ ...seen, variables, costMax: perObjectCostMax });
  const decisions: Decision[] = [];
  try {
    const results: Evaluated[] = [];
    for (const { expression } of compiled.validations)
      results.push(await evaluation.evaluate(expression));
    for (const [index, result] of results.entries()) {
      const validation = spec.validations?.[index];
      const message = compiled.validations[index]?.message;
      if (validation !== undefined)
        decisions.push(await decide(spec, result, { validation, message, evaluation }));
    }
    const annotating = new Evaluation({ ...seen, variables, costMax: perObjectCostMax });
    return {
      decisions,
      auditAnnotations: await annotate(spec, compiled.auditAnnotations, annotating),
    };
  } catch (error) {
    if (error instanceof OutOfBudgetError) return failed(error.message);
    throw error;
  }
}

type Spec = ValidatingAdmissionPolicy["spec"];

function onError({ failurePolicy }: Spec, message: string): Decision {
  return failurePolicy === "Ignore" ? { admit: true } : { admit: false, message, reason: "" };
}

interface Deciding {
  readonly validation: Validation;
  readonly message: Expression | undefined;
  readonly evaluation: Evaluation;
}

async function decide(spec: Spec, result: Evaluated, deciding: Deciding): Promise<Decision> {
  if (!result.ok) return onError(spec, result.error);
  if (result.value === true) return { admit: true };
  const { validation, message, evaluation } = deciding;
  const computed = message === undefined ? "" : await computedMessage(message, evaluation);
  const text =
    computed ||
    (validation.message ?? "").trim() ||
    `failed expression: ${validation.expression.trim()}`;
  return { admit: false, message: text, reason: validation.reason ?? "Invalid" };
}

/** "" for what is no usable message: too long, of several lines, not there. */
async function computedMessage(message: Expression, evaluation: Evaluation): Promise<string> {
  const result = await evaluation.evaluate(message);
  if (!result.ok || typeof result.value !== "string") return "";
  const text = result.value.trim();
  return Buffer.byteLength(text) > messageBytesMax || text.includes("\n") ? "" : text;
}

async function annotate(
  spec: Spec,
  expressions: readonly Expression[],
  evaluation: Evaluation,
): Promise<PolicyAuditAnnotation[]> {
  const found: PolicyAuditAnnotation[] = [];
  for (const [index, expression] of expressions.entries()) {
    const key = spec.auditAnnotations?.[index]?.key ?? "";
    const result = await evaluation.evaluate(expression);
    if (!result.ok) {
      if (spec.failurePolicy !== "Ignore") found.push({ key, error: result.error });
    } else if (typeof result.value === "string" && result.value.trim() !== "") {
      found.push({ key, value: result.value.trim() });
    }
  }
  return found;
}
