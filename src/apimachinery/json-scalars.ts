import { JsonNumber, plainJson } from "#wire/json-token.ts";
import type { Decoding } from "./decode-error.ts";
import { DecodeError } from "./decode-error.ts";
import { canonicalDuration } from "./go-duration.ts";
import { canonicalMicroTimeText, canonicalTimeText } from "./go-time.ts";
import { canonicalQuantity } from "./quantity.ts";
import type { ScalarName } from "./schema.ts";

/** From parsed JSON, never null, to our shape; undefined stands for Go's zero value. */
export type Decode = (value: unknown, run: Decoding) => unknown;

/** Go's word for the type of a JSON value. */
export function jsonTypeOf(value: unknown): string {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint" || value instanceof JsonNumber) return "number";
  if (typeof value !== "object") return typeof value;
  return Array.isArray(value) ? "array" : "object";
}

export const scalarDecoders: Readonly<Record<ScalarName, Decode>> = {
  string: stringDecoder("string"),
  bool(value, run) {
    if (typeof value === "boolean") return value;
    return run.save(run.mismatch(jsonTypeOf(value), "bool"));
  },
  int32(value, run) {
    if (typeof value === "number" && value === (value | 0)) return value | 0;
    return run.save(run.mismatch(numberText(value), "int32"));
  },
  int64(value, run) {
    if (Number.isSafeInteger(value)) return value;
    if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return value;
    return run.save(run.mismatch(numberText(value), "int64"));
  },
  double(value, run) {
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (typeof value === "bigint") return Number(value);
    if (value instanceof JsonNumber && Number.isFinite(value.value)) return value.value;
    return run.save(run.mismatch(numberText(value), "float64"));
  },
  bytes: decodeBytes,
  time: textDecoder(canonicalTimeText),
  microTime: textDecoder(canonicalMicroTimeText),
  duration: textDecoder(canonicalDuration),
  quantity: decodeQuantity,
  intOrString(value, run) {
    if (typeof value === "string") return wellFormed(value);
    if (typeof value === "number" && value === (value | 0)) return value | 0;
    throw new DecodeError(run.mismatch(numberText(value), "int32"));
  },
  any: plainJson,
  object: plainJson,
  fields: plainJson,
};

export function stringDecoder(goType: string): Decode {
  return (value, run) => {
    if (typeof value === "string") return wellFormed(value);
    return run.save(run.mismatch(jsonTypeOf(value), goType));
  };
}

/** Lone surrogates become U+FFFD, as in Go. */
function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** `number 1.5` for numbers, which Go shows when they do not fit; else the type. */
function numberText(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return `number ${value}`;
  if (value instanceof JsonNumber) return `number ${value.source}`;
  return jsonTypeOf(value);
}

/** Types that decode themselves in Go: their errors end the decoding at once. */
function textDecoder(canonical: (text: string) => string | undefined): Decode {
  return (value, run) => {
    if (typeof value !== "string") {
      throw new DecodeError(run.mismatch(jsonTypeOf(value), "string"));
    }
    return hard(canonical, value);
  };
}

function decodeQuantity(value: unknown): unknown {
  if (typeof value === "string") return hard(canonicalQuantity, value.trim());
  if (value instanceof JsonNumber) return hard(canonicalQuantity, value.source);
  const text = typeof value === "number" || typeof value === "bigint" ? `${value}` : "{}";
  return hard(canonicalQuantity, text);
}

function hard(canonical: (text: string) => string | undefined, text: string): string | undefined {
  try {
    return canonical(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new DecodeError(error.message, { cause: error });
  }
}

const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

function decodeBytes(value: unknown, run: Decoding): unknown {
  if (typeof value !== "string") return run.save(run.mismatch(jsonTypeOf(value), "[]uint8"));
  if (value.length % 4 === 0 && base64Pattern.test(value)) {
    // Bits beyond the last byte are dropped by Go: they must not stay visible.
    return value.endsWith("=") ? Buffer.from(value, "base64").toString("base64") : value;
  }
  const text = value.replaceAll(/[\r\n]/g, "");
  if (text.length % 4 === 0 && base64Pattern.test(text)) {
    return Buffer.from(text, "base64").toString("base64");
  }
  return run.save(`illegal base64 data at input byte ${illegalBase64At(value)}`);
}

/** The offset that Go's decoder names; line breaks are skipped but counted. */
function illegalBase64At(text: string): number {
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\r" || char === "\n") continue;
    if (char === "=") return paddingErrorAt(text, i, digits % 4);
    if (!/[A-Za-z0-9+/]/.test(char)) return i;
    digits++;
  }
  // Input that ends within a group of four is blamed on the start of that group.
  return text.length - (digits % 4);
}

function paddingErrorAt(text: string, at: number, digits: number): number {
  if (digits < 2) return at;
  let i = at + 1;
  const skipBreaks = (): void => {
    while (text[i] === "\r" || text[i] === "\n") i++;
  };
  skipBreaks();
  if (digits === 2) {
    if (i >= text.length) return text.length;
    if (text[i] !== "=") return i - 1;
    i++;
    skipBreaks();
  }
  return i;
}
