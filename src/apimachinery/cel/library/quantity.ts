import { defineLibrary } from "../declaration.ts";
import { objectType, type CelType } from "../types.ts";
import { CelError, CelOpaque, int64Max, int64Min, type CelValue } from "../value.ts";

export const quantityType: CelType = objectType("kubernetes.Quantity");

const nanosPerUnit = 1_000_000_000n;
/** Larger quantities are cut to this. Source: pkg/api/resource/quantity.go, maxAllowed. */
const unitsMax = int64Max;

/** An amount with a unit suffix, exact to a billionth. */
export class QuantityValue extends CelOpaque {
  readonly nanos: bigint;
  /** Kept as an int64 by upstream, which is what `isInteger` asks. */
  readonly integral: boolean;

  constructor(nanos: bigint, integral: boolean) {
    super();
    this.nanos = nanos;
    this.integral = integral;
  }

  get type(): CelType {
    return quantityType;
  }

  equals(other: CelValue): boolean {
    return other instanceof QuantityValue && other.nanos === this.nanos;
  }
}

const decimalSuffixes: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binarySuffixes: Readonly<Record<string, bigint>> = {
  Ki: 10n,
  Mi: 20n,
  Gi: 30n,
  Ti: 40n,
  Pi: 50n,
  Ei: 60n,
};

const wrongFormat =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Always matches: what follows is the suffix. One pattern for both would need quadratic time. */
const amountPattern = /^([+-]?)0*(\d*)(?:\.(\d*))?/;
const suffixPattern = /^[eEinumkKMGTP]*[-+]?\d*$/;
/** Digits on either side of the point, beyond which no suffix brings a value back into range. */
const digitsMax = 100;

/** A fraction without what can only decide on rounding up. */
function shortened(fraction: string): string {
  if (fraction.length <= digitsMax) return fraction;
  const rest = fraction.slice(digitsMax);
  return fraction.slice(0, digitsMax) + (/[1-9]/.test(rest) ? "1" : "0");
}

/** Reads a quantity; throws `CelError` with upstream's text. */
export function parseQuantity(text: string): QuantityValue {
  const [amount = "", sign = "", whole = "", decimals = ""] = amountPattern.exec(text) ?? [];
  const suffix = text.slice(amount.length);
  if (!/\d/.test(amount) || !suffixPattern.test(suffix)) throw new CelError(wrongFormat);
  const negative = sign === "-";
  const fraction = shortened(decimals);
  const significant = whole.length + fraction.length;
  if (whole.length > digitsMax) return limited(unitsMax * nanosPerUnit + 1n, { negative });
  const digits = BigInt(`0${whole}${fraction}`);
  const binary = Object.hasOwn(binarySuffixes, suffix) ? binarySuffixes[suffix] : undefined;
  if (binary !== undefined) {
    const precise = 15 - significant - Math.trunc((Number(binary) * 3) / 10) - 1 >= 0;
    const scaled = (digits << binary) * nanosPerUnit;
    const divisor = 10n ** BigInt(fraction.length);
    return limited(roundUp(scaled, divisor), { negative, integral: precise && fraction === "" });
  }
  const exponent = decimalExponent(suffix);
  const power = exponent - fraction.length + 9;
  const nanos = power >= 0 ? digits * 10n ** BigInt(power) : roundUp(digits, 10n ** BigInt(-power));
  const integral = significant <= 18 && exponent >= fraction.length;
  return limited(nanos, { negative, integral });
}

function decimalExponent(suffix: string): number {
  if (Object.hasOwn(decimalSuffixes, suffix)) return decimalSuffixes[suffix] ?? 0;
  const exponent = /^[eE]([-+]?\d+)$/.exec(suffix)?.[1];
  // A larger exponent than any quantity has; the amount is cut anyway.
  if (exponent !== undefined && Math.abs(Number(exponent)) <= 64) return Number(exponent);
  throw new CelError("unable to parse quantity's suffix");
}

