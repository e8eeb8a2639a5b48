import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { parseJson } from "./json.ts";
import { parseYaml, parseYamlAll, writeYaml, YamlError } from "./yaml.ts";

function value(text: string): unknown {
  return parseYaml(text).value;
}

test("scalars mean what go-yaml v2 takes them for", () => {
  const rows: [text: string, value: unknown][] = [
    ["no", false],
    ["y", true],
    ["On", true],
    ["oN", "oN"],
    ["~", null],
    ["", undefined],
    ["null", null],
    ["0644", 420],
    ["08", 8],
    ["0x1F", 31],
    ["0b101", 5],
    ["0o17", 15],
    ["1_000", 1000],
    ["+12", 12],
    ["-0x10", -16],
    ["12e03", 12000],
    ["1.", 1],
    [".5", 0.5],
    ["1e400", "1e400"],
    ["9223372036854775807", 2n ** 63n - 1n],
    ["18446744073709551615", 2n ** 64n - 1n],
    ["18446744073709551616", 18446744073709551616],
    ["12:30:45", "12:30:45"],
    ["2026-01-02", "2026-01-02"],
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"],
    ["1.2.3", "1.2.3"],
    ["'no'", "no"],
    ['"0644"', "0644"],
    ["!!str 12", "12"],
    ["!!int 0x10", 16],
    ["!!binary aGk=", "hi"],
    ["!custom 12", "12"],
    ["<<", "<<"],
    ["- a\n- {b: c}", ["a", { b: "c" }]],
    ["|\n a\n b\n", "a\nb\n"],
    [">-\n a\n b\n", "a b"],
    ['{"a": 1, "b": [true, null]}', { a: 1, b: [true, null] }],
    ["{1: a, true: b, 1.5: c, 0644: d}", { 1: "a", 1.5: "c", true: "b", 420: "d" }],
    ["__proto__: {a: 1}", JSON.parse('{"__proto__":{"a":1}}')],
    ["a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\nc: *x", { a: { k: 1, l: 2 }, b: { k: 1, l: 3 }, c: { k: 1, l: 2 } }],
    ["a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc:\n  <<: [*x, *y]", { a: { k: 1 }, b: { k: 2, m: 3 }, c: { k: 1, m: 3 } }],
  ];
  for (const [text, expected] of rows) {
    const found = value(text);
    assert.deepEqual(found, expected, text);
    if (typeof expected === "object" && expected !== null) {
      assert.deepEqual(Object.keys(found as object), Object.keys(expected), text);
    }
  }
});

test("keys that stand twice are named with the line of their value; the last wins", () => {
  const rows: [text: string, duplicates: string[]][] = [
    ['a: 1\nb:\n  k: "1"\n  k: "2"\n', ['line 4: key "k" already set in map']],
    ["a: {x: 1, x: 2}\na:\n  y: 1\n", ['line 1: key "x" already set in map', 'line 3: key "a" already set in map']],
    [
      "1: a\n1: b\n'1': c\ntrue: d\nyes: e",
      ["line 2: key 1 already set in map", "line 5: key true already set in map"],
    ],
    ['{"a": 1,\n"a": 2}', ['line 2: key "a" already set in map']],
    ["a: 1\nb: 1", []],
  ];
  for (const [text, duplicates] of rows) assert.deepEqual(parseYaml(text).duplicates, duplicates, text);
  assert.deepEqual(value("a: 1\na: 2"), { a: 2 });
});

