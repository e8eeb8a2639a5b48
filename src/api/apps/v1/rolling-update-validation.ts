import { invalid } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateNonNegative,
} from "#apimachinery/validation/checks.ts";
import { checkPercent } from "#apimachinery/validation/syntax.ts";

/** Numbers or percentages of replicas. Source: pkg/apis/apps/validation/validation.go. */
export function* validateIntOrPercent(value: number | string, path: string): Findings {
  if (typeof value === "number") yield* validateNonNegative(value, path);
  else yield* invalidTexts(path, value, checkPercent(value));
}

/** Percentages of a whole end at 100. */
export function* validateShare(value: number | string, path: string): Findings {
  if (percentOf(value) > 100) yield invalid(path, value, "must not be greater than 100%");
}

export function isZero(value: number | string): boolean {
  return value === 0 || (typeof value === "string" && percentOf(value) === 0 && isPercent(value));
}

function isPercent(value: string): boolean {
  return checkPercent(value).length === 0;
}

function percentOf(value: number | string): number {
  return typeof value === "string" && isPercent(value) ? Number(value.slice(0, -1)) : 0;
}
