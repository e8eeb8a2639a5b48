import { defineLibrary, type OverloadRow } from "../declaration.ts";
import { codePoints } from "../source.ts";
import { ArrayList, CelError, type CelList } from "../value.ts";
import { formatDialects, formatString, type FormatDialect } from "./string-format.ts";

/** A string by code points. Most text is ASCII, where units serve as well. */
interface Characters {
  readonly length: number;
  readonly slice: (start: number, end?: number) => string;
}

function charactersOf(text: string): Characters {
  if (codePoints(text) === text.length) return text;
  const points = Array.from(text);
  return { length: points.length, slice: (start, end) => points.slice(start, end).join("") };
}

function outOfRange(index: bigint): CelError {
  return new CelError(`index out of range: ${index}`);
}

function charAt(text: string, index: bigint): string {
  const characters = charactersOf(text);
  const at = Number(index);
  if (at < 0 || at > characters.length) throw outOfRange(index);
  return characters.slice(at, at + 1);
}

/** Turns an index in UTF-16 units into one in code points. */
function pointIndex(text: string, unitIndex: number): bigint {
  return unitIndex < 0 ? -1n : BigInt(codePoints(text.slice(0, unitIndex)));
}

function indexOf(text: string, part: string, offset = 0n): bigint {
  if (offset < 0n) throw outOfRange(offset);
  const characters = charactersOf(text);
  const start = Number(offset);
  if (part === "") return BigInt(Math.min(start, characters.length));
  if (start >= characters.length) return -1n;
  return pointIndex(text, text.indexOf(part, characters.slice(0, start).length));
}

function lastIndexOf(text: string, part: string, offset?: bigint): bigint {
  const characters = charactersOf(text);
  if (offset === undefined) {
    if (part === "") return BigInt(characters.length);
    return pointIndex(text, text.lastIndexOf(part));
  }
  if (offset < 0n) throw outOfRange(offset);
  const start = Number(offset);
  if (part === "") return BigInt(Math.min(start, characters.length));
  if (start >= characters.length) return -1n;
  return pointIndex(text, text.lastIndexOf(part, characters.slice(0, start).length));
}

function mapAscii(text: string, map: (ascii: string) => string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\x00-\x7f]+/g, map);
}

/** Longest text that a function may build, in UTF-16 units; memory is not what costs account for. */
const textMax = 2 ** 25;

function checkLength(length: number): void {
  if (length > textMax) throw new CelError(`string exceeds ${textMax} characters`);
}

/** Go's strings.Replace: an empty `old` matches before every character and at the end. */
function replace(text: string, old: string, replacement: string, countMax = -1n): string {
  if (countMax === 0n || (old === replacement && old !== "")) return text;
  const limit = countMax < 0n ? Infinity : Number(countMax);
  const parts = old === "" ? gaps(text, limit) : splitUpTo(text, old, limit + 1);
  checkLength(text.length + (parts.length - 1) * (replacement.length - old.length));
  return parts.join(replacement);
}

/** Splits before each of the first characters and, if there is room left, at the end. */
function gaps(text: string, gapsMax: number): string[] {
  const parts = ["", ...Array.from(text), ""];
  if (parts.length - 1 <= gapsMax) return parts;
  return [...parts.slice(0, gapsMax), parts.slice(gapsMax).join("")];
}

