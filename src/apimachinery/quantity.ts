/**
 * Exact resource quantities: `500m`, `1Gi`, `1e3`. Objects carry them as text; a `Quantity` is the
 * parsed value, immutable. Source: k8s.io/apimachinery/pkg/api/resource.
 *
 * A quantity is `mantissa * 10^exponent`, the exponent at least -9 after parsing. Its canonical
 * text keeps the family of its suffix, has no fraction, and the largest suffix that allows that;
 * where upstream keeps the text as it was written (`1.500`, `+5`, `1200m`), so does this.
 */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

export interface Quantity {
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly format: QuantityFormat;
  /** What the quantity prints as, when that is not derived from its value. */
  readonly text?: string;
}

/** Functions that read quantities also take their text. */
export type QuantityLike = Quantity | string;

/** Text that is no quantity; the message is upstream's. */
export class QuantityError extends Error {
  override readonly name = "QuantityError";
}

const wrongFormat =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const wrongSuffix = "unable to parse quantity's suffix";

/** Parsed texts remembered; beyond it all are forgotten. */
export const parsedTextsMax = 4096;

const int64Max = (1n << 63n) - 1n;
const int64Min = -(1n << 63n);
/** Upstream's fast path holds up to so many digits. */
const fastDigitsMax = 18;
/** Exponents further apart than this are not aligned: the smaller quantity counts as nothing. */
const alignedExponentsMax = 4096;
const nanoExponent = -9;

const suffixes = new Map<string, { base: 2 | 10; exponent: number; format: QuantityFormat }>();
const decimalSuffixes = new Map<number, string>();
const binarySuffixes = new Map<number, string>();
for (const [index, suffix] of ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].entries()) {
  const exponent = (index - 3) * 3;
  suffixes.set(suffix, { base: 10, exponent, format: "DecimalSI" });
  decimalSuffixes.set(exponent, suffix);
}
for (const [index, suffix] of ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].entries()) {
  const exponent = (index + 1) * 10;
  suffixes.set(suffix, { base: 2, exponent, format: "BinarySI" });
  binarySuffixes.set(exponent, suffix);
}

