import { type FieldError, fieldErrorsText, invalid, notSupported } from "./field-error.ts";
import { compareBytes, getOwn } from "./maps.ts";
import { checkLabelValue, checkQualifiedName } from "./validation/names.ts";

/**
 * One requirement of a label selector: its check, its text and its test.
 * Source: k8s.io/apimachinery/pkg/labels/selector.go.
 */
export type Operator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  /** Sorted when parsed from text. Empty for `exists` and `!`, one for all but `in`, `notin`. */
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

/** A selector that cannot be read; the message is upstream's. */
export class SelectorError extends Error {
  override readonly name = "SelectorError";
}

export function formatRequirement({ key, operator, values }: Requirement): string {
  const joined = values.toSorted(compareBytes).join(",");
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${joined})`;
    case "gt":
      return `${key}>${joined}`;
    case "lt":
      return `${key}<${joined}`;
    default:
      return `${key}${operator}${joined}`;
  }
}

const operatorsKnown: readonly string[] = [
  "in",
  "notin",
  "=",
  "==",
  "!=",
  "gt",
  "lt",
  "exists",
  "!",
];

/** Returns the requirement, or throws a `SelectorError` with every finding. */
export function checkedRequirement(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  const errors: FieldError[] = [];
  const keyErrors = checkQualifiedName(key);
  if (keyErrors.length > 0) errors.push(invalid("key", key, keyErrors.join("; ")));
  if (operatorsKnown.includes(operator)) errors.push(...valueCountErrors(operator, values));
  else errors.push(notSupported("operator", operator, operatorsKnown.toSorted(compareBytes)));
  for (const [index, value] of values.entries()) {
    const valueErrors = checkLabelValue(value);
    if (valueErrors.length > 0) {
      errors.push(invalid(`values[${index}][${key}]`, value, valueErrors.join("; ")));
    }
  }
  if (errors.length > 0) throw new SelectorError(fieldErrorsText(errors));
  return requirement;
}

function valueCountErrors(operator: Operator, values: readonly string[]): FieldError[] {
  const shown = values.length === 0 ? null : values;
  switch (operator) {
    case "in":
    case "notin": {
      if (values.length > 0) return [];
      return [invalid("values", shown, "for 'in', 'notin' operators, values set can't be empty")];
    }
    case "exists":
    case "!": {
      if (values.length === 0) return [];
      return [invalid("values", shown, "values set must be empty for exists and does not exist")];
    }
    case "gt":
    case "lt": {
      const which = "for 'Gt', 'Lt' operators,";
      const count = `${which} exactly one value is required`;
      const errors = values.length === 1 ? [] : [invalid("values", shown, count)];
      for (const [index, value] of values.entries()) {
        if (parseInteger(value) === undefined) {
          errors.push(invalid(`values[${index}]`, value, `${which} the value must be an integer`));
        }
      }
      return errors;
    }
    default: {
      if (values.length === 1) return [];
      return [invalid("values", shown, "exact-match compatibility requires one single value")];
    }
  }
}

export type LabelTest = (labels: Labels) => boolean;

/** The requirement as a test of labels. */
export function compileRequirement({ key, operator, values }: Requirement): LabelTest {
  const first = values[0];
  const wanted = values.length > 1 ? new Set(values) : undefined;
  const isWanted = wanted
    ? (value: string) => wanted.has(value)
    : (value: string) => value === first;
  switch (operator) {
    case "exists":
      return (labels) => getOwn(labels, key) !== undefined;
    case "!":
      return (labels) => getOwn(labels, key) === undefined;
    case "gt":
    case "lt":
      return compileComparison(key, operator, parseInteger(first ?? "") ?? 0n);
    case "!=":
    case "notin":
      return (labels) => {
        const value = getOwn(labels, key);
        return value === undefined || !isWanted(value);
      };
    default:
      return (labels) => {
        const value = getOwn(labels, key);
        return value !== undefined && isWanted(value);
      };
  }
}

function compileComparison(key: string, operator: "gt" | "lt", bound: bigint): LabelTest {
  return (labels) => {
    const value = parseInteger(getOwn(labels, key) ?? "");
    if (value === undefined) return false;
    return operator === "gt" ? value > bound : value < bound;
  };
}

const int64Max = 2n ** 63n - 1n;

/** Go's `ParseInt(text, 10, 64)`. */
function parseInteger(text: string): bigint | undefined {
  if (!/^[-+]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return value <= int64Max && value >= -int64Max - 1n ? value : undefined;
}
