import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "./checker.ts";
import { compile } from "./compile.ts";
import { estimateCost } from "./cost-estimate.ts";
import { createScope } from "./environment.ts";
import type { Range } from "./estimate.ts";
import { Frame, unlimited } from "./frame.ts";
import { adaptJson } from "./json-value.ts";
import { authorizerType, authorizerValue } from "./library/authorizer.ts";
import { mutationLibraries } from "./library/kubernetes.ts";
import { optionalMacros, standardMacros, twoVariableMacros } from "./macros.ts";
import { parse } from "./parser.ts";
import type { CelType } from "./types.ts";

const macros = [...standardMacros, ...optionalMacros, ...twoVariableMacros];

/** Texts are taken to have up to 12 characters, as upstream's cost tests do. */
function sizeByType(_path: readonly string[], type: CelType): Range | undefined {
  return type.kind === "string" || type.kind === "bytes" ? { min: 0, max: 12 } : undefined;
}

/** Estimate and actual cost, with constants evaluated at run time. */
function costsOf(expression: string): { estimate: Range; actual: number } {
  const scope = createScope({
    libraries: mutationLibraries,
    variables: { authorizer: authorizerType },
  });
  const parsed = parse(expression, { macros });
  assert.ok(parsed.ok);
  const checked = check(parsed.expr, scope);
  assert.deepEqual(checked.issues, []);
  const estimate = estimateCost(parsed.expr, checked, sizeByType);
  const context = { scope, checked, adapterFor: () => adaptJson, fold: false };
  const { evaluate, variables } = compile(parsed.expr, context);
  const authorizer = authorizerValue(() => ({ allowed: true, reason: "" }));
  const frame = new Frame(variables, { authorizer }, unlimited);
  evaluate(frame);
  return { estimate, actual: frame.cost };
}

/** Rows `expression => min..max actual`; one number stands for all three. */
function costTable(name: string, rows: string): void {
  for (const row of rows.trim().split("\n")) {
    const [expression = "", expected = ""] = row.trim().split(" => ");
    test(`${name}: ${expression}`, () => {
      const [range = "", actualText = range] = expected.split(" ");
      const [min = "", max = min] = range.split("..");
      const { estimate, actual } = costsOf(expression);
      const found = `${estimate.min}..${estimate.max} ${actual}`;
      assert.equal(found, `${min}..${max} ${actualText}`);
    });
  }
}

const lists: Readonly<Record<string, string>> = {
  ints: "[1, 2, 3, 4, 5]",
  uints: "[uint(1), uint(2), uint(3), uint(4), uint(5)]",
  doubles: "[1.0, 2.0, 3.0, 4.0, 5.0]",
  bools: "[false, true, false, true, false]",
  strings: `[${Array(5).fill("'012345678901'").join(", ")}]`,
  bytes: `[${Array(5).fill("bytes('012345678901')").join(", ")}]`,
  durations: "[duration('1s'), duration('2s'), duration('3s'), duration('4s'), duration('5s')]",
};

function withLists(rows: string): string {
  return rows.replace(/\$(\w+)/g, (_, name: string) => lists[name] ?? "");
}

costTable(
  "lists",
  withLists(`
  $ints.sum() => 15
  $uints.sum() => 20
  $doubles.sum() => 15
  $durations.sum() => 20
  $ints.isSorted() => 15
  $uints.max() => 20
  $doubles.min() => 15
  $bools.max() => 15
  $strings.isSorted() => 15..25 15
  $bytes.max() => 25..35 25
  $durations.min() => 20
  $ints.indexOf(3) => 15
  $uints.lastIndexOf(uint(3)) => 21
  $strings.indexOf('x') => 15..25 15
  $bytes.lastIndexOf(bytes('x')) => 26..36 26
  $durations.indexOf(duration('3s')) => 21
  '01234567890123456789012345678901234567890123456789'.indexOf('123') => 5
`),
);

costTable(
  "urls",
  `
  url('https:://kubernetes.io/').getScheme() => 4
  url('https:://kubernetes.io/').getQuery() => 4
  url('https:://kubernetes.io/') == url('https:://kubernetes.io/') => 7..9 7
  url('https:://kubernetes.io/') == url('http://x.b') => 5
`,
);

costTable(
  "addresses",
  `
  ip('192.168.0.1') => 2
  ip('2001:db8:3333:4444:5555:6666:7777:8888') => 4
  ip('192.168.0.1').family() => 3
  ip('192.168.0.1').isGlobalUnicast() => 3
  ip('192.168.0.1') == ip('192.168.0.1') => 5
  ip('2001:db8:3333:4444:5555:6666:7777:8888') == ip('192.168.0.1') => 7
  ip.isCanonical('192.168.0.1') => 3
  ip.isCanonical('2001:db8:3333:4444:5555:6666:7777:8888') => 8
  ip.isCanonical('2001:db8::abcd') => 3
  cidr('192.168.0.0/16') => 2
  cidr('192.168.0.0/16').ip() => 3
  cidr('2001:db8::/32').masked() => 3
  cidr('192.168.0.0/16') == cidr('2001:db8::/32') => 5
  cidr('192.168.0.0/16').containsCIDR(cidr('192.0.0.0/30')) => 7..11 7
  cidr('192.168.0.0/16').containsCIDR('192.0.0.0/30') => 7..11 7
  cidr('192.168.0.0/16').containsIP(ip('192.0.0.1')) => 4..7 4
  cidr('192.168.0.0/16').containsIP(ip('192.169.169.250')) => 5..8 5
  cidr('192.168.0.0/16').containsIP('192.0.0.1') => 4..7 4
  cidr('192.168.0.0/16').containsIP('192.169.0.1') => 5..8 5
  cidr('2001:db8::/32').containsCIDR('2001:db8::/126') => 7..11 7
  cidr('2001:db8::/32').containsIP(ip('2001:db8:3333:4444:5555:6666:7777:8888')) => 7..10 7
  cidr('2001:db8::/32').containsIP('2001:db8::1') => 5..8 5
`,
);

