import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Labels, type Requirement, SelectorError } from "./label-requirement.ts";
import {
  describeLabelSelector,
  exactMatch,
  formatSelector,
  labelSelectorOf,
  parseLabelSelector,
  selectorFromLabels,
  selectorOf,
} from "./selectors.ts";
import { recordedScenario } from "./testing/recorded.ts";

function parameter(path: string, name: string): string {
  return new URL(path.split(" ")[1] ?? "", "http://host").searchParams.get(name) ?? "";
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SelectorError) return error.message;
    throw error;
  }
  return "";
}

describe("parseLabelSelector", () => {
  for (const [text, formatted, requirements] of [
    ["", "", []],
    ["a=b", "a=b", [["a", "=", ["b"]]]],
    ["a==b", "a==b", [["a", "==", ["b"]]]],
    [" a != b ", "a!=b", [["a", "!=", ["b"]]]],
    [
      "b,a",
      "a,b",
      [
        ["a", "exists", []],
        ["b", "exists", []],
      ],
    ],
    ["!a", "!a", [["a", "!", []]]],
    ["a in (c,b,c)", "a in (b,c)", [["a", "in", ["b", "c"]]]],
    ["a notin ()", "a notin ()", [["a", "notin", [""]]]],
    ["a in (,b)", "a in (,b)", [["a", "in", ["", "b"]]]],
    ["a in (b,)", "a in (,b)", [["a", "in", ["", "b"]]]],
    ["in in (in,notin)", "in in (in,notin)", [["in", "in", ["in", "notin"]]]],
    ["a=", "a=", [["a", "=", [""]]]],
    [
      "a=,b",
      "a=,b",
      [
        ["a", "=", [""]],
        ["b", "exists", []],
      ],
    ],
    ["a>1,b<+2", "a>1,b<+2", undefined],
    ["x.io/a=b", "x.io/a=b", [["x.io/a", "=", ["b"]]]],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => {
      if (requirements === undefined) {
        assert.match(
          messageOf(() => parseLabelSelector(text)),
          /values\[0\]\[b\].*"\+2"/,
        );
        return;
      }
      const selector = parseLabelSelector(text);
      const found = selector.requirements.map(({ key, operator, values }) => [
        key,
        operator,
        values,
      ]);
      assert.deepEqual(found, requirements);
      assert.equal(formatSelector(selector), formatted);
    });
  }

  for (const name of ["label-selectors-malformed", "label-selector-numbers"]) {
    const scenario = recordedScenario(`list/${name}`);
    it(`words errors as recorded in ${name}`, { skip: scenario === undefined }, () => {
      const expected: string[] = [];
      const found: string[] = [];
      for (const { do: request, expect } of scenario?.steps ?? []) {
        if (!request.includes("labelSelector=")) continue;
        const text = parameter(request, "labelSelector");
        const recorded = expect.status >= 400 ? (expect.body as { message: string }).message : "";
        expected.push(`${text} => ${recorded}`);
        found.push(`${text} => ${messageOf(() => parseLabelSelector(text))}`);
      }
      assert.ok(expected.length > 5);
      assert.deepEqual(found, expected);
    });
  }
});

describe("labelSelectorOf", () => {
  it("selects nothing when absent and everything when empty", () => {
    assert.equal(labelSelectorOf(undefined).matches({}), false);
    assert.equal(labelSelectorOf({}).matches({ a: "b" }), true);
  });

  it("joins labels and expressions", () => {
    const selector = labelSelectorOf({
      matchLabels: { z: "1" },
      matchExpressions: [
        { key: "b", operator: "In", values: ["y", "x"] },
        { key: "a", operator: "DoesNotExist" },
      ],
    });
    assert.equal(formatSelector(selector), "!a,b in (x,y),z=1");
    assert.equal(selector.matches({ z: "1", b: "x" }), true);
    assert.equal(selector.matches({ z: "1", b: "x", a: "" }), false);
  });

  for (const [operator, values, message] of [
    ["Bogus", [], '"Bogus" is not a valid label selector operator'],
    [
      "In",
      [],
      "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
    ],
    [
      "Exists",
      ["x"],
      'values: Invalid value: ["x"]: values set must be empty for exists and does not exist',
    ],
  ] as const) {
    it(`refuses ${operator} of ${JSON.stringify(values)}`, () => {
      const source = { matchExpressions: [{ key: "a", operator, values }] };
      assert.equal(
        messageOf(() => labelSelectorOf(source)),
        message,
      );
      assert.equal(describeLabelSelector(source), "<error>");
    });
  }
});

describe("exactMatch", () => {
  for (const [text, expected] of [
    ["a=b", "b"],
    ["a in (b)", "b"],
    ["a in (b,c)", undefined],
    ["a!=b", undefined],
    ["c=d", undefined],
  ] as const) {
    it(`finds ${expected} in ${text}`, () => {
      assert.equal(exactMatch(parseLabelSelector(text), "a"), expected);
    });
  }
});

describe("matches", () => {
  const word = fc.constantFrom("a", "b", "c", "1", "2", "10", "");
  const key = fc.constantFrom("a", "b", "__proto__", "constructor");
  const number = fc.constantFrom("1", "5", "-3");
  const requirement: fc.Arbitrary<Requirement> = fc.oneof(
    fc.record({
      key,
      operator: fc.constantFrom("=", "==", "!="),
      values: fc.array(word, { minLength: 1, maxLength: 1 }),
    }),
    fc.record({
      key,
      operator: fc.constantFrom("in", "notin"),
      values: fc.array(word, { minLength: 1 }),
    }),
    fc.record({ key, operator: fc.constantFrom("exists", "!"), values: fc.constant([]) }),
    fc.record({
      key,
      operator: fc.constantFrom("gt", "lt"),
      values: fc.array(number, { minLength: 1, maxLength: 1 }),
    }),
  );
  const labels = fc
    .array(fc.tuple(key, word))
    .map((pairs) => JSON.parse(`{${pairs.map(([k, v]) => `"${k}":"${v}"`).join(",")}}`) as Labels);

  it("agrees with a naive reading of the requirements", () => {
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 3 }), labels, (requirements, own) => {
        const naive = requirements.every((required) => naivelyMatches(required, own));
        assert.equal(selectorOf(requirements).matches(own), naive);
      }),
    );
  });

  it("agrees with the selector that its text parses to", () => {
    fc.assert(
      fc.property(labels, labels, (wanted, own) => {
        fc.pre(!Object.hasOwn(wanted, "__proto__"));
        const selector = selectorFromLabels(wanted);
        const parsed = parseLabelSelector(formatSelector(selector));
        assert.equal(parsed.matches(own), selector.matches(own));
      }),
    );
  });

  it("compares the whole range of int64", () => {
    const selector = selectorOf([{ key: "a", operator: "gt", values: ["9223372036854775806"] }]);
    assert.equal(selector.matches({ a: "9223372036854775807" }), true);
    assert.equal(selector.matches({ a: "9223372036854775806" }), false);
    assert.equal(selector.matches({ a: "9223372036854775808" }), false);
  });
});

function naivelyMatches({ key, operator, values }: Requirement, labels: Labels): boolean {
  const found = new Map(Object.entries(labels)).get(key);
  const order =
    found === undefined || !/^-?\d+$/.test(found) ? NaN : Number(found) - Number(values[0]);
  const tests = {
    "=": found === values[0],
    "==": found === values[0],
    "!=": found !== values[0],
    in: values.some((value) => value === found),
    notin: values.every((value) => value !== found),
    exists: found !== undefined,
    "!": found === undefined,
    gt: order > 0,
    lt: order < 0,
  };
  return tests[operator];
}