/** At most `partsMax` parts; the last holds the rest. */
function splitUpTo(text: string, separator: string, partsMax: number): string[] {
  const parts: string[] = [];
  let from = 0;
  while (parts.length < partsMax - 1) {
    const at = text.indexOf(separator, from);
    if (at === -1) break;
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  parts.push(text.slice(from));
  return parts;
}

function split(text: string, separator: string, partsMax = -1n): CelList {
  if (partsMax === 0n) return new ArrayList([]);
  const limit = partsMax < 0n ? Infinity : Number(partsMax);
  if (separator !== "") return new ArrayList(splitUpTo(text, separator, limit));
  const characters = Array.from(text);
  if (characters.length <= limit) return new ArrayList(characters);
  return new ArrayList([...characters.slice(0, limit - 1), characters.slice(limit - 1).join("")]);
}

function substring(text: string, start: bigint, end?: bigint): string {
  const characters = charactersOf(text);
  if (end !== undefined && start > end) {
    throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  }
  if (start < 0n || start > BigInt(characters.length)) throw outOfRange(start);
  if (end !== undefined && end > BigInt(characters.length)) throw outOfRange(end);
  return characters.slice(Number(start), end === undefined ? undefined : Number(end));
}

/** What Go's unicode.IsSpace calls space, which is not all that JavaScript does. */
const space = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** By hand: a pattern for spaces at the end would try every run of spaces within. */
function trim(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && space.test(text.charAt(start))) start++;
  while (end > start && space.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

function join(list: CelList, separator = ""): string {
  const parts: string[] = [];
  let length = 0;
  for (const element of list) {
    if (typeof element !== "string") throw new CelError(`join: invalid input: ${String(element)}`);
    parts.push(element);
    length += element.length + separator.length;
    checkLength(length);
  }
  return parts.join(separator);
}

const quotedEscapes: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function quote(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return `"${text.toWellFormed().replace(/[\x07-\x0d\\"]/g, (c) => quotedEscapes[c] ?? c)}"`;
}

function reverse(text: string): string {
  return Array.from(text).reverse().join("");
}

const baseRows: readonly OverloadRow[] = [
  ["string_char_at_int", "(string).charAt(int) -> string", charAt],
  ["string_index_of_string", "(string).indexOf(string) -> int", indexOf],
  ["string_index_of_string_int", "(string).indexOf(string, int) -> int", indexOf],
  ["string_last_index_of_string", "(string).lastIndexOf(string) -> int", lastIndexOf],
  ["string_last_index_of_string_int", "(string).lastIndexOf(string, int) -> int", lastIndexOf],
  [
    "string_lower_ascii",
    "(string).lowerAscii() -> string",
    (text: string) => mapAscii(text, (ascii) => ascii.toLowerCase()),
  ],
  ["string_replace_string_string", "(string).replace(string, string) -> string", replace],
  ["string_replace_string_string_int", "(string).replace(string, string, int) -> string", replace],
  ["string_split_string", "(string).split(string) -> list(string)", split],
  ["string_split_string_int", "(string).split(string, int) -> list(string)", split],
  ["string_substring_int", "(string).substring(int) -> string", substring],
  ["string_substring_int_int", "(string).substring(int, int) -> string", substring],
  ["string_trim", "(string).trim() -> string", trim],
  [
    "string_upper_ascii",
    "(string).upperAscii() -> string",
    (text: string) => mapAscii(text, (ascii) => ascii.toUpperCase()),
  ],
  ["strings_quote", "strings.quote(string) -> string", quote],
  ["list_join", "(list(string)).join() -> string", join],
  ["list_join_string", "(list(string)).join(string) -> string", join],
];

function formatRow(dialect: FormatDialect): OverloadRow {
  const format = (text: string, args: CelList): string => formatString(text, args, dialect);
  return ["string_format", "(string).format(list(dyn)) -> string", format];
}

/** cel-go's string extension, version 2, as Kubernetes has it. Source: cel-go ext/strings.go. */
export const stringsLibrary = defineLibrary({
  name: "cel.lib.ext.strings",
  rows: [...baseRows, formatRow(formatDialects.localized)],
});

/** The same extension in version 4: `reverse()`, and a format that knows no locale. */
export const newStringsLibrary = defineLibrary({
  name: "cel.lib.ext.strings",
  rows: [
    ...baseRows,
    formatRow(formatDialects.plain),
    ["string_reverse", "(string).reverse() -> string", reverse],
  ],
});
