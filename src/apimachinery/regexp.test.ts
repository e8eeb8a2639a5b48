import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRegexp, regexpError, RegexpError, regexpsMax, regexpWeight } from "./regexp.ts";

const matching: readonly (readonly [pattern: string, text: string, found: string | undefined])[] = [
  ["a+?", "baaa", "a"],
  ["(?i)ABC", "xabc", "abc"],
  ["(?s)a.b", "a\nb", "a\nb"],
  ["a.b", "a\nb", undefined],
  ["^b", "a\nb", undefined],
  ["(?m)^b", "a\nb", "b"],
  ["a$", "a\n", undefined],
  ["\\d+", "\u0661\u0662", undefined],
  ["\\w+", "\u00e9a", "a"],
  ["\\pL+", "1\u00e9a", "\u00e9a"],
  [".", "\u{1f600}", "\u{1f600}"],
  ["[[:alpha:]]+", "12ab", "ab"],
  ["(a|ab)(c|bcd)", "abcd", "abcd"],
  ["\\Qa.b\\E", "a.b", "a.b"],
  ["\\x{1F600}", "\u{1f600}", "\u{1f600}"],
  ["(?P<name>a)\\z", "ba", "a"],
];

for (const [pattern, text, found] of matching) {
  test(`${pattern} in ${JSON.stringify(text)}`, () => {
    assert.equal(compileRegexp(pattern).find(text), found);
    assert.equal(compileRegexp(pattern).test(text), found !== undefined);
  });
}

test("all matches, without empty ones that touch the one before", () => {
  assert.deepEqual(compileRegexp("a*").findAll("baac"), ["", "aa", ""]);
  assert.deepEqual(compileRegexp("a").findAll("aaa", 2), ["a", "a"]);
});

const heavy = "(a{1000})".repeat(1200);

const wrong: readonly (readonly [pattern: string, message: string])[] = [
  ["(", "missing closing ): `(`"],
  ["a)", "unexpected ): `a)`"],
  ["[a", "missing closing ]: `[a`"],
  ["*", "missing argument to repetition operator: `*`"],
  ["a**", "invalid nested repetition operator: `**`"],
  ["a{1001}", "invalid repeat count: `{1001}`"],
  ["\\8", "invalid escape sequence: `\\8`"],
  ["[b-a]", "invalid character class range: `b-a`"],
  ["(?<a>b)(?<a>c)", "duplicate capture group name: `a`"],
  ["(?=a)", "invalid or unsupported Perl syntax: `(?=`"],
  ["\\pX", "invalid character class range: `\\pX`"],
  ["a\\", "trailing backslash at end of expression: ``"],
  ["(a{1000}){2}", "invalid repeat count: `{2}`"],
  [heavy, `expression too large: \`${heavy}\``],
];

for (const [pattern, message] of wrong) {
  test(`${pattern.slice(0, 20)} is refused in Go's words`, () => {
    assert.equal(regexpError(pattern), `error parsing regexp: ${message}`);
    assert.throws(() => compileRegexp(pattern), RegexpError);
  });
}

const weights: readonly (readonly [pattern: string, weight: number])[] = [
  ["abc", 3],
  ["a{5}b", 6],
  ["(ab){10}", 40],
  ["((a{10}){10}){2}", 244],
  ["[(){3}]{3}", 3],
  ["\\({3}", 3],
  ["\\x{100}", 1],
  ["\\pL{2}", 40],
  ["a{2,}b{1,3}", 5],
  ["((a", 1],
];

for (const [pattern, weight] of weights) {
  test(`weight of ${pattern}`, () => assert.equal(regexpWeight(pattern), weight));
}

// Were it quadratic, this would take minutes.
test("weighing takes linear time", () => {
  for (const part of ["[", "\\p{", "\\x{", "{1", "(", "{1,"]) {
    assert.ok(regexpWeight(part.repeat(500_000)) <= 500_000 * 4);
  }
});

test("the cache forgets what was not used", () => {
  const first = compileRegexp("cached");
  assert.equal(compileRegexp("cached"), first);
  for (let i = 0; i < regexpsMax; i++) compileRegexp(`other${i}`);
  assert.notEqual(compileRegexp("cached"), first);
  compileRegexp("(a{1000}){1}".repeat(600));
  const second = compileRegexp("cached");
  compileRegexp("(b{1000}){1}".repeat(600));
  assert.equal(compileRegexp("cached"), second);
});