function roundUp(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

function limited(
  nanos: bigint,
  { negative, integral = false }: { negative: boolean; integral?: boolean },
): QuantityValue {
  const tooLarge = nanos > unitsMax * nanosPerUnit;
  const size = tooLarge ? unitsMax * nanosPerUnit : nanos;
  return new QuantityValue(negative ? -size : size, integral && !tooLarge);
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch (thrown) {
    if (thrown instanceof CelError) return false;
    throw thrown;
  }
}

function compareQuantities(a: QuantityValue, b: QuantityValue): bigint {
  return a.nanos < b.nanos ? -1n : a.nanos > b.nanos ? 1n : 0n;
}

function units(quantity: QuantityValue): bigint | undefined {
  const value = quantity.nanos / nanosPerUnit;
  return quantity.integral && value <= int64Max && value >= int64Min ? value : undefined;
}

function asInteger(quantity: QuantityValue): bigint {
  const value = units(quantity);
  if (value === undefined) throw new CelError("cannot convert value to integer");
  return value;
}

function asApproximateFloat({ nanos }: QuantityValue): number {
  return Number(nanos / nanosPerUnit) + Number(nanos % nanosPerUnit) / 1e9;
}

function ofInt(value: bigint): QuantityValue {
  return new QuantityValue(value * nanosPerUnit, true);
}

function add(a: QuantityValue, b: QuantityValue): QuantityValue {
  return new QuantityValue(a.nanos + b.nanos, a.integral && b.integral);
}

function subtract(a: QuantityValue, b: QuantityValue): QuantityValue {
  return new QuantityValue(a.nanos - b.nanos, a.integral && b.integral);
}

/** Source: pkg/cel/library/quantity.go. */
export const quantityLibrary = defineLibrary({
  name: "kubernetes.quantity",
  types: [quantityType],
  rows: [
    ["string_to_quantity", "quantity(string) -> kubernetes.Quantity", parseQuantity],
    ["is_quantity_string", "isQuantity(string) -> bool", isQuantity],
    [
      "quantity_sign",
      "sign(kubernetes.Quantity) -> int",
      (q: QuantityValue) => compareQuantities(q, ofInt(0n)),
    ],
    [
      "quantity_is_greater_than",
      "(kubernetes.Quantity).isGreaterThan(kubernetes.Quantity) -> bool",
      (a: QuantityValue, b: QuantityValue) => a.nanos > b.nanos,
    ],
    [
      "quantity_is_less_than",
      "(kubernetes.Quantity).isLessThan(kubernetes.Quantity) -> bool",
      (a: QuantityValue, b: QuantityValue) => a.nanos < b.nanos,
    ],
    [
      "quantity_compare_to",
      "(kubernetes.Quantity).compareTo(kubernetes.Quantity) -> int",
      compareQuantities,
    ],
    [
      "quantity_get_float",
      "(kubernetes.Quantity).asApproximateFloat() -> double",
      asApproximateFloat,
    ],
    ["quantity_get_int", "(kubernetes.Quantity).asInteger() -> int", asInteger],
    [
      "quantity_is_integer",
      "(kubernetes.Quantity).isInteger() -> bool",
      (q: QuantityValue) => units(q) !== undefined,
    ],
    ["quantity_add", "(kubernetes.Quantity).add(kubernetes.Quantity) -> kubernetes.Quantity", add],
    [
      "quantity_add_int",
      "(kubernetes.Quantity).add(int) -> kubernetes.Quantity",
      (q: QuantityValue, i: bigint) => add(q, ofInt(i)),
    ],
    [
      "quantity_sub",
      "(kubernetes.Quantity).sub(kubernetes.Quantity) -> kubernetes.Quantity",
      subtract,
    ],
    [
      "quantity_sub_int",
      "(kubernetes.Quantity).sub(int) -> kubernetes.Quantity",
      (q: QuantityValue, i: bigint) => subtract(q, ofInt(i)),
    ],
  ],
});
