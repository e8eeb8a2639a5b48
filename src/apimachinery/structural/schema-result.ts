import { type FieldError, invalid, notSupported, required, tooLong, tooMany, typeInvalid } from "../field-error.ts";
import { goJson } from "../go-format.ts";

/** What one schema says of one value. `matches` counts the checks made: the nearest branch wins. */
export interface SchemaResult {
  readonly errors: SchemaError[];
  matches: number;
}

/** A finding with the text that composite schemas compare it by. */
export interface SchemaError {
  readonly text: string;
  readonly error: FieldError;
}

export function newResult(): SchemaResult {
  return { errors: [], matches: 0 };
}

/** The same text is said once. */
export function addError(result: SchemaResult, error: SchemaError): void {
  if (result.errors.some(({ text }) => text === error.text)) return;
  result.errors.push(error);
}

export function merge(result: SchemaResult, other: SchemaResult): void {
  for (const error of other.errors) addError(result, error);
  result.matches += other.matches;
}

/** Paths carry a leading dot where upstream's do; fields of errors do not. */
function fieldOf(path: string): string {
  return path.startsWith(".") ? path.slice(1) : path;
}

export function wrongType(path: string, wanted: string, found: string): SchemaError {
  const text = `${path} in body must be of type ${wanted}: ${JSON.stringify(found)}`;
  return { text, error: typeInvalid(fieldOf(path), found, text) };
}

export function missing(path: string): SchemaError {
  return { text: `${path} in body is required`, error: required(fieldOf(path), "") };
}

export function outside(path: string, value: unknown, why: string): SchemaError {
  const text = `${path} in body ${why}`;
  return { text, error: invalid(fieldOf(path), value, text) };
}

export function notInEnum(path: string, value: unknown, values: readonly unknown[]): SchemaError {
  const shown = values.map((allowed) => (typeof allowed === "string" ? allowed : goJson(allowed)));
  return {
    text: `${path} in body should be one of [${shown.join(" ")}]`,
    error: notSupported(fieldOf(path), value, shown),
  };
}

export function longerThan(path: string, max: number): SchemaError {
  return {
    text: `${path} in body should be at most ${max} chars long`,
    error: tooLong(fieldOf(path), max),
  };
}

export function moreThan(path: string, spec: { count: number; max: number; of: string }): SchemaError {
  const { count, max } = spec;
  return {
    text: `${path} in body should have at most ${max} ${spec.of}`,
    error: tooMany(fieldOf(path), count, max),
  };
}

export function forbiddenProperty(path: string, name: string): SchemaError {
  const text = `${path}.${name} in body is a forbidden property`;
  return { text, error: invalid(fieldOf(path), name, text) };
}

/** How Go prints a path that there is none of. */
export const noField = "<nil>";

/** Findings about a whole, which upstream ties to no field. */
export function composite(text: string): SchemaError {
  return { text, error: invalid(noField, "", text) };
}