test("faults are told in go-yaml's words", () => {
  const bomb = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
  for (let i = 1; i < 8; i++)
    bomb.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(",")}]`,
    );
  const rows: [text: string, message: string][] = [
    ["a: b: c", "yaml: mapping values are not allowed in this context"],
    ["a: b: c: [", "yaml: mapping values are not allowed in this context"],
    ["{", "yaml: line 1: did not find expected node content"],
    ["a: [b,", "yaml: line 1: did not find expected node content"],
    ["a: [b", "yaml: line 1: did not find expected ',' or ']'"],
    ["a:\n  {b: ']'", "yaml: line 2: did not find expected ',' or '}'"],
    ["a:\n\t- b", "yaml: line 2: found character that cannot start any token"],
    ["a: *x", "yaml: unknown anchor 'x' referenced"],
    ["a: &x [*x]", "yaml: anchor 'x' value contains itself"],
    [bomb.join("\n"), "yaml: document contains excessive aliasing"],
    ["a: .nan", "json: unsupported value: NaN"],
    ["? [a]\n: b", "yaml: invalid map key: slice of type []interface {}"],
    ["a: !!int x", "yaml: cannot decode !!str `x` as a !!int"],
    ["[".repeat(20_000), "yaml: exceeded max depth of 10000"],
  ];
  for (const [text, message] of rows) {
    assert.throws(
      () => parseYaml(text),
      (error) => error instanceof YamlError && error.message === message,
      `${text.slice(0, 30)}: ${message}`,
    );
  }
});

test("aliases below the bound are expanded, each to a value of its own", () => {
  const text = `base: &b {k: [1]}\n${Array.from({ length: 90 }, (_, i) => `u${i}: *b`).join("\n")}`;
  const read = value(text) as Record<string, { k: number[] }>;
  assert.deepEqual(read["u89"], { k: [1] });
  assert.notEqual(read["u0"], read["u1"]);
});

test("documents are split at separators; the first alone is read where one is due", () => {
  const stream = "# comment\n---\na: 1\n---\n# nothing\n---\nb: |\n  x\n  --- y\n--- # last\nc: 3\n";
  assert.deepEqual(parseYamlAll(stream), [{ a: 1 }, { b: "x\n--- y\n" }, { c: 3 }]);
  assert.deepEqual(value("a: 1\n---\nb: [broken"), { a: 1 });
  assert.deepEqual(value("%YAML 1.1\n---\na: yes\n"), { a: true });
  assert.deepEqual(value("---\n"), null);
  assert.deepEqual(value("\ufeffa: 1"), { a: 1 });
  assert.deepEqual(parseYamlAll('{"a":1}\n---\n{"b":2}\n'), [{ a: 1 }, { b: 2 }]);
});

test("writeYaml chooses quotes, blocks and order as go-yaml v2", () => {
  const long = "word ".repeat(24).trim();
  const rows: [value: unknown, text: string][] = [
    [{ b: 1, a: [1, { y: 1, x: [2] }], c: {}, d: [] }, 'a:\n- 1\n- x:\n  - 2\n  "y": 1\nb: 1\nc: {}\nd: []\n'],
    [[[1, 2], [3]], "- - 1\n  - 2\n- - 3\n"],
    [
      { a: null, b: true, c: 1.5, d: 1e6, e: 1e21, f: 2n ** 63n, g: undefined },
      "a: null\nb: true\nc: 1.5\nd: 1000000\ne: 1e+21\nf: 9223372036854775808\n",
    ],
    [
      ["", "no", "0644", "1.5", "12:30", "~", "2026-01-02", "2026-01-02T03:04:05Z"],
      '- ""\n- "no"\n- "0644"\n- "1.5"\n- "12:30"\n- "~"\n- "2026-01-02"\n- "2026-01-02T03:04:05Z"\n',
    ],
    [
      ["a: b", "a #b", "#a", "- a", "-a", "a,b", "it's", "'a'", "a:b", "?", "*x", "@a", "%a", "[a", " a", "a ", "---"],
      "- 'a: b'\n- 'a #b'\n- '#a'\n- '- a'\n- -a\n- a,b\n- it's\n- '''a'''\n- a:b\n- '?'\n- '*x'\n- '@a'\n- '%a'\n- '[a'\n- ' a'\n- 'a '\n- '---'\n",
    ],
    [["tab\there", "\u0007\u00a0", "é€😀", "\u2028"], '- "tab\\there"\n- "\\a\u00a0"\n- é€😀\n- "\\L"\n'],
    [
      { a: "x\ny\n", b: "x\ny", c: "x\n\n", d: " x\n", e: "x \ny" },
      'a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2\n   x\ne: "x \\ny"\n',
    ],
    [{ k: long }, `k: ${long.slice(0, 79)}\n  ${long.slice(80)}\n`],
    [{ a10: 1, a9: 2, A: 3, "a.b": 4, a1b: 5, _: 6, "1": 7 }, '_: 6\n"1": 7\nA: 3\na.b: 4\na1b: 5\na9: 2\na10: 1\n'],
    ["plain", "plain\n"],
  ];
  for (const [any, text] of rows) assert.equal(writeYaml(any), text);
});

const testdata = new URL("../../../shared/kubernetes-1.36/testdata/HEAD/", import.meta.url);

test(
  "upstream's fixtures: YAML reads as its JSON, and is written byte for byte",
  {
    skip: existsSync(testdata) ? false : "shared fixtures are absent",
  },
  () => {
    const names = readdirSync(testdata).filter((name) => name.endsWith(".yaml"));
    assert.ok(names.length > 100);
    for (const name of names) {
      const yaml = readFileSync(new URL(name, testdata), "utf8");
      const json = parseJson(readFileSync(new URL(name.replace(/yaml$/, "json"), testdata)));
      assert.deepEqual(value(yaml), json, name);
      assert.equal(writeYaml(json), yaml, name);
    }
  },
);

test("property: what is written reads back the same", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 120 }),
    fc.string({ unit: fc.constantFrom(..." \n'\"#:-?abN01.\t{}[],&*!|>%@`"), maxLength: 100 }),
  );
  const any = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: "small" },
      text,
      fc.constantFrom(null, true, 0, -5, 1.5, 1e300),
      fc.array(tie("node"), { maxLength: 4 }),
      fc.dictionary(text, tie("node"), { maxKeys: 4 }),
    ),
  })).node;
  fc.assert(
    fc.property(any, (node) => {
      const object = JSON.parse(JSON.stringify({ node })) as unknown;
      assert.deepEqual(JSON.parse(JSON.stringify(value(writeYaml(object)))), object);
    }),
    { numRuns: 1000 },
  );
});
