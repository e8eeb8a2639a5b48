import assert from "node:assert/strict";
import { test } from "node:test";
import { compileDeviceSelector, deviceValue, type SelectableDevice } from "./device-selector.ts";
import { attributeValuesMax, selectorCostMax } from "./limits.ts";

const driver = "dra.example.com";
const loops = ["x", "y", "z", "a", "b", "c", "d"].reduceRight(
  (body, name) => `[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(${name}, ${body})`,
  "int('1'.find('[0-9]*')) < 100",
);

const devices = {
  empty: { driver: "" },
  named: { driver, attributes: { name: { bool: true } } },
  other: { driver, attributes: { "other.example.com/name": { bool: true } } },
  many: {
    driver,
    allowMultipleAllocations: true,
    attributes: {
      int: { int: 1 },
      string: { string: "fish" },
      version: { version: "1.0.0" },
      ints: { ints: [1, 2] },
      bools: { bools: [true, false] },
      strings: { strings: ["fish", "bird"] },
      versions: { versions: ["1.0.0", "2.0.0"] },
      long: { strings: Array.from({ length: attributeValuesMax + 1 }, (_, i) => `value-${i}`) },
    },
    capacity: { memory: { value: "1Mi" } },
  },
} satisfies Record<string, SelectableDevice>;

/** `D` stands for `device.attributes["dra.example.com"]`. */
type Row = readonly [
  expression: string,
  device: keyof typeof devices,
  outcome: boolean | string,
  cost: number,
];

const rows: readonly Row[] = [
  ["true", "empty", true, 0],
  ['device.attributes["none"].attr.isGreaterThan(quantity("0"))', "empty", "no such key: attr", 6],
  ['"none" in device.attributes', "many", false, 3],
  ['"dra.example.com" in device.attributes', "many", true, 3],
  ['device.driver == ""', "empty", true, 2],
  ['device.driver == "dra.example.com"', "many", true, 4],
  ["D.name", "named", true, 4],
  ['D["name"]', "named", true, 4],
  ["cel.bind(dra, D, dra.name)", "named", true, 15],
  ['device.attributes["other.example.com"].name', "other", true, 4],
  ["D.int > 0", "many", true, 5],
  ['D.string == "fish"', "many", true, 5],
  ["D.int.exists(x, x > 0)", "many", "got 'types.Int', expected iterable type", 389],
  ["D.version.exists(x, x > 0)", "many", "got 'cel.Semver', expected iterable type", 389],
  ["D.strings", "many", "CEL result of type list could not be converted to bool", 4],
  ['D.strings.includes("fish")', "many", true, 52],
  ['D.strings.includes("cat")', "many", false, 52],
  ['D.string.includes("fish")', "many", true, 52],
  ["D.int.includes(2)", "many", false, 52],
  ["D.ints.includes(2)", "many", true, 52],
  ['D.versions.includes(semver("2.0.0"))', "many", true, 53],
  [
    'D.long.includes("none")',
    "many",
    "'includes' function cannot be applied to lists longer than 48 values",
    52,
  ],
  ["1 in D.ints", "many", true, 68],
  ["D.bools.size() == 2", "many", true, 6],
  ["D.ints.exists(x, x > 0)", "many", true, 389],
  ['D.strings.all(x, x != "")', "many", true, 261],
  ['D.versions.all(x, x.isGreaterThan(semver("0.0.1")))', "many", true, 389],
  ['D.version.isGreaterThan(semver("0.0.1"))', "many", true, 6],
  ['D.version.isGreaterThan(semver("v0.0.1", true)) && isSemver("v1.0.0", true)', "many", true, 7],
  ['device.capacity["dra.example.com"].memory.isGreaterThan(quantity("1Ki"))', "many", true, 6],
  ['!("memory" in device.capacity["dra.example.com"])', "empty", true, 5],
  ['device.attributes.exists_one(x, x == "dra.example.com")', "many", true, 164],
  ['D.exists_one(x, x == "string")', "many", true, 133],
  ['D.string.split("is").size() >= 2', "many", true, 19],
  ['D.string.matches("[^a]?sh")', "many", true, 18],
  [loops, "empty", "operation cancelled: actual cost limit exceeded", 85_555_551],
  ["device.allowMultipleAllocations == true", "many", true, 3],
  ["device.allowMultipleAllocations == false", "empty", true, 3],
];

for (const [expression, device, outcome, cost] of rows) {
  test(`selector ${expression.slice(0, 60)} of ${device}`, () => {
    const full = expression.replaceAll("D", 'device.attributes["dra.example.com"]');
    const compiled = compileDeviceSelector(full);
    assert.ok(compiled.ok);
    assert.equal(compiled.estimatedCostMax, cost);
    const result = compiled.matches(deviceValue(devices[device]));
    assert.equal(result.ok ? result.matches : result.error, outcome);
    if (result.ok) assert.ok(compiled.estimatedCostMax <= selectorCostMax);
  });
}

test("selectors must yield bool, or what is only known later", () => {
  assert.deepEqual(compileDeviceSelector("1"), {
    ok: false,
    error: "must evaluate to bool or the unknown type, not int",
  });
  const wrong = compileDeviceSelector("?!");
  assert.ok(!wrong.ok);
  assert.match(wrong.error, /^compilation failed: ERROR: <input>:1:1: Syntax error/);
});

test("attributes need a value of their type", () => {
  const device = (attribute: object) => () => deviceValue({ driver, attributes: { a: attribute } });
  assert.throws(device({}), { message: "attribute a: unsupported attribute value" });
  assert.throws(device({ version: "1" }), {
    message: "attribute a: parse semantic version: No Major.Minor.Patch elements found",
  });
});
