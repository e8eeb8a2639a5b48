/**
 * JSON that keeps what Kubernetes keeps: integers beyond 2^53 (as bigint), keys such as
 * `__proto__`, and Go's order and escaping on the way out. Native parsing and writing wherever
 * they give the same answer.
 */
import { compareBytes } from "#base/compare-bytes.ts";
import { JsonError, jsonDepthMax, scanJson } from "./json-syntax.ts";

export { JsonError } from "./json-syntax.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const longInteger = /[0-9]{16,}/;

/**
 * Parses one JSON value. Invalid UTF-8 and lone surrogates become U+FFFD; the last of repeated keys
 * wins. Errors: `JsonError` with Go's text, also for nesting beyond `jsonDepthMax`.
 */
export function parseJson(input: Uint8Array | string): unknown {
  const text = typeof input === "string" ? input : decoder.decode(input);
  if (deepest(text) > jsonDepthMax) {
    scanJson(text);
    throw new JsonError("exceeded max depth");
  }
  try {
    const value: unknown = longInteger.test(text) ? parseExact(text) : JSON.parse(text);
    return /\\u[dD][89a-fA-F]/.test(text) ? wellFormed(value) : value;
  } catch (error) {
    scanJson(text);
    throw new JsonError((error as Error).message);
  }
}

/** Paths of keys that stand twice, as strict decoding names them: `data.a`. */
export function findDuplicateKeys(input: Uint8Array | string): string[] {
  const text = typeof input === "string" ? input : decoder.decode(input);
  return [...scanJson(text).duplicates].map((path) => `duplicate field ${JSON.stringify(path)}`);
}

/** An upper bound of the nesting: brackets inside strings count too, which only scans needlessly. */
function deepest(text: string): number {
  if (text.length <= jsonDepthMax) return 0;
  let depth = 0;
  let most = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x7b || code === 0x5b) most = Math.max(most, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return most;
}

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

function parseExact(text: string): unknown {
  const revive: Reviver = (_key, value, { source }) => {
    if (typeof value !== "number" || source === undefined || Number.isSafeInteger(value)) return value;
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toWellFormed(), wellFormed(item)]));
}

const integerKey = /[{,]"(?:0|[1-9]\d{0,9})":/;
const escaped = /[<>&\u2028\u2029]/g;
const needsEscape = /[<>&\u2028\u2029]/;
/** Floats that Go writes another way: exponents of two digits are kept, of one are padded. */
const smallFloat = /e[-+]\d(?!\d)/;

/** JSON bytes in Go's form. Object keys keep their order, but integer-like ones are sorted in. */
export function writeJson(value: unknown): Uint8Array {
  return encoder.encode(writeJsonText(value));
}

export function writeJsonText(value: unknown): string {
  let text = nativeText(value);
  if (text === undefined || integerKey.test(text) || smallFloat.test(text)) text = exactText(value);
  if (!needsEscape.test(text)) return text;
  return text.replace(escaped, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Undefined for what native code refuses: bigints, nesting that overflows its stack. */
function nativeText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Work of the iterative writer: text to put out, or a value to open. */
type Work = { readonly text: string } | { readonly value: unknown };

function exactText(root: unknown): string {
  const out: string[] = [];
  const stack: Work[] = [{ value: root }];
  for (let work = stack.pop(); work !== undefined; work = stack.pop()) {
    if ("text" in work) out.push(work.text);
    else if (typeof work.value !== "object" || work.value === null) out.push(scalarText(work.value));
    else stack.push(...opened(work.value).toReversed());
  }
  return out.join("");
}

function opened(value: object): Work[] {
  if (Array.isArray(value)) {
    const items = value.flatMap((item: unknown, i): Work[] => [
      ...(i > 0 ? [{ text: "," }] : []),
      { value: item === undefined ? null : item },
    ]);
    return [{ text: "[" }, ...items, { text: "]" }];
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.some(([key]) => /^(?:0|[1-9]\d{0,9})$/.test(key))) {
    entries.sort(([a], [b]) => compareBytes(a, b));
  }
  const items = entries.flatMap(([key, item], i): Work[] => [
    { text: `${i > 0 ? "," : ""}${JSON.stringify(key)}:` },
    { value: item as unknown },
  ]);
  return [{ text: "{" }, ...items, { text: "}" }];
}

function scalarText(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "number" || !Number.isFinite(value)) return JSON.stringify(value) ?? "null";
  return JSON.stringify(value).replace(/e([-+])(\d)$/, "e$10$2");
}