const quantityPattern = /^([+-]?)(0*)([0-9]*)(\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const parsed = new Map<string, Quantity>();

/** Throws a QuantityError. Surrounding white space is refused; JSON decoding trims it first. */
export function parseQuantity(text: string): Quantity {
  let quantity = parsed.get(text);
  if (quantity === undefined) {
    quantity = parseFresh(text);
    if (parsed.size >= parsedTextsMax) parsed.clear();
    parsed.set(text, quantity);
  }
  return quantity;
}

function parseFresh(text: string): Quantity {
  const match = text === "" ? null : quantityPattern.exec(text);
  if (match === null) throw new QuantityError(wrongFormat);
  const negative = match[1] === "-";
  const whole = match[3] || "0";
  const fraction = match[5] ?? "";
  const suffix = interpretSuffix(match[6] ?? "");
  if (suffix === undefined) throw new QuantityError(wrongSuffix);
  const digits = BigInt(whole + fraction);
  const fast = parseFast(text, { ...suffix, whole, fraction, digits });
  if (fast !== undefined) return negative ? { ...fast, mantissa: -fast.mantissa } : fast;
  return parseExact({ ...suffix, fraction, digits, negative });
}

interface Parts {
  readonly base: 2 | 10;
  /** Of `base`. */
  readonly exponent: number;
  readonly format: QuantityFormat;
  readonly fraction: string;
  /** Digits before and after the point. */
  readonly digits: bigint;
}

function interpretSuffix(suffix: string): Pick<Parts, "base" | "exponent" | "format"> | undefined {
  const known = suffixes.get(suffix);
  if (known !== undefined) return known;
  if (!/^[eE][-+]?[0-9]+$/.test(suffix)) return undefined;
  const exponent = BigInt(suffix.slice(1).replace("+", ""));
  if (exponent > int64Max || exponent < int64Min) return undefined;
  return { base: 10, exponent: Number(BigInt.asIntN(32, exponent)), format: "DecimalExponent" };
}

/**
 * Small numbers, as upstream's int64 path reads them: it alone decides which texts are kept as
 * written. Undefined: not for this path.
 */
function parseFast(text: string, parts: Parts & { whole: string }): Quantity | undefined {
  const { whole, fraction, format, digits } = parts;
  if (format === "BinarySI") {
    const precision = 14 - whole.length - Math.trunc((parts.exponent * 3) / 10);
    if (fraction !== "" || precision < 0) return undefined;
    const mantissa = digits << BigInt(parts.exponent);
    const kept = (digits & 7n) !== 0n;
    return { mantissa, exponent: 0, format, ...(kept && { text }) };
  }
  const exponent = parts.exponent - fraction.length;
  const length = whole.length + fraction.length;
  if (length > fastDigitsMax || exponent < nanoExponent) return undefined;
  const shifted = whole + fraction;
  const kept = exponent % 3 === 0 && !shifted.endsWith("000") && shifted[0] !== "0";
  return { mantissa: digits, exponent, format, ...(kept && { text }) };
}

function parseExact(parts: Parts & { negative: boolean }): Quantity {
  let { format } = parts;
  let mantissa = parts.digits;
  let exponent = -parts.fraction.length;
  if (parts.base === 10) exponent += parts.exponent;
  else mantissa <<= BigInt(parts.exponent);
  // Whoever asks for something gets something: below nano is rounded up.
  if (exponent < nanoExponent) {
    mantissa = divideUp(mantissa, nanoExponent - exponent);
    exponent = nanoExponent;
  }
  if (format === "BinarySI") {
    const floor = mantissa / 10n ** BigInt(-exponent);
    const exact = floor * 10n ** BigInt(-exponent) === mantissa;
    if (floor > int64Max || (floor === int64Max && !exact)) [mantissa, exponent] = [int64Max, 0];
    if (floor === 0n && mantissa > 0n) format = "DecimalSI";
  }
  return { mantissa: parts.negative ? -mantissa : mantissa, exponent, format };
}

/** `mantissa / 10^digits`, away from zero. */
function divideUp(mantissa: bigint, digits: number): bigint {
  if (mantissa === 0n) return 0n;
  const one = mantissa < 0n ? -1n : 1n;
  if (digits > alignedExponentsMax) return one;
  const divisor = 10n ** BigInt(digits);
  const quotient = mantissa / divisor;
  return quotient * divisor === mantissa ? quotient : quotient + one;
}

/** The canonical text of a quantity's text; throws a QuantityError. */
export function canonicalQuantity(text: string): string {
  return formatQuantity(parseQuantity(text));
}

const formatted = new WeakMap<Quantity, string>();

export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  let text = formatted.get(quantity);
  if (text === undefined) formatted.set(quantity, (text = formatFresh(quantity)));
  return text;
}

function formatFresh({ mantissa, exponent, format }: Quantity): string {
  if (mantissa === 0n) return "0";
  if (format === "BinarySI") {
    const rounded = exponent >= 0 ? scaleUp(mantissa, exponent) : divideUp(mantissa, -exponent);
    const exact = exponent >= 0 || rounded * 10n ** BigInt(-exponent) === mantissa;
    if (exact && (rounded <= -1024n || rounded >= 1024n)) return formatBinary(rounded);
  }
  const { amount, power } = canonicalDecimal(mantissa, exponent);
  if (format === "DecimalExponent") return power === 0 ? `${amount}` : `${amount}e${power}`;
  return `${amount}${decimalSuffixes.get(power) ?? ""}`;
}

function formatBinary(value: bigint): string {
  let times = 0;
  while (value % 1024n === 0n) {
    value /= 1024n;
    times++;
  }
  return `${value}${binarySuffixes.get(times * 10) ?? ""}`;
}

/** The shortest mantissa whose exponent is a multiple of three. */
function canonicalDecimal(mantissa: bigint, exponent: number): { amount: bigint; power: number } {
  let amount = mantissa;
  let power = exponent;
  while (amount % 10n === 0n) {
    amount /= 10n;
    power++;
  }
  for (; power % 3 !== 0; power--) amount *= 10n;
  return { amount, power };
}

function scaleUp(mantissa: bigint, digits: number): bigint {
  return mantissa * 10n ** BigInt(Math.min(digits, alignedExponentsMax));
}

/** Parses text, returns quantities as they are. */
export function toQuantity(quantity: QuantityLike): Quantity {
  return typeof quantity === "string" ? parseQuantity(quantity) : quantity;
}

