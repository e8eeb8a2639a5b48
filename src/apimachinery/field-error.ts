import { JsonNumber } from "#wire/json-token.ts";
import { isGivenEmpty } from "./given-empty.ts";

/**
 * Validation findings: values that are collected, never thrown one by one.
 * Source: k8s.io/apimachinery/pkg/util/validation/field/errors.go.
 */
export type FieldErrorType =
  | "FieldValueNotFound"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "InternalError"
  | "FieldValueTypeInvalid";

export interface FieldError {
  readonly type: FieldErrorType;
  /** `spec.containers[0].name`; `labels[a/b]` for keys. */
  readonly field: string;
  readonly badValue?: unknown;
  readonly detail: string;
}

const titles: Record<FieldErrorType, string> = {
  FieldValueNotFound: "Not found",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueInvalid: "Invalid value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  InternalError: "Internal error",
  FieldValueTypeInvalid: "Invalid value",
};

export function required(field: string, detail: string): FieldError {
  return { type: "FieldValueRequired", field, detail };
}

export function invalid(field: string, badValue: unknown, detail: string): FieldError {
  return { type: "FieldValueInvalid", field, badValue, detail };
}

/** Stands for a bad value that the text leaves out. */
export const omittedValue: unique symbol = Symbol("omitted");

export function typeInvalid(field: string, badValue: unknown, detail: string): FieldError {
  return { type: "FieldValueTypeInvalid", field, badValue, detail };
}

export function duplicate(field: string, badValue: unknown): FieldError {
  return { type: "FieldValueDuplicate", field, badValue, detail: "" };
}

export function forbidden(field: string, detail: string): FieldError {
  return { type: "FieldValueForbidden", field, detail };
}

export function notFoundField(field: string, badValue: unknown): FieldError {
  return { type: "FieldValueNotFound", field, badValue, detail: "" };
}

/** `supported` is printed in the order given; upstream sorts it. */
export function notSupported(
  field: string,
  badValue: unknown,
  supported: readonly string[],
): FieldError {
  const values = supported.map((value) => goQuote(value)).join(", ");
  const detail = supported.length > 0 ? `supported values: ${values}` : "";
  return { type: "FieldValueNotSupported", field, badValue, detail };
}

/** The value itself is not shown, as upstream. */
export function tooLong(field: string, lengthMax: number): FieldError {
  const detail = lengthMax >= 0 ? `may not be more than ${lengthMax} bytes` : "value is too long";
  return { type: "FieldValueTooLong", field, badValue: "", detail };
}

export function tooMany(field: string, count: number, countMax: number): FieldError {
  const shown = count >= 0 ? count : countMax + 1;
  const items = countMax === 1 ? "item" : "items";
  const detail = countMax >= 0 ? `must have at most ${countMax} ${items}` : "has too many items";
  return { type: "FieldValueTooMany", field, badValue: shown, detail };
}

export function internalError(field: string, detail: string): FieldError {
  return { type: "InternalError", field, detail };
}

/** `Invalid value: "x": must be ...`, the text without the field, as in Status causes. */
export function fieldErrorBody(error: FieldError): string {
  const title = titles[error.type];
  switch (error.type) {
    case "FieldValueRequired":
    case "FieldValueForbidden":
    case "FieldValueTooLong":
    case "InternalError":
      return error.detail === "" ? title : `${title}: ${error.detail}`;
    default: {
      if (error.badValue === omittedValue) return `${title}: ${error.detail}`;
      const shown = `${title}: ${goValue(error.badValue)}`;
      return error.detail === "" ? shown : `${shown}: ${error.detail}`;
    }
  }
}

/** `spec.x: Invalid value: ...`. */
export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${fieldErrorBody(error)}`;
}

/** One error as it is, several as `[a, b]`, repeated texts once (Go's aggregate). */
export function fieldErrorsText(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(fieldErrorText))];
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

/** A value as Go prints it in such messages: strings quoted, structs as JSON. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return goQuote(value);
  if (typeof value === "object") return JSON.stringify(value, shownMember).replace(htmlCharacters, escapeUnicode);
  return String(value as number | boolean | bigint);
}

/** Of types with JSON tags Go leaves out what is empty, sent or not. */
function shownMember(name: string, member: unknown): unknown {
  if (typeof member === "bigint") return new JsonNumber(String(member)).toJSON();
  return name !== "" && typeof member === "object" && member !== null && isGivenEmpty(member) ? undefined : member;
}

const htmlCharacters = /[<>&\u2028\u2029]/g;

function escapeUnicode(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Go's `%q` of a string. */
export function goQuote(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const named = goEscapes[char];
    if (named !== undefined) out += named;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (unprintable.test(char)) {
      out += code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
    } else out += char;
  }
  return `${out}"`;
}

const goEscapes: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

const unprintable = /^[\p{C}\p{Zl}\p{Zp}]$|^(?! )\p{Zs}$/u;
