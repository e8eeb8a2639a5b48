import type { Condition } from "../meta/condition.ts";
import { duplicate, invalid, required, tooLong } from "../field-error.ts";
import {
  type Findings,
  validateNonNegative,
  validateQualifiedName,
  validateSupported,
} from "./checks.ts";
import { regexText } from "./names.ts";

/** Source: apimachinery/pkg/apis/meta/v1/validation/validation.go. */
const reasonMax = 1024;
const messageMax = 32 * 1024;
const statuses = ["False", "True", "Unknown"];
const reasonPattern = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const reasonText =
  "a condition reason must start with alphabetic character, optionally followed by a string of " +
  "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";

export function* validateConditions(
  conditions: readonly Condition[] | undefined,
  path: string,
): Findings {
  const seen = new Set<string>();
  for (const [i, condition] of (conditions ?? []).entries()) {
    const at = `${path}[${i}]`;
    if (seen.has(condition.type)) yield duplicate(`${at}.type`, condition.type);
    seen.add(condition.type);
    yield* validateCondition(condition, at);
  }
}

function* validateCondition(condition: Condition, path: string): Findings {
  const { type, status, observedGeneration, lastTransitionTime, reason, message } = condition;
  if (type === "") yield required(`${path}.type`, "");
  else yield* validateQualifiedName(type, `${path}.type`);
  yield* validateSupported(status, statuses, `${path}.status`);
  yield* validateNonNegative(observedGeneration, `${path}.observedGeneration`);
  if (!lastTransitionTime) yield required(`${path}.lastTransitionTime`, "");
  if (reason === "") yield required(`${path}.reason`, "");
  else if (!reasonPattern.test(reason)) {
    const format = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
    const examples = ["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"];
    yield invalid(`${path}.reason`, reason, regexText(reasonText, format, examples));
  }
  if (reason.length > reasonMax) yield tooLong(`${path}.reason`, reasonMax);
  if (message.length > messageMax) yield tooLong(`${path}.message`, messageMax);
}
