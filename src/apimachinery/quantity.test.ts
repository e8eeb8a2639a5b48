import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliQuantity,
  multiplyQuantity,
  negateQuantity,
  parseQuantity,
  quantityBigInt,
  quantityMilliValue,
  quantityNumber,
  quantityOf,
  quantityValue,
  roundUpQuantity,
  subtractQuantities,
} from "./quantity.ts";

test("canonicalQuantity prints what upstream prints", () => {
  const rows: [text: string, canonical: string][] = [
    ["0", "0"],
    ["0n", "0"],
    ["0Ki", "0"],
    ["00", "0"],
    ["1000m", "1"],
    ["1500m", "1500m"],
    ["0.5", "500m"],
    ["0.001", "1m"],
    ["1.1", "1100m"],
    ["100.035k", "100.035k"],
    ["100.35k", "100350"],
    ["1024Mi", "1Gi"],
    ["1025024Mi", "1001Gi"],
    ["300Mi", "300Mi"],
    ["1000M", "1G"],
    ["1000", "1k"],
    ["1200", "1200"],
    ["1e3", "1e3"],
    ["1.2e3", "1200"],
    ["1E3", "1E3"],
    [".001e12", "1e9"],
    ["1000e-12", "1e-9"],
    ["10e1", "100"],
    ["1.500", "1.500"],
    ["+5", "+5"],
    ["0.5Ki", "512"],
    ["1.5Gi", "1536Mi"],
    ["0.000000000001Ki", "2n"],
    ["100.035Ki", "102435840m"],
    ["3.001n", "4n"],
    ["0.0000000001", "1n"],
    ["1.1E-9", "2e-9"],
    ["-3.001n", "-4n"],
    ["9Ei", "9223372036854775807"],
    ["12E", "12E"],
    [".", "0"],
    ["1.", "1."],
    ["1.G", "1.G"],
    ["1234567891234567890123m", "1234567891234567890123m"],
  ];
  for (const [text, canonical] of rows) assert.equal(canonicalQuantity(text), canonical, text);
});

test("parseQuantity refuses what is no quantity with upstream's texts", () => {
  const format =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const rows: [text: string, message: string][] = [
    ["", format],
    ["1.1.M", format],
    ["1+1.0M", format],
    ["0.1am", format],
    ["aoeu", format],
    [" 1", format],
    ["1 ", format],
    ["0.1mi", "unable to parse quantity's suffix"],
    [".5i", "unable to parse quantity's suffix"],
    ["-3.01e-", "unable to parse quantity's suffix"],
    ["1e99999999999999999999", "unable to parse quantity's suffix"],
  ];
  for (const [text, message] of rows) assert.throws(() => parseQuantity(text), { message }, text);
});

test("formatQuantity of computed values", () => {
  assert.equal(formatQuantity(quantityOf(1 << 30, "BinarySI")), "1Gi");
  assert.equal(formatQuantity(quantityOf(5, "BinarySI")), "5");
  assert.equal(formatQuantity(milliQuantity(500, "BinarySI")), "500m");
  assert.equal(formatQuantity(milliQuantity(1234567, "BinarySI")), "1234567m");
  assert.equal(formatQuantity(quantityOf(10n ** 12n, "DecimalExponent")), "1e12");
  assert.equal(formatQuantity(addQuantities("1Gi", "1G")), "2073741824");
  assert.equal(formatQuantity(addQuantities("0", "1Gi")), "1Gi");
  assert.equal(formatQuantity(subtractQuantities("1", "1100m")), "-100m");
  assert.equal(formatQuantity(multiplyQuantity("250m", 8)), "2");
  assert.equal(formatQuantity(negateQuantity("9.01")), "-9010m");
  assert.equal(formatQuantity(roundUpQuantity("9.01", 0)), "10");
  assert.equal(formatQuantity(roundUpQuantity("-9.01", -1)), "-9100m");
});

test("values round away from zero and vanish beyond int64", () => {
  assert.equal(quantityValue("1500m"), 2);
  assert.equal(quantityValue("-1500m"), -2);
  assert.equal(quantityMilliValue("1"), 1000);
  assert.equal(quantityMilliValue("1u"), 1);
  assert.equal(quantityBigInt("9Ei"), 9223372036854775807n);
  assert.equal(quantityBigInt("10E"), 0n);
  assert.equal(quantityNumber("1500m"), 1.5);
});

test("compareQuantities orders by value, whatever the exponents", () => {
  const ascending = ["-1e999999999", "-1", "0", "1n", "1m", "1", "1k", "1Ki", "1e999999999"];
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) {
      assert.equal(Math.sign(compareQuantities(a, b)), Math.sign(i - j), `${a} ${b}`);
    }
  }
  assert.equal(compareQuantities("1024Mi", "1Gi"), 0);
  assert.equal(compareQuantities("0", "0n"), 0);
});

test("canonical text parses to an equal value and is stable", () => {
  const number = fc.tuple(
    fc.constantFrom("", "-", "+"),
    fc.stringMatching(/^[0-9]{1,22}(\.[0-9]{0,12})?$/),
    fc.constantFrom(..."|n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e3|E-2|e+6".split("|")),
  );
  fc.assert(
    fc.property(number, (parts) => {
      const text = parts.join("");
      const canonical = canonicalQuantity(text);
      const again = parseQuantity(canonical);
      const { mantissa, exponent } = parseQuantity(text);
      // Beyond exa upstream prints no suffix: such values do not survive.
      if (mantissa.toString().length + exponent > 20) return;
      assert.equal(compareQuantities(again, text), 0);
      assert.equal(formatQuantity(again), canonical);
    }),
  );
});
