import { matchConditionsCostMax } from "#apimachinery/cel/limits.ts";
import { inVersion } from "../versions.ts";
import { Evaluation, type EvaluationOptions, OutOfBudgetError } from "./evaluation.ts";
import { compileMatchCondition, type Expression } from "#api/admissionregistration/expressions.ts";

export interface MatchConditionSource {
  readonly name: string;
  readonly expression: string;
}

/** `error` when conditions failed and the failure policy does not say to ignore that. */
export type ConditionsResult =
  | { readonly matches: boolean; readonly error?: undefined }
  | { readonly error: string };

const compiled = new WeakMap<readonly MatchConditionSource[], readonly Expression[]>();

function compile(
  conditions: readonly MatchConditionSource[],
  hasParams: boolean,
): readonly Expression[] {
  let expressions = compiled.get(conditions);
  if (expressions === undefined) {
    expressions = conditions.map(({ expression }) => compileMatchCondition(expression, hasParams));
    compiled.set(conditions, expressions);
  }
  return expressions;
}

/**
 * Whether all conditions hold: one that is false decides, otherwise one that fails.
 * Source: webhook/matchconditions/matcher.go.
 */
export async function matchConditions(
  conditions: readonly MatchConditionSource[] | undefined,
  input: Omit<EvaluationOptions, "costMax"> & { readonly failurePolicy: string | undefined },
): Promise<ConditionsResult> {
  if (conditions === undefined || conditions.length === 0) return { matches: true };
  const request = await inVersion(input.request, input.definition);
  const evaluation = new Evaluation({ ...input, request, costMax: matchConditionsCostMax });
  const errors: string[] = [];
  try {
    for (const expression of compile(conditions, input.params !== undefined)) {
      const result = await evaluation.evaluate(expression);
      if (result.ok && result.value === false) return { matches: false };
      if (!result.ok) errors.push(result.error);
    }
  } catch (error) {
    if (!(error instanceof OutOfBudgetError)) throw error;
    errors.splice(0, errors.length, error.message);
  }
  if (errors.length === 0) return { matches: true };
  if (input.failurePolicy === "Ignore") return { matches: false };
  const texts = [...new Set(errors)];
  return { error: texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]` };
}