costTable(
  "strings",
  `
  'ABCDEFGHIJ abcdefghij'.lowerAscii() => 3
  'ABCDEFGHIJ abcdefghij'.lowerAscii() == 'abcdefghij ABCDEFGHIJ'.lowerAscii() => 7..9 9
  'ABCDEFGHIJ abcdefghij'.upperAscii() == 'abcdefghij ABCDEFGHIJ'.upperAscii() => 7..9 9
  strings.quote('ABCDEFGHIJ abcdefghij') => 3
  strings.quote('ABCDEFGHIJ abcdefghij') == strings.quote('ABCDEFGHIJ abcdefghij') => 7..11 9
  'abc 123 def 123'.replace('123', '456') => 3
  'abc 123 def 123'.replace('', 'x') => 3
  'abc 123 def 123'.replace('123', '456', 1) => 3
  'abc 123 def 123'.split(' ') => 3
  'abc 123 def 123'.split(' ', 1) => 3
  'abc 123 def 123'.substring(5) => 2
  '  abc 123 def 123  '.trim() => 2
  ['aa', 'bb', 'cc', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].join(' ') => 11..23 15
  ['aa', 'bb', 'cc', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].join() => 10..22 13
  'abc 123 def 123'.find('123') => 2
  'abc 123 def 123'.findAll('123', 1) => 2
  jsonpatch.escapeKey('abc/def~ abc/def~') => 2
`,
);

costTable(
  "authorizer",
  `
  authorizer.path('/healthz') => 2
  authorizer.group('apps').resource('deployments').subresource('status').namespace('test').name('backend') => 6
  authorizer.group('').resource('pods').fieldSelector('spec.nodeName=example-node-name.fully.qualified.domain.name.example.com') => 1821
  authorizer.group('').resource('pods').labelSelector('spec.nodeName=example-node-name.fully.qualified.domain.name.example.com') => 1821
  authorizer.path('/healthz').check('get').allowed() => 350003
  authorizer.group('apps').resource('deployments').subresource('status').namespace('test').name('backend').check('create').errored() => 350007
`,
);

costTable(
  "quantities",
  `
  quantity("12Mi") => 1
  isQuantity("20M") => 1
  quantity("200M") == quantity("0.2G") && quantity("0.2G") == quantity("200M") => 3..6 6
  quantity("50M").isLessThan(quantity("50Mi")) => 3
  quantity("200M").compareTo(quantity("0.2G")) > 0 => 4
  quantity("50k").add(quantity("20")) == quantity("50.02k") => 5
  quantity("50k").add(20).sub(quantity("100k")).sub(-50000).asInteger() > 0 => 7
  quantity("50.703k").asApproximateFloat() > 0.0 => 3
`,
);

costTable(
  "formats",
  `
  format.named("dns1123subdomain") => 1
  format.named("dns1123Subdomain").value().validate("my-name") => 34 17
  format.named("dns1123Label").value().validate("my-name") => 34 10
  format.named("dns1123Label").value() == format.named("dns1123Label").value() => 5..11 5
`,
);

costTable(
  "sets",
  `
  sets.contains([], []) => 21
  sets.contains([1], [1]) => 22
  sets.contains([1, 2, 3, 4], [2, 3]) => 29
  sets.contains([[1], [2, 3]], [[2, 3.0]]) => 53
  !sets.contains([1], ["1", 1]) => 24
  sets.equivalent([1], [1, 1]) => 25
  sets.equivalent([[1.0], [2, 3]], [[1], [2, 3.0]]) => 69
  sets.intersects([1, 2], [2u, 2, 2.0]) => 27
  !sets.intersects([1], []) => 22
`,
);

costTable(
  "versions",
  `
  semver("1234.56789012345.67890123456789") => 4
  isSemver("1.0.0") => 1
  semver("1.2.3").major() => 2
  semver("1.0.0").compareTo(semver("1.2.3")) => 3
`,
);

costTable(
  "two variables",
  `
  {'a': 1, 'b': 2}.all(k, v, v > 0) => 37..41 41
  {'a': 1, 'b': 2}.exists(k, v, v > 0) => 39..43 40
  {'a': 1, 'b': 2}.existsOne(k, v, v > 0) => 38..40 40
  {'a': 1, 'b': 2}.transformMap(k, v, v + 1) => 71
  {'a': 1, 'b': 2}.transformMap(k, v, v < 5, v + 1) => 67..75 75
  {'a': 1, 'b': 2}.transformMapEntry(k, v, {k: v + 1}) => 131
  {'a': 1, 'b': 2}.transformMapEntry(k, v, v < 5, {k: v + 1}) => 67..135 135
  [1, 2].all(i, v, v > 0) => 17..21 21
  [1, 2].exists(i, v, v > 0) => 19..23 20
  [1, 2].existsOne(i, v, v > 0) => 18..20 20
  [1, 2].transformList(i, v, v + 1) => 49
  [1, 2].transformList(i, v, v < 5, v + 1) => 27..53 53
`,
);
