import { compareStrings } from "../equality.ts";
import { formatDouble, roundHalfEven } from "../number.ts";
import { formatDuration, formatTimestamp, plainDecimal } from "../time.ts";
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  typeOf,
  type CelValue,
} from "../value.ts";

/** What differs between versions of `string.format`. */
export interface FormatDialect {
  /** A value as `%s` prints it, alone (`nested` false) or inside a list or map. */
  readonly text: (value: CelValue, nested: boolean) => string;
  readonly keySeparator: string;
  readonly decimal: (value: CelValue) => string | undefined;
  readonly fixed: (value: number, precision: number) => string;
  readonly scientific: (value: number, precision: number) => string;
  /** Doubles only, or `NaN` and the infinities as text (version 1); or any number. */
  readonly real: (value: CelValue) => number | undefined;
}

const defaultPrecision = 6;
/** More digits than this no double has; longer ones would only fill memory. */
const precisionMax = 1000;

/** A piece of a format: text, or a clause by its verb. */
export type FormatPiece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "clause"; readonly verb: string; readonly precision: string | undefined }
  /** A percent sign with nothing behind it. */
  | { readonly kind: "end" };

/** Takes a format such as `%d of %.2f` apart. */
export function* formatPieces(format: string): Generator<FormatPiece> {
  let from = 0;
  for (const match of format.matchAll(/%(?:%|(\.\d*)?(.?))/gsu)) {
    if (match.index > from) yield { kind: "text", text: format.slice(from, match.index) };
    from = match.index + match[0].length;
    const [whole, precision, verb = ""] = match;
    if (whole === "%%") yield { kind: "text", text: "%" };
    else if (whole === "%") yield { kind: "end" };
    else yield { kind: "clause", verb, precision };
  }
  if (from < format.length) yield { kind: "text", text: format.slice(from) };
}

/** Formats by clauses such as `%s` and `%.2f`. Source: cel-go ext/formatting.go. */
export function formatString(format: string, args: CelList, dialect: FormatDialect): string {
  let out = "";
  let argIndex = 0;
  for (const piece of formatPieces(format)) {
    if (piece.kind === "text") {
      out += piece.text;
      continue;
    }
    if (argIndex >= args.size) throw new CelError(`index ${argIndex} out of range`);
    if (piece.kind === "end") throw new CelError("unexpected end of string");
    const value = args.at(argIndex++);
    const precision = precisionOf(piece);
    out += formatClause(piece.verb, { value, precision, dialect });
  }
  return out;
}

/** Digits behind the point that a clause asks for; throws if they are written wrong. */
export function precisionOf({ precision: text, verb }: FormatPiece & { kind: "clause" }): number {
  if (text === undefined) return defaultPrecision;
  if (verb === "")
    throw parseError("error while parsing precision: could not find end of precision specifier");
  const digits = text.slice(1);
  if (digits === "") {
    throw parseError(
      'error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax',
    );
  }
  const precision = Number(digits);
  if (precision <= precisionMax) return precision;
  throw parseError(
    `error while parsing precision: precision ${digits} exceeds maximum allowed precision ${precisionMax}`,
  );
}

function parseError(message: string): CelError {
  return new CelError(`could not parse formatting clause: ${message}`);
}

export function unknownClause(verb: string): CelError {
  return parseError(`unrecognized formatting clause "${verb}"`);
}

interface Clause {
  readonly value: CelValue;
  readonly precision: number;
  readonly dialect: FormatDialect;
}

function formatClause(verb: string, { value, precision, dialect }: Clause): string {
  switch (verb) {
    case "s":
      return dialect.text(value, false);
    case "d":
      return dialect.decimal(value) ?? unsuitable(verb, typeOf(value).name);
    case "f":
    case "e": {
      const real = dialect.real(value);
      if (real === undefined) return unsuitable(verb, typeOf(value).name);
      return verb === "f" ? dialect.fixed(real, precision) : dialect.scientific(real, precision);
    }
    case "b":
      if (typeof value === "boolean") return value ? "1" : "0";
      return integer(value)?.toString(2) ?? unsuitable(verb, typeOf(value).name);
    case "o":
      return integer(value)?.toString(8) ?? unsuitable(verb, typeOf(value).name);
    case "x":
      return hexadecimal(value);
    case "X":
      return hexadecimal(value).toUpperCase();
    default:
      throw unknownClause(verb);
  }
}

const limitations: Readonly<Record<string, string>> = {
  s: "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
  d: "decimal clause can only be used on integers",
  f: "fixed-point clause can only be used on doubles",
  e: "scientific clause can only be used on doubles",
  b: "only integers and bools can be formatted as binary",
  o: "octal clause can only be used on integers",
  x: "only integers, byte buffers, and strings can be formatted as hex",
};

/** Why a clause does not take values of a type. */
export function clauseError(verb: string, type: string): string {
  return `${limitations[verb.toLowerCase()] ?? ""}, was given ${type}`;
}

function unsuitable(verb: string, type: string): never {
  throw new CelError(`error during formatting: ${clauseError(verb, type)}`);
}

function integer(value: CelValue): bigint | undefined {
  if (typeof value === "bigint") return value;
  return value instanceof CelUint ? value.value : undefined;
}

