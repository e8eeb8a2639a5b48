/** What a plain YAML scalar means, by YAML 1.1 as Go reads it. Source: go-yaml v2 resolve.go. */

export type YamlScalar = string | number | bigint | boolean | null;

const words = new Map<string, YamlScalar>([
  ["", null],
  ["~", null],
  ...["null", "Null", "NULL"].map((word) => [word, null] as const),
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word) => [word, true] as const,
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word) => [word, false] as const,
  ),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, NaN] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((word) => [word, Infinity] as const),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, -Infinity] as const),
]);

const mayBeNumber = /^[-+.\d]/;
/** A date alone or with a time: Go keeps such text as it is. */
const timestamp = /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt ])/;
const integer = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|(0[0-7]*|[1-9]\d*))$/;
const float = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;

export function resolveYamlScalar(text: string): YamlScalar {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!mayBeNumber.test(text) || timestamp.test(text)) return text;
  const plain = text.replaceAll("_", "");
  return yamlInteger(plain) ?? (float.test(plain) ? finite(Number(plain), text) : text);
}

/** Go's `ParseFloat` fails beyond the range: the text stays text. */
function finite(value: number, text: string): number | string {
  return Number.isFinite(value) ? value : text;
}

function yamlInteger(plain: string): number | bigint | undefined {
  const match = integer.exec(plain);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal = ""] = match;
  let digits = decimal;
  if (hex !== undefined) digits = `0x${hex}`;
  else if (binary !== undefined) digits = `0b${binary}`;
  else if (octal !== undefined) digits = `0o${octal}`;
  else if (decimal.length > 1 && decimal.startsWith("0")) digits = `0o${decimal}`;
  const magnitude = BigInt(digits);
  const value = sign === "-" ? -magnitude : magnitude;
  if (value < int64Min || value > uint64Max) return undefined;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

const base60 = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;

/** Whether text that is written without quotes reads back as other than this text. */
export function needsYamlQuotes(text: string): boolean {
  if (typeof resolveYamlScalar(text) !== "string" || text === "<<") return true;
  return base60.test(text) || (timestamp.test(text) && isTimestamp(text));
}

const wholeTimestamp = new RegExp(
  "^\\d{4}-\\d{1,2}-\\d{1,2}" +
    "(?:[Tt ]\\s*\\d{1,2}:\\d{1,2}:\\d{1,2}(?:\\.\\d+)?\\s*(?:Z|[-+]\\d{1,2}(?::?\\d{2})?)?)?$",
);

function isTimestamp(text: string): boolean {
  return wholeTimestamp.test(text);
}
