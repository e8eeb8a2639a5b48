import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileRegexp } from "../regexp.ts";
import { createEnvironment } from "./environment.ts";
import { perCallCostMax } from "./limits.ts";
import { bindingsLibrary } from "./library/comprehensions.ts";
import { kubernetesLibraries } from "./library/kubernetes.ts";
import { parse } from "./parser.ts";
import { formatIssues } from "./source.ts";
import { dynType, listType, intType } from "./types.ts";

const libraries = [...kubernetesLibraries, bindingsLibrary];
const environment = createEnvironment({
  libraries,
  variables: { self: dynType, ints: listType(intType) },
});

/** Evaluates and returns the error's message. */
function failureOf(expression: string, bindings: Record<string, unknown> = {}): string {
  const compiled = environment.compile(expression);
  if (!compiled.ok) return compiled.message;
  const result = compiled.program.evaluate(bindings);
  if (result.ok) return "";
  if (result.error.message.includes("cost limit")) assert.ok(result.cost > perCallCostMax);
  return result.error.message;
}

const overLimit = "operation cancelled: actual cost limit exceeded";
const thousand = Array.from({ length: 1000 }, (_, i) => i);
const doubled = (text: string, times: number): string => {
  return times === 0
    ? text
    : `cel.bind(x${times}, ${doubled(text, times - 1)}, x${times} + x${times})`;
};

const hostile: readonly [what: string, expression: string, bindings?: Record<string, unknown>][] = [
  ["nested loops", "ints.all(a, ints.all(b, ints.all(c, a + b + c >= 0)))", { ints: thousand }],
  ["a list of all numbers", "lists.range(9223372036854775807).size() > 0"],
  ["a string doubled 40 times", `${doubled("'0123456789'", 40)}.size() > 0`],
  ["lists doubled 60 times and compared", `${doubled("[1]", 60)} == ${doubled("[1]", 60)}`],
  ["a search in a list doubled 60 times", `2 in ${doubled("[self]", 60)}`, { self: 1 }],
  ["sorting what is long", "ints.map(x, -x).sort().size() > 0", { ints: thousand }],
  [
    "errors absorbed in a loop",
    "ints.exists(a, ints.exists(b, ints.exists(c, [][0] == a)))",
    { ints: thousand },
  ],
  [
    "many heavy patterns from data",
    "self.exists(p, ''.matches(p))",
    { self: thousand.map((i) => `(a{1000})`.repeat(50) + String(i)) },
  ],
  ["flattening to great depth", "dyn([[1]]).flatten(9223372036854775807) == [1]"],
];

for (const [what, expression, bindings] of hostile) {
  test(`evaluation stops within its budget: ${what}`, () => {
    assert.equal(failureOf(expression, bindings), overLimit);
  });
}

test("evaluation takes its limit from the caller", () => {
  const compiled = environment.compile("ints.all(a, a >= 0)");
  assert.ok(compiled.ok);
  const run = (costMax: number) => compiled.program.evaluate({ ints: thousand }, { costMax });
  const { cost } = run(Infinity);
  assert.ok(run(cost).ok);
  assert.ok(!run(cost - 1).ok);
});

test("|| does not absorb that the limit is exceeded", () => {
  const inner = "ints.all(a, ints.all(b, ints.all(c, a + b + c >= 0)))";
  assert.equal(failureOf(`${inner} || true`, { ints: thousand }), overLimit);
});

test("patterns that make backtracking engines explode match in linear time", () => {
  const text = `${"a".repeat(50_000)}!`;
  for (const pattern of [
    "^(a+)+$",
    "^(a|a)*$",
    "^(a*)*b$",
    "(x+x+)+y",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
  ]) {
    assert.equal(compileRegexp(pattern).test(text), false, pattern);
  }
});

test("the caller can stop an evaluation, and || does not absorb it", () => {
  const compiled = environment.compile("ints.all(a, ints.all(b, a + b >= 0)) || true");
  assert.ok(compiled.ok);
  let asked = 0;
  const result = compiled.program.evaluate({ ints: thousand }, { interrupted: () => ++asked > 3 });
  assert.ok(!result.ok);
  assert.equal(result.error.message, "operation interrupted");
  assert.equal(asked, 4);
});

const long = 400_000;
const hostileTexts = [
  "1".repeat(long),
  `${"1".repeat(long)}x`,
  `0.${"1".repeat(long)}x`,
  `a${" ".repeat(long)}b`,
  `${"1s".repeat(long)}x`,
  `1.2.3-${"0.".repeat(long)}`,
  `https://a/${":".repeat(long)}`,
  `${"a-".repeat(long)}!`,
];

