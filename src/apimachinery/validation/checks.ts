import { semanticEqual } from "../deep-equal.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "../field-error.ts";
import { compareBytes } from "../maps.ts";
import { checkDnsLabel, checkDnsSubdomain, checkQualifiedName } from "./names.ts";

/**
 * Checks that many kinds share. Each yields its findings, so that `yield*` keeps the order of
 * upstream's lists. Source: apimachinery/pkg/api/validation and pkg/apis/core/validation.
 */
export type Findings = Generator<FieldError, void, undefined>;

export const immutableText = "field is immutable";
export const negativeText = "must be greater than or equal to 0";
export const notPositiveText = "must be greater than zero";

export function inclusiveRangeText(min: number, max: number): string {
  return `must be between ${min} and ${max}, inclusive`;
}

/** One finding for each text that a syntax check gave. */
export function* invalidTexts(path: string, value: unknown, texts: readonly string[]): Findings {
  for (const text of texts) yield invalid(path, value, text);
}

export function* validateDnsLabel(value: string, path: string): Findings {
  yield* invalidTexts(path, value, checkDnsLabel(value));
}

export function* validateDnsSubdomain(value: string, path: string): Findings {
  yield* invalidTexts(path, value, checkDnsSubdomain(value));
}

export function* validateQualifiedName(value: string, path: string): Findings {
  yield* invalidTexts(path, value, checkQualifiedName(value));
}

/** A label key where selectors, taints and tolerations name one. */
export function* validateLabelName(value: string, path: string): Findings {
  yield* invalidTexts(path, value, checkQualifiedName(value));
}

export function* validateNonNegative(value: number | undefined, path: string): Findings {
  if ((value ?? 0) < 0) yield invalid(path, value, negativeText);
}

/** Semantic equality, as upstream: absent and empty are the same. */
export function* validateImmutable(value: unknown, old: unknown, path: string): Findings {
  if (!semanticEqual(value, old)) yield invalid(path, value ?? null, immutableText);
}

/** `supported` in the order upstream prints it (mostly sorted). */
export function* validateSupported(
  value: string | undefined,
  supported: readonly string[],
  path: string,
): Findings {
  if (value !== undefined && !supported.includes(value)) yield notSupported(path, value, supported);
}

/** As `validateSupported`, and an empty value is `Required value`. */
export function* validateRequiredSupported(
  value: string | undefined,
  supported: readonly string[],
  path: string,
): Findings {
  if (!value) yield required(path, "");
  else yield* validateSupported(value, supported, path);
}

export function* validateRequired(value: string | undefined, path: string): Findings {
  if (!value) yield required(path, "");
}

/** `text` for each of the named fields that is set. */
export function* forbidSet(
  object: object,
  names: readonly string[],
  { path, text }: { path: string; text: string },
): Findings {
  const values = object as Readonly<Record<string, unknown>>;
  for (const name of names) {
    if (isSet(values[name])) yield forbidden(`${path}.${name}`, text);
  }
}

/** Not Go's zero value; empty lists and maps count as unset. */
export function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) {
    return false;
  }
  return typeof value !== "object" || !semanticEqual(value, undefined);
}

/** Entries in the order of their keys: Go's maps have none, so any is as good. */
export function sortedEntries<T>(map: Readonly<Record<string, T>> | undefined): [string, T][] {
  return Object.entries(map ?? {}).sort(([a], [b]) => compareBytes(a, b));
}

/** A path below another; the root is "". */
export function childPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

export function byteLengthOf(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
