import type { LabelSelector, LabelSelectorRequirement } from "../meta/label-selector.ts";
import { forbidden, invalid, required } from "../field-error.ts";
import { type Findings, invalidTexts, validateLabelName } from "./checks.ts";
import { checkLabelValue } from "./names.ts";
import { validateLabels } from "./object-meta.ts";

export interface LabelSelectorRules {
  /** Old objects may hold values that are no label values. */
  readonly allowInvalidValues?: boolean;
  /** Reviews accept operators of the future. */
  readonly allowUnknownOperators?: boolean;
}

/** Source: apimachinery/pkg/apis/meta/v1/validation/validation.go. */
export function* validateLabelSelector(
  selector: LabelSelector | undefined,
  path: string,
  rules: LabelSelectorRules = {},
): Findings {
  if (selector === undefined) return;
  yield* validateLabels(selector.matchLabels, `${path}.matchLabels`);
  for (const [i, requirement] of (selector.matchExpressions ?? []).entries()) {
    yield* validateRequirement(requirement, `${path}.matchExpressions[${i}]`, rules);
  }
}

export function* validateRequirement(
  { key, operator, values = [] }: LabelSelectorRequirement,
  path: string,
  rules: LabelSelectorRules,
): Findings {
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      yield required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      yield forbidden(`${path}.values`, detail);
    }
  } else if (rules.allowUnknownOperators !== true) {
    yield invalid(`${path}.operator`, operator, "not a valid selector operator");
  }
  yield* validateLabelName(key, `${path}.key`);
  if (rules.allowInvalidValues === true) return;
  for (const [i, value] of values.entries()) {
    yield* invalidTexts(`${path}.values[${i}]`, value, checkLabelValue(value));
  }
}

export function isEmptyLabelSelector(selector: LabelSelector | undefined): boolean {
  if (selector === undefined) return true;
  const labels = Object.keys(selector.matchLabels ?? {});
  return labels.length === 0 && (selector.matchExpressions ?? []).length === 0;
}