// Were one of these quadratic, this would take minutes.
test("functions read long texts in linear time", () => {
  const expressions = [
    "int(self)",
    "uint(self)",
    "double(self)",
    "duration(self)",
    "timestamp(self)",
    "string(self).trim()",
    "isQuantity(self)",
    "isSemver(self)",
    "isURL(self)",
    "isIP(self)",
    "isCIDR(self)",
    "format.dns1123Subdomain().validate(self)",
    "format.qualifiedName().validate(self)",
    "string(self).find('(1+)+x?y')",
  ];
  for (const expression of expressions) {
    const compiled = environment.compile(expression);
    assert.ok(compiled.ok, expression);
    for (const self of hostileTexts) {
      const result = compiled.program.evaluate({ self });
      assert.ok(result.ok || !result.error.message.includes("internal error"), expression);
    }
  }
});

test("texts do not outgrow memory", () => {
  const self = "a".repeat(100_000);
  for (const expression of [
    "string(self).replace('', string(self))",
    "string(self).replace('a', string(self))",
    "ints.map(i, string(self)).join()",
  ]) {
    assert.match(failureOf(expression, { self, ints: thousand }), /string exceeds/);
  }
});

test("deep nesting is refused while parsing", () => {
  const deep = [
    `${"(".repeat(20_000)}1${")".repeat(20_000)}`,
    `${"[".repeat(20_000)}1${"]".repeat(20_000)}`,
    `a${".b".repeat(20_000)}`,
    `1${" + 1".repeat(20_000)}`,
    `a${"[0]".repeat(20_000)}`,
    `${"true ? true : ".repeat(5_000)}false`,
    `${"-".repeat(50_000)}1 + ${"!".repeat(40_000)}true`,
    "f(".repeat(20_000),
  ];
  for (const text of deep) {
    const parsed = parse(text);
    if (parsed.ok) assert.ok(parsed.expr.depth <= 250);
    else assert.match(formatIssues(text, parsed.issues), /recursion/);
  }
});

test("long chains of && are balanced", () => {
  const text = Array(5000).fill("self").join(" && ");
  const compiled = environment.compile(text);
  assert.ok(compiled.ok);
  const result = compiled.program.evaluate({ self: true });
  assert.ok(result.ok && result.value === true);
});

test("source of more than 100,000 characters is refused", () => {
  const parsed = parse(" ".repeat(100_001));
  assert.ok(!parsed.ok);
  assert.equal(
    parsed.issues[0]?.message,
    "expression code point size exceeds limit: size: 100001, limit 100000",
  );
});

test("names of Object.prototype are no fields, variables or keys", () => {
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    assert.equal(failureOf(`self.${name} == 1`, { self: {} }), `no such key: ${name}`);
    assert.match(failureOf(`${name} == 1`), /undeclared reference/);
    assert.match(failureOf(`${name}(1) == 1`), /undeclared reference/);
  }
});

const fragment = fc.constantFrom(
  "self",
  "ints",
  "1",
  "-1",
  "2u",
  "1.5",
  "'a'",
  '"\\n"',
  "b'x'",
  "r'''q'''",
  "true",
  "null",
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ".",
  ",",
  ":",
  "?",
  "+",
  "-",
  "*",
  "/",
  "%",
  "!",
  "&&",
  "||",
  "==",
  "!=",
  "<",
  ">=",
  "in",
  ".all(x, ",
  ".map(y, ",
  "has(",
  ".?a",
  "[?0]",
  "size(",
  "\\",
  "`a-b`",
  "\u{1f600}",
  " ",
  "\n",
  "//c\n",
  "é",
  "'",
  '"',
  "0x",
  "1e",
  "@",
  "cel.bind(z, ",
  "optional.of(",
  "dyn(",
);

test("any text parses, checks and evaluates, or fails with a message of ours", () => {
  const text = fc.oneof(
    fc.array(fragment, { maxLength: 24 }).map((parts) => parts.join("")),
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.string({ unit: "binary", maxLength: 40 }),
  );
  fc.assert(
    fc.property(text, (expression) => {
      const compiled = environment.compile(expression);
      if (!compiled.ok) return compiled.message.length > 0 && compiled.issues.length > 0;
      const result = compiled.program.evaluate({ self: { a: [1, "x"] }, ints: [1, 2] });
      return result.ok || result.error.message.length > 0;
    }),
    { numRuns: 3000 },
  );
});

test("any text as a pattern compiles or fails as Go says it", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), (pattern) => {
      const result = environment.compile(`'abc'.matches(self)`);
      assert.ok(result.ok);
      const found = result.program.evaluate({ self: pattern });
      return found.ok || found.error.message.startsWith("error parsing regexp: ");
    }),
    { numRuns: 500 },
  );
});