function hexadecimal(value: CelValue): string {
  if (typeof value === "string") return Buffer.from(value, "utf8").toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return integer(value)?.toString(16) ?? unsuitable("x", typeOf(value).name);
}

/** Digits as Go rounds them: to even where both neighbours are equally near. */
function fixedDigits(value: number, precision: number): string {
  const digits = Math.min(precision, 100);
  if (Math.abs(value) >= 1e21) {
    const whole = BigInt(value).toString();
    return precision === 0 ? whole : `${whole}.${"0".repeat(precision)}`;
  }
  const rounded = roundHalfEven(value, digits);
  return rounded + "0".repeat(precision - digits);
}

function exponential(value: number, precision: number): { mantissa: string; exponent: number } {
  const [mantissa = "0", exponent = "0"] = value.toExponential(Math.min(precision, 100)).split("e");
  return { mantissa, exponent: Number(exponent) };
}

/** What prints alike in all versions; undefined for the rest. */
function plainText(value: CelValue): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (value === null) return "null";
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof CelDuration) return formatDuration(value);
  if (value instanceof CelTypeValue) return value.value.name;
  return undefined;
}

function bytesText(value: Uint8Array): string {
  return Buffer.from(value).toString("utf8");
}

function listText(list: CelList, dialect: FormatDialect): string {
  return `[${Array.from(list, (element) => dialect.text(element, true)).join(", ")}]`;
}

function mapText(map: CelMap, dialect: FormatDialect): string {
  const entries: [string, string][] = [];
  for (const key of map.keys()) {
    entries.push([dialect.text(key, true), dialect.text(map.get(key) ?? null, true)]);
  }
  entries.sort(([a], [b]) => compareStrings(a, b));
  return `{${entries.map(([k, v]) => k + dialect.keySeparator + v).join(", ")}}`;
}

function goQuoted(text: string): string {
  return JSON.stringify(text);
}

/** Digits in groups of three, as English writes them. */
function grouped(digits: string): string {
  const [whole = "", fraction] = digits.split(".");
  const withCommas = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? withCommas : `${withCommas}.${fraction}`;
}

const superscripts = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

function localizedSpecial(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? "\u221e" : "-\u221e";
}

/** Versions 1 to 3: real numbers as American English writes them. */
const localized: FormatDialect = {
  keySeparator: ":",
  text(value, nested) {
    if (nested) {
      if (typeof value === "string") return goQuoted(value);
      if (value instanceof Uint8Array) return `b${goQuoted(bytesText(value))}`;
      if (value instanceof CelTimestamp) return `timestamp("${formatTimestamp(value)}")`;
      if (value instanceof CelDuration) return `duration("${formatDuration(value)}")`;
      if (typeof value === "number") {
        return Number.isFinite(value) ? fixedDigits(value, 6) : goQuoted(formatDouble(value));
      }
    }
    if (typeof value === "number") return formatDouble(value);
    if (value instanceof Uint8Array) return bytesText(value);
    if (value instanceof CelTimestamp) return formatTimestamp(value);
    if (value instanceof CelList) return listText(value, localized);
    if (value instanceof CelMap) return mapText(value, localized);
    return plainText(value) ?? unsuitable("s", typeOf(value).name);
  },
  decimal: (value) => integer(value)?.toString(),
  real(value) {
    if (typeof value === "number") return value;
    if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
    return undefined;
  },
  fixed: (value, precision) => localizedSpecial(value) ?? grouped(fixedDigits(value, precision)),
  scientific(value, precision) {
    const special = localizedSpecial(value);
    if (special !== undefined) return special;
    const { mantissa, exponent } = exponential(value, precision);
    const digits = String(Math.abs(exponent)).padStart(2, "0");
    const raised = Array.from(digits, (digit) => superscripts[Number(digit)] ?? "").join("");
    return `${mantissa}\u00d710${exponent < 0 ? "\u207b" : ""}${raised}`;
  },
};

function plainSpecial(value: number): string | undefined {
  return Number.isFinite(value) ? undefined : String(value);
}

/** Version 4 on: no locale, nothing is quoted, any number is a real one. */
const plain: FormatDialect = {
  keySeparator: ": ",
  text(value) {
    if (typeof value === "number") return plainSpecial(value) ?? plainDecimal(value);
    if (value instanceof Uint8Array) return bytesText(value);
    if (value instanceof CelTimestamp) return formatTimestamp(value, 0);
    if (value instanceof CelList) return listText(value, plain);
    if (value instanceof CelMap) return mapText(value, plain);
    return plainText(value) ?? unsuitable("s", typeOf(value).name);
  },
  decimal(value) {
    if (typeof value === "number") return plainSpecial(value) ?? plainDecimal(value);
    return integer(value)?.toString();
  },
  real(value) {
    if (typeof value === "number") return value;
    const whole = integer(value);
    return whole === undefined ? undefined : Number(whole);
  },
  fixed: (value, precision) => plainSpecial(value) ?? fixedDigits(value, precision),
  scientific(value, precision) {
    const special = plainSpecial(value);
    if (special !== undefined) return special;
    const { mantissa, exponent } = exponential(value, precision);
    const digits = String(Math.abs(exponent)).padStart(2, "0");
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
  },
};

export const formatDialects = { localized, plain };
