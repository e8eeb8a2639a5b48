import { writeJsonText } from "#wire/json.ts";
import { canonicalWith, type CanonicalOptions } from "./canonical.ts";
import type { Fields, StructSchema } from "./schema.ts";

/** The JSON of an object, byte for byte as Go prints it. */
export function encodeJson(
  schema: StructSchema<Fields>,
  object: object,
  options: CanonicalOptions = {},
): Uint8Array {
  return Buffer.from(jsonTextOf(schema, object, options));
}

/** The text of `encodeJson`. */
export function jsonTextOf(
  schema: StructSchema<Fields>,
  object: object,
  options: CanonicalOptions = {},
): string {
  return textOf(canonicalWith(schema, object, options));
}

/**
 * What `encodeJson` writes, and the object that it writes: fresh, its unset lists and maps null. The
 * bytes are for the store, so they stand in memory of their own: a slice of Node's common pool would
 * keep all of that for as long as the object is stored.
 */
export function encodeJsonValue(
  schema: StructSchema<Fields>,
  object: object,
): WrittenJson {
  const written = canonicalWith(schema, object, {});
  const text = textOf(written);
  return { bytes: ownBytes(text), text, value: written.value };
}

export interface WrittenJson {
  readonly bytes: Uint8Array;
  /** Of the bytes. */
  readonly text: string;
  readonly value: Record<string, unknown>;
}

function ownBytes(text: string): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

function textOf({ value, plain }: ReturnType<typeof canonicalWith>): string {
  if (!plain) return writeJsonText(value);
  try {
    const text = JSON.stringify(value);
    return htmlPattern.test(text) ? writeJsonText(value) : text;
  } catch (error) {
    // Bigints, or nesting too deep for V8.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    return writeJsonText(value);
  }
}

const htmlPattern = /[<>&\u2028\u2029]/;
