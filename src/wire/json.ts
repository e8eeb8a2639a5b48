/**
 * JSON that keeps what Kubernetes keeps: integers beyond 2^53 (as bigint), keys such as
 * `__proto__`, and Go's order and escaping on the way out. Native parsing and writing wherever
 * they give the same answer.
 */
import { errorMessage } from "#base/error-message.ts";
import { readJson, type ReadJson, type ReadJsonOptions, stringEnd, untypedJson } from "./json-reader.ts";
import { checkJsonSyntax, JsonError, jsonDepthMax } from "./json-syntax.ts";
import { writeExactJson } from "./json-writer.ts";
import { decodeUtf8 } from "./utf8.ts";

export { JsonError, jsonDepthMax } from "./json-syntax.ts";
export { typedJson, untypedJson } from "./json-reader.ts";

const encoder = new TextEncoder();
/** The shortest integer that a double may not hold. */
const longIntegerDigits = 16;
const hugeExponent = /\d[eE]\+?\d{3}/;
const escapedSurrogate = /\\u[dD][89a-fA-F]/;

/**
 * Parses one JSON value. Invalid UTF-8 and lone surrogates become U+FFFD; the last of repeated keys
 * wins. Errors: `JsonError` with Go's text, also for nesting beyond `jsonDepthMax`.
 */
export function parseJson(input: Uint8Array | string): unknown {
  const text = textOf(input);
  const value = parseNative(input, text);
  return needsReader(text) ? readJson(text, untypedJson).value : value;
}

/**
 * As `parseJson`, and tells which keys stand twice. With `typedJson` the value holds tokens where the type decides:
 * `JsonNumber` for what is written with fraction or exponent, `RepeatedMember`. Costs a third more than `parseJson`.
 */
export function parseJsonStrict(input: Uint8Array | string, options: ReadJsonOptions): ReadJson {
  const text = textOf(input);
  const value = parseNative(input, text);
  if (!needsReader(text)) {
    const { keyCount, hasFractions } = scanText(text);
    const isPlain = options.fractions === "number" || !hasFractions;
    if (isPlain && keyCount === keyCountOf(value)) return { value, duplicates: [] };
  }
  return readJson(text, options);
}

/** What strict decoding says of keys that stand twice: `duplicate field "data.a"`. */
export function findDuplicateKeys(input: Uint8Array | string): string[] {
  return parseJsonStrict(input, untypedJson).duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`);
}

function textOf(input: Uint8Array | string): string {
  if (typeof input !== "string") return decodeUtf8(input);
  return input.isWellFormed() ? input : input.toWellFormed();
}

function parseNative(input: Uint8Array | string, text: string): unknown {
  if (mayBeTooDeep(text)) checkJsonSyntax(latin1Of(input));
  try {
    return JSON.parse(text);
  } catch (error) {
    checkJsonSyntax(latin1Of(input));
    throw new JsonError(errorMessage(error));
  }
}

function latin1Of(input: Uint8Array | string): string {
  const buffer = typeof input === "string" ? Buffer.from(input) : Buffer.from(input);
  return buffer.toString("latin1");
}

/** Whether there are so many brackets; those inside strings only make the check run in vain. */
function mayBeTooDeep(text: string): boolean {
  if (text.length <= jsonDepthMax) return false;
  let count = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++count > jsonDepthMax) return true;
    }
  }
  return false;
}

/** Whether there may be a number that a double does not hold, or an escaped surrogate. */
function needsReader(text: string): boolean {
  if (hasLongInteger(text) || hugeExponent.test(text)) return true;
  return text.includes("\\u") && escapedSurrogate.test(text);
}

/** Looks at every sixteenth character: a long integer has a digit at one of them. */
function hasLongInteger(text: string): boolean {
  for (let i = longIntegerDigits - 1; i < text.length; i += longIntegerDigits) {
    if (!isDigit(text.charCodeAt(i))) continue;
    let start = i;
    let end = i + 1;
    while (isDigit(text.charCodeAt(start - 1))) start--;
    while (isDigit(text.charCodeAt(end))) end++;
    if (end - start >= longIntegerDigits) return true;
  }
  return false;
}

function isDigit(char: number): boolean {
  return char >= 0x30 && char <= 0x39;
}

/** The number of members of all objects in valid JSON text, repeated ones each time, and whether a number has a fraction or an exponent. */
function scanText(text: string): { readonly keyCount: number; readonly hasFractions: boolean } {
  let keyCount = 0;
  let hasFractions = false;
  let from = 0;
  for (;;) {
    const at = text.indexOf('"', from);
    hasFractions ||= hasFraction(text, from, at < 0 ? text.length : at);
    if (at < 0) return { keyCount, hasFractions };
    from = stringEnd(text, at) + 1;
    let char = text.charCodeAt(from);
    while (char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09) {
      char = text.charCodeAt(++from);
    }
    if (char === 0x3a) keyCount++;
  }
}

/** Whether there is a number with a fraction or an exponent between two strings. */
function hasFraction(text: string, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) {
    const char = text.charCodeAt(i);
    if (char === 0x2e) return true;
    if ((char === 0x65 || char === 0x45) && isDigit(text.charCodeAt(i - 1))) return true;
  }
  return false;
}

function keyCountOf(root: unknown): number {
  let count = 0;
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    if (!Array.isArray(value)) count += items.length;
    for (const item of items) if (typeof item === "object" && item !== null) open.push(item);
  }
  return count;
}

const integerKey = /[{,]"(?:0|[1-9]\d{0,9})":/;
const htmlPattern = /[<>&\u2028\u2029]/;
const htmlPatternAll = /[<>&\u2028\u2029]/g;

/** The bytes of `writeJsonText`. */
export function writeJson(value: unknown): Uint8Array {
  return encoder.encode(writeJsonText(value));
}

/**
 * JSON in Go's form: `<`, `>` and `&` escaped unless told otherwise. Keys keep their order, but
 * those of an object that has an integer-like one are sorted by bytes.
 */
export function writeJsonText(value: unknown, options?: { readonly escapeHtml: boolean }): string {
  let text = nativeText(value);
  if (text === undefined || integerKey.test(text)) text = writeExactJson(value);
  if (options?.escapeHtml === false || !htmlPattern.test(text)) return text;
  return text.replace(
    htmlPatternAll,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Undefined for what native code refuses: bigints, nesting that overflows its stack. */
function nativeText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
