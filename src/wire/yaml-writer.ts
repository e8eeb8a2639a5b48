/**
 * JSON-like values as go-yaml v2 writes them: sorted keys, lists not indented below their key,
 * lines folded at 80 columns. Source: go-yaml v2 encode.go, sorter.go, emitterc.go.
 */
import { goFloat } from "#base/metrics-text.ts";
import { writeYamlText } from "./yaml-text.ts";

const indentStep = 2;
/** Longest key in the short form. */
const simpleKeyCharsMax = 128;

/** Undefined members are left out. The text ends with a newline. */
export function writeYaml(value: unknown): string {
  const out: string[] = [];
  writeNode(out, value, { indent: 0, column: 0, inMapping: false });
  return `${out.join("")}\n`;
}

interface Place {
  /** Where lines of a nested block begin. */
  readonly indent: number;
  /** Where the writer stands. */
  readonly column: number;
  /** Lists right below a mapping's key keep the key's indent. */
  readonly inMapping: boolean;
}

function writeNode(out: string[], value: unknown, place: Place): void {
  if (Array.isArray(value)) writeSequence(out, value, place);
  else if (typeof value === "object" && value !== null) writeMapping(out, value, place);
  else out.push(scalarText(value, place.indent, place.column));
}

function writeSequence(out: string[], items: readonly unknown[], place: Place): void {
  if (items.length === 0) {
    out.push("[]");
    return;
  }
  const indent = place.inMapping ? place.indent - indentStep : place.indent;
  for (const [i, item] of items.entries()) {
    if (i > 0 || place.inMapping) out.push("\n", " ".repeat(indent));
    out.push("- ");
    const column = indent + indentStep;
    writeNode(out, item === undefined ? null : item, { indent: column, column, inMapping: false });
  }
}

function writeMapping(out: string[], object: object, place: Place): void {
  const entries = Object.entries(object as Record<string, unknown>)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => compareNaturally(a, b));
  if (entries.length === 0) {
    out.push("{}");
    return;
  }
  for (const [i, [key, value]] of entries.entries()) {
    if (i > 0 || place.inMapping) out.push("\n", " ".repeat(place.indent));
    const keyText = mappingKey(key, place.indent);
    out.push(keyText, ":");
    writeValue(out, value, place.indent, place.indent + keyText.length + 1);
  }
}

/** In short form, or after a question mark when it is long or has lines. */
function mappingKey(key: string, indent: number): string {
  const isSimple = key.length <= simpleKeyCharsMax && !key.includes("\n");
  if (isSimple) return writeYamlText(key, { indent, column: indent, isKey: true });
  const nested = indent + indentStep;
  const text = writeYamlText(key, { indent: nested, column: nested, isKey: false });
  return `? ${text}\n${" ".repeat(indent)}`;
}

function writeValue(out: string[], value: unknown, indent: number, column: number): void {
  const nested = { indent: indent + indentStep, column: column + 1, inMapping: true };
  const isBlock = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  if (!isBlock) out.push(" ");
  writeNode(out, value, nested);
}

function scalarText(value: unknown, indent: number, column: number): string {
  if (typeof value === "string") return writeYamlText(value, { indent, column, isKey: false });
  if (typeof value === "number")
    return Number.isSafeInteger(value) ? String(value) : yamlFloat(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  return "null";
}

function yamlFloat(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  return goFloat(value);
}

const digit = /^\p{Nd}$/u;
const letter = /^\p{L}$/u;

/** go-yaml's order of keys: numbers inside names by value, letters after other characters. */
export function compareNaturally(a: string, b: string): number {
  const [as, bs] = [[...a], [...b]];
  let afterDigit = false;
  for (let i = 0; i < as.length && i < bs.length; i++) {
    const [x, y] = [as[i] as string, bs[i] as string];
    if (x === y) {
      afterDigit = digit.test(x);
      continue;
    }
    const [xl, yl] = [letter.test(x), letter.test(y)];
    if (xl && yl) return codePoint(x) - codePoint(y);
    if (xl || yl) return (afterDigit ? xl : yl) ? -1 : 1;
    return compareDigits(as, bs, i) || codePoint(x) - codePoint(y);
  }
  return as.length - bs.length;
}

function compareDigits(as: readonly string[], bs: readonly string[], from: number): number {
  let lead = "";
  if (as[from] === "0" || bs[from] === "0") {
    // A zero inside a number is not leading if another digit stands before it.
    for (let j = from - 1; j >= 0 && digit.test(as[j] ?? ""); j--) {
      if (as[j] === "0") continue;
      lead = "1";
      break;
    }
  }
  const [x, y] = [digitsFrom(as, from), digitsFrom(bs, from)];
  const [xn, yn] = [BigInt(`0${lead}${x}`), BigInt(`0${lead}${y}`)];
  if (xn !== yn) return xn < yn ? -1 : 1;
  return x.length - y.length;
}

function digitsFrom(chars: readonly string[], from: number): string {
  let end = from;
  while (/^\d$/.test(chars[end] ?? "")) end++;
  return chars.slice(from, end).join("");
}

function codePoint(char: string): number {
  return char.codePointAt(0) ?? 0;
}
