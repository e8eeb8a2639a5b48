import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  escapeFieldValue,
  exactField,
  formatFieldSelector,
  matchesFields,
  parseFieldSelector,
} from "./field-selectors.ts";

describe("parseFieldSelector", () => {
  for (const [text, requirements] of [
    ["", []],
    ["a=b", ["a = b"]],
    ["a==b,,a!=c", ["a != c", "a = b"]],
    ["b=1,a=2", ["a = 2", "b = 1"]],
    ["a=x\\,y\\=z\\\\", ["a = x,y=z\\"]],
    ["metadata.name!=", ["metadata.name != "]],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const { requirements: found } = parseFieldSelector(text);
      assert.deepEqual(
        found.map(({ field, operator, value }) => `${field} ${operator} ${value}`),
        requirements,
      );
    });
  }

  for (const [text, message] of [
    ["foo", "invalid selector: 'foo'; can't understand 'foo'"],
    ["a=b=c", "invalid field selector: unescaped character in value: 61"],
    ["metadata.name=a\\", "invalid field selector: invalid escape sequence: \\"],
    ["a=\\n", "invalid field selector: invalid escape sequence: \\n"],
    ["a=\\😀", "invalid field selector: invalid escape sequence: \\😀"],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseFieldSelector(text), { name: "SelectorError", message });
    });
  }

  it("reads back what it prints", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const selector = parseFieldSelector(`a=${escapeFieldValue(value)}`);
        assert.equal(exactField(selector, "a"), value);
        assert.deepEqual(parseFieldSelector(formatFieldSelector(selector)), selector);
      }),
    );
  });

  it("drops and maps terms by the transform", () => {
    const selector = parseFieldSelector("a=1,b=2", (term) =>
      term.field === "a" ? { ...term, field: "c" } : undefined,
    );
    assert.equal(formatFieldSelector(selector), "c=1");
  });
});

describe("matchesFields", () => {
  for (const [text, expected] of [
    ["a=1", true],
    ["a!=1", false],
    ["a=1,b=", true],
    ["b!=", false],
  ] as const) {
    it(`${text} is ${expected}`, () => {
      const valueOf = (field: string) => (field === "a" ? "1" : "");
      assert.equal(matchesFields(parseFieldSelector(text), valueOf), expected);
    });
  }
});
