import { canonicalWith, type CanonicalOptions } from "./canonical.ts";
import { compareBytes } from "./maps.ts";
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
  const { value, plain } = canonicalWith(schema, object, options);
  return plain ? stringifyGo(value) : escapeHtml(writeValue(value));
}

/**
 * JSON text of any value with Go's escapes; members stay in their order. BigInts are written as
 * integers.
 */
export function stringifyGo(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    // The only TypeError that data can cause is a bigint.
    if (!(error instanceof TypeError)) throw error;
    text = writeValue(value);
  }
  return escapeHtml(text);
}

const htmlPattern = /[<>&\u2028\u2029]/;
const htmlEscapes = new Map([
  ["<", "\\u003c"],
  [">", "\\u003e"],
  ["&", "\\u0026"],
  ["\u2028", "\\u2028"],
  ["\u2029", "\\u2029"],
]);

/** These characters stand only inside strings, so the whole text may be searched. */
function escapeHtml(text: string): string {
  if (!htmlPattern.test(text)) return text;
  return text.replaceAll(/[<>&\u2028\u2029]/g, (char) => htmlEscapes.get(char) ?? char);
}

const integerKey = /^(0|[1-9]\d*)$/;

/** Writes bigints, and sorts the members of objects with keys that V8 has moved to the front. */
function writeValue(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(writeValue).join(",")}]`;
  const object = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(object);
  if (keys[0] !== undefined && integerKey.test(keys[0])) keys.sort(compareBytes);
  const members: string[] = [];
  for (const key of keys) {
    const member = object[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${writeValue(member)}`);
  }
  return `{${members.join(",")}}`;
}
