import { SelectorError } from "./label-requirement.ts";
import { compareBytes } from "./maps.ts";

/**
 * Field selectors: `metadata.name=a,status.phase!=Running`. Values escape `\`, `,` and `=` with a
 * backslash; fields cannot be escaped. Which fields a kind knows is the caller's matter.
 * Source: k8s.io/apimachinery/pkg/fields/selector.go.
 */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

export interface FieldSelector {
  /** In the order of the sorted terms. */
  readonly requirements: readonly FieldRequirement[];
}

/** Maps a term to the one it stands for (undefined: drop it); throws `SelectorError` to refuse. */
export type FieldTransform = (requirement: FieldRequirement) => FieldRequirement | undefined;

export const everyField: FieldSelector = Object.freeze({ requirements: Object.freeze([]) });

/** Parses a field selector; the empty text selects everything. Throws `SelectorError`. */
export function parseFieldSelector(text: string, transform?: FieldTransform): FieldSelector {
  if (text === "") return everyField;
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).toSorted(compareBytes)) {
    requirements.push(parseTerm(term, text));
  }
  const selector: FieldSelector = { requirements };
  return Object.freeze(transform ? transformFieldSelector(selector, transform) : selector);
}

export function transformFieldSelector(
  { requirements }: FieldSelector,
  transform: FieldTransform,
): FieldSelector {
  const transformed = requirements.map(transform);
  return { requirements: transformed.filter((requirement) => requirement !== undefined) };
}

/** `valueOf` gives "" for a field that the object does not have. */
export function matchesFields(
  { requirements }: FieldSelector,
  valueOf: (field: string) => string,
): boolean {
  for (const { field, operator, value } of requirements) {
    if ((valueOf(field) === value) !== (operator === "=")) return false;
  }
  return true;
}

/** The single value that the selector demands of `field`, for index look-ups. */
export function exactField({ requirements }: FieldSelector, field: string): string | undefined {
  return requirements.find((found) => found.field === field && found.operator === "=")?.value;
}

export function formatFieldSelector({ requirements }: FieldSelector): string {
  return requirements
    .map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`)
    .join(",");
}

export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, "\\$&");
}

/** The terms that are not empty. A comma behind a backslash belongs to the value. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\[^]?|[^\\,])+/g) ?? [];
}

function parseTerm(term: string, selector: string): FieldRequirement {
  const match = /^([^]*?)(!=|==|=)([^]*)$/.exec(term);
  if (match === null) {
    throw new SelectorError(`invalid selector: '${selector}'; can't understand '${term}'`);
  }
  const [, field = "", operator, value = ""] = match;
  return { field, operator: operator === "!=" ? "!=" : "=", value: unescapeFieldValue(value) };
}

/** Throws `SelectorError` when something is escaped that needs none, or is not and should be. */
export function unescapeFieldValue(value: string): string {
  if (!/[\\,=]/.test(value)) return value;
  return value.replace(/\\([^]?)|[,=]/gu, (sequence, escaped: string | undefined) => {
    if (escaped === undefined) {
      const code = sequence.codePointAt(0);
      throw new SelectorError(`invalid field selector: unescaped character in value: ${code}`);
    }
    if (!/^[\\,=]$/.test(escaped)) {
      throw new SelectorError(`invalid field selector: invalid escape sequence: ${sequence}`);
    }
    return escaped;
  });
}