export function quantityOf(value: number | bigint, format: QuantityFormat = "DecimalSI"): Quantity {
  return { mantissa: BigInt(value), exponent: 0, format };
}

export function milliQuantity(
  milliValue: number | bigint,
  format: QuantityFormat = "DecimalSI",
): Quantity {
  return { mantissa: BigInt(milliValue), exponent: -3, format };
}

/** Rounded up, away from zero; 0 beyond int64, as upstream's Value. */
export function quantityBigInt(quantity: QuantityLike): bigint {
  return scaledValue(toQuantity(quantity), 0);
}

/** Rounded up, away from zero; inexact beyond 2^53, 0 beyond int64. */
export function quantityValue(quantity: QuantityLike): number {
  return Number(scaledValue(toQuantity(quantity), 0));
}

/** Thousandths, rounded up, away from zero; inexact beyond 2^53, 0 beyond int64. */
export function quantityMilliValue(quantity: QuantityLike): number {
  return Number(scaledValue(toQuantity(quantity), -3));
}

/** `quantity / 10^scale` rounded up, away from zero; 0 beyond int64. */
export function scaledValue({ mantissa, exponent }: Quantity, scale: number): bigint {
  const shift = exponent - scale;
  if (shift > 40 && mantissa !== 0n) return 0n;
  const value = shift >= 0 ? scaleUp(mantissa, shift) : divideUp(mantissa, -shift);
  return value > int64Max || value < int64Min ? 0n : value;
}

/** The nearest double. */
export function quantityNumber(quantity: QuantityLike): number {
  const { mantissa, exponent } = toQuantity(quantity);
  return Number(`${mantissa}e${exponent}`);
}

export function isZeroQuantity(quantity: QuantityLike): boolean {
  return toQuantity(quantity).mantissa === 0n;
}

/** -1, 0 or 1. */
export function quantitySign(quantity: QuantityLike): number {
  const { mantissa } = toQuantity(quantity);
  return mantissa === 0n ? 0 : mantissa < 0n ? -1 : 1;
}

/** Negative, 0 or positive, by value. */
export function compareQuantities(a: QuantityLike, b: QuantityLike): number {
  const left = toQuantity(a);
  const right = toQuantity(b);
  const signs = quantitySign(left) - quantitySign(right);
  if (signs !== 0 || left.mantissa === 0n) return signs;
  const [x, y] = align(left, right);
  return x === y ? 0 : x < y ? -1 : 1;
}

/** The sum; it takes the format of `b` when `a` is zero. */
export function addQuantities(a: QuantityLike, b: QuantityLike): Quantity {
  return combine(toQuantity(a), toQuantity(b), 1n);
}

/** The difference; it takes the format of `b` when `a` is zero. */
export function subtractQuantities(a: QuantityLike, b: QuantityLike): Quantity {
  return combine(toQuantity(a), toQuantity(b), -1n);
}

export function multiplyQuantity(quantity: QuantityLike, factor: number | bigint): Quantity {
  const { mantissa, exponent, format } = toQuantity(quantity);
  return { mantissa: mantissa * BigInt(factor), exponent, format };
}

export function negateQuantity(quantity: QuantityLike): Quantity {
  return multiplyQuantity(quantity, -1n);
}

/** Rounded away from zero to a multiple of `10^scale`. */
export function roundUpQuantity(quantity: QuantityLike, scale: number): Quantity {
  const from = toQuantity(quantity);
  if (from.exponent >= scale) return from;
  const mantissa = divideUp(from.mantissa, scale - from.exponent);
  return { mantissa, exponent: scale, format: from.format };
}

function combine(a: Quantity, b: Quantity, sign: bigint): Quantity {
  const format = a.mantissa === 0n ? b.format : a.format;
  if (b.mantissa === 0n) return { mantissa: a.mantissa, exponent: a.exponent, format };
  if (a.mantissa === 0n) return { mantissa: sign * b.mantissa, exponent: b.exponent, format };
  const [x, y] = align(a, b);
  return { mantissa: x + sign * y, exponent: Math.min(a.exponent, b.exponent), format };
}

/** Both mantissas at the smaller exponent. */
function align(a: Quantity, b: Quantity): [bigint, bigint] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [scaleUp(a.mantissa, a.exponent - exponent), scaleUp(b.mantissa, b.exponent - exponent)];
}
