import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvironment } from "../environment.ts";
import { toJson } from "../json-value.ts";
import { LazyObject, lazyObjectType } from "../lazy-object.ts";
import { intType, stringType } from "../types.ts";
import { CelError, CelObject } from "../value.ts";
import {
  authorizerType,
  authorizerValue,
  requestResourceValue,
  resourceCheckType,
  type AccessCheck,
} from "./authorizer.ts";
import { mutationLibraries } from "./kubernetes.ts";
import { jsonPatchOperation, mutationTypeErrors, resolveMutationType } from "./mutation.ts";

const environment = createEnvironment({
  libraries: mutationLibraries,
  typeResolver: resolveMutationType,
  variables: {
    authorizer: authorizerType,
    "authorizer.requestResource": resourceCheckType,
  },
});

function outcome(expression: string, bindings: Record<string, unknown> = {}): string {
  const compiled = environment.compile(expression);
  if (!compiled.ok) return compiled.message.split("\n")[0]?.replace(/^ERROR: <input>:/, "") ?? "";
  const result = compiled.program.evaluate(bindings);
  if (!result.ok) return `error: ${result.error.message}`;
  return JSON.stringify(toJson(result.value));
}

/** Rows `expression => outcome`: JSON, `error: ...`, or `line:column: ...` of a compile error. */
function table(name: string, rows: string): void {
  for (const row of rows.trim().split("\n")) {
    const [expression = "", expected = ""] = row.trim().split(" => ");
    test(`${name}: ${expression}`, () => assert.equal(outcome(expression), expected));
  }
}

const ipError = "error: IP Address";
const during = "parse error during conversion from string: ParseAddr";

table(
  "addresses",
  `
  string(ip("192.168.0.1")) => "192.168.0.1"
  string(ip("2001:DB8:0:0:1:0:0:1")) => "2001:db8::1:0:0:1"
  ip("192.168.0.1.0") => ${ipError} "192.168.0.1.0" ${during}("192.168.0.1.0"): IPv4 address too long
  ip("1.2.3") => ${ipError} "1.2.3" ${during}("1.2.3"): IPv4 address too short
  ip("1.2.3.256") => ${ipError} "1.2.3.256" ${during}("1.2.3.256"): IPv4 field has value >255
  ip("1.2.3.04") => ${ipError} "1.2.3.04" ${during}("1.2.3.04"): IPv4 field has octet with leading zero
  ip("2001:db8:::68") => ${ipError} "2001:db8:::68" ${during}("2001:db8:::68"): each colon-separated field must have at least one digit (at ":68")
  ip("x") => ${ipError} "x" ${during}("x"): unable to parse IP
  ip("fe80::1%eth0") => error: IP address "fe80::1%eth0" with zone value is not allowed
  ip("::ffff:1.2.3.4") => error: IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed
  isIP("2001:db8::68") && !isIP("2001:db8:::68") => true
  ip.isCanonical("2001:DB8::68") => false
  [ip("1.1.1.1").family(), ip("::1").family()] => [4,6]
  ip("0.0.0.0").isUnspecified() && ip("::").isUnspecified() && !ip("::1").isUnspecified() => true
  ip("127.0.0.9").isLoopback() && ip("::1").isLoopback() && !ip("1.2.3.4").isLoopback() => true
  ip("224.0.0.1").isLinkLocalMulticast() && !ip("224.0.1.1").isLinkLocalMulticast() => true
  ip("ff02::1").isLinkLocalMulticast() && !ip("fd00::1").isLinkLocalMulticast() => true
  ip("169.254.169.254").isLinkLocalUnicast() && ip("fe80::1").isLinkLocalUnicast() => true
  ip("192.168.0.1").isGlobalUnicast() && !ip("255.255.255.255").isGlobalUnicast() => true
  ip("2001:db8::abcd").isGlobalUnicast() && !ip("ff00::1").isGlobalUnicast() => true
  isIP(cidr("192.168.0.0/24")) => 1:5: found no matching overload for 'isIP' applied to '(net.CIDR)'
  type(ip("192.168.0.1")) == net.IP && type(cidr("::/0")) == net.CIDR => true
  cidr("192.168.0.0/24").containsIP("192.168.0.1") => true
  cidr("192.168.0.0/24").containsIP(ip("192.168.1.1")) => false
  cidr("192.168.0.0/24").containsIP("::1") => false
  cidr("192.168.0.0/24").containsCIDR("192.168.0.0/25") => true
  cidr("192.168.0.0/24").containsCIDR(cidr("192.168.0.0/23")) => false
  string(cidr("192.168.0.1/24").masked()) => "192.168.0.0/24"
  string(cidr("2001:db8:1::/32").masked().ip()) => "2001:db8::"
  cidr("2001:db8::/32").prefixLength() => 32
  isCIDR("10.0.0.0/33") || isCIDR("10.0.0.0/08") || isCIDR("10.0.0.0") => false
`,
);

test("addresses: a prefix without length", () => {
  const twice = "network address parse error during conversion from string: ".repeat(2);
  assert.equal(
    outcome('cidr("192.168.0.0/")'),
    `error: ${twice}netip.ParsePrefix("192.168.0.0/"): bad bits after slash: ""`,
  );
});

table(
  "quantities",
  `
  quantity("10Mo") => error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
  quantity("10Mm") => error: unable to parse quantity's suffix
  isQuantity("20Mi") && !isQuantity("20Mo") && !isQuantity("10Mm") && !isQuantity("") => true
  isQuantity([1, 2, 3]) => 1:11: found no matching overload for 'isQuantity' applied to '(list(int))'
  quantity("200M") == quantity("0.2G") => true
  quantity("1e3") == quantity("1k") && quantity("1024") == quantity("1Ki") => true
  quantity("50M").isLessThan(quantity("50Mi")) => true
  quantity("50Mi").compareTo(quantity("50M")) => 1
  sign(quantity("-1m")) => -1
  quantity("50k").add(quantity("20")) == quantity("50.02k") => true
  quantity("50k").add(20).sub(quantity("100k")).sub(-50000).asInteger() => 20
  quantity("9999999999999999999999999999999999999G").asInteger() => error: cannot convert value to integer
  quantity("9999999999999999999999999999999999999G").isInteger() => false
  quantity("1500m").isInteger() => false
  quantity("50.703k").asApproximateFloat() => 50703
  quantity("0.1n") == quantity("1n") => true
`,
);

table(
  "versions",
  `
  semver("v1.0") => error: No Major.Minor.Patch elements found
  isSemver("1.2.3-beta.1+build.1") => true
  isSemver("") || isSemver("v1.0.0") || isSemver(" 1.0.0") || isSemver("01.01.01") => false
  isSemver("1") || isSemver("1.1") || isSemver("1.0.0 ") => false
  isSemver("v1.0.0", true) && isSemver("01.01.01", true) && isSemver("1", true) => true
  isSemver("", true) || isSemver("1. 0.0", true) => false
  semver("v01.01", true) == semver("1.1.0") => true
  semver("1.0.0-alpha.2").isLessThan(semver("1.0.0-alpha.10")) => true
  semver("1.0.0-alpha.beta").isGreaterThan(semver("1.0.0-alpha.1")) => true
  semver("1.0.0-rc.1").compareTo(semver("1.0.0")) => -1
  semver("1.2.3+a") == semver("1.2.3+b") => true
  [semver("1.2.3").major(), semver("1.2.3").minor(), semver("1.2.3").patch()] => [1,2,3]
`,
);

table(
  "formats",
  `
  format.dns1123Label().validate("my-label-name").hasValue() => false
  format.dns1123Label().validate("a.b").value() => ["must not contain dots"]
  format.qualifiedName().validate("apiextensions.k8s.io/v1beta1").hasValue() => false
  format.qualifiedName().validate("/x").value() => ["prefix part must be non-empty"]
  format.dns1123SubdomainPrefix().validate("mysubdomain.prefix.-").hasValue() => false
  format.dns1035Label().validate("1a").value()[0].startsWith("a DNS-1035 label must consist of") => true
  format.uri().validate("http://example.com").hasValue() => false
  format.uri().validate("../x").value() => ["parse \\"../x\\": invalid URI for request"]
  format.uuid().validate("123e4567-e89b-12d3-a456-426614174000").hasValue() => false
  format.byte().validate("aGVsbG8").value() => ["invalid base64"]
  format.date().validate("2020-01-32").value() => ["invalid date"]
  format.datetime().validate("2020-01-01T00:00:00Z").hasValue() => false
  format.named("unknown").hasValue() => false
  format.named("uuid").value() == format.uuid() && format.uuid() != format.date() => true
`,
);

table(
  "urls",
  `
  url("https://user:pass@Example.com:80/a%2Fb/with space?k=1&k=2&x=#frag").getEscapedPath() => "/a/b/with%20space"
  url("https://example.com/a%2Fb").getEscapedPath() => "/a%2Fb"
  url("https://user:pass@example.com:80/path").getHost() => "example.com:80"
  url("https://[::1]:80/").getHostname() => "::1"
  url("https://[::1]:80/").getPort() => "80"
  url("https://example.com/p?k1=a&k2=b&k2=c%20d+e").getQuery() => {"k1":["a"],"k2":["b","c d e"]}
  url("/relative").getScheme() => ""
  isURL("https://a:b:c/") || isURL("../x") || isURL("") || isURL("http://a b/") => false
  url("../x") => error: URL parse error during conversion from string: parse "../x": invalid URI for request
  url("https://a/b") == url("https://a/b") && url("https://a/b") != url("https://a/c") => true
`,
);

table(
  "lists and regular expressions",
  `
  [3, 1, 2].isSorted() || ![1, 2, 2].isSorted() => false
  [1u, 2u].sum() == 3u && [duration("1m"), duration("1s")].sum() == duration("61s") => true
  [].max() => error: max called on empty list
  [1, 9223372036854775807].sum() => error: integer overflow
  ['b', 'a'].min() + ['b', 'a'].max() => "ab"
  [[1], [2]].indexOf([2]) + [1, 2, 1].lastIndexOf(1) => 3
  "abc 123".find('[0-9]+') + "abc".find('[0-9]+') => "123"
  "123 abc 456".findAll('[0-9]+') => ["123","456"]
  "123 abc 456".findAll('[0-9]+', 1) => ["123"]
  "abc".findAll('') => ["","","",""]
  "x".find(')') => program instantiation failed: error parsing regexp: unexpected ): \`)\`
  "x".find("(" + "") => error: Illegal regex: error parsing regexp: missing closing ): \`(\`
  [1, 2, 3, 4].slice(1, 3) => [2,3]
  [3, 1, 2].sort() => [1,2,3]
  ["bb", "a"].sortBy(s, s.size()) => ["a","bb"]
  [1, 2, 1, 1.0].distinct() => 1:11: expected type 'int' but found 'double'
  lists.range(3).reverse() => [2,1,0]
  [[1, [2]], [3]].map(l, dyn(l)).flatten(2) => 1:6: expected type 'int' but found 'list(int)'
  sets.equivalent([1, 2, 2], [2, 1]) && sets.contains([1, 2], [2]) && !sets.intersects([1], [2]) => true
  {"a": 1, "b": 2}.transformMapEntry(k, v, {v: k}) => {"1":"a","2":"b"}
  {"a": 1, "b": 1}.transformMapEntry(k, v, {v: k}) => error: insert failed: key 1 already exists
  jsonpatch.escapeKey("k8s.io/a~b") => "k8s.io~1a~0b"
`,
);

table(
  "string formats",
  `
  "%s %d %f %e %x %X %o %b".format(["a", 1, 1234.5, 3.14, 255, "hi", 8, 5]) => "a 1 1,234.500000 3.140000×10⁰⁰ ff 6869 10 101"
  "%s".format([[1, 'a', 2.5, null, {'k': true}].map(x, dyn(x))]) => "[1, \\"a\\", 2.500000, null, {\\"k\\":true}]"
  "%s".format([{'b': [1], 'a': [2]}]) => "{\\"a\\":[2], \\"b\\":[1]}"
  "%d".format(["x"]) => 1:14: error during formatting: decimal clause can only be used on integers, was given string
  "%s".format([1, 2]) => 1:12: too many arguments supplied to string.format (expected 1, got 2)
  "%q".format([1]) => 1:12: could not parse formatting clause: unrecognized formatting clause "q"
  "100%%".format([]) => "100%"
`,
);

test("authorizer asks for what the expression built", () => {
  const asked: AccessCheck[] = [];
  const authorizer = authorizerValue((check) => {
    asked.push(check);
    return { allowed: check.kind === "path", reason: "because" };
  });
  const resource = `authorizer.serviceAccount('ns', 'sa').group('apps').resource('deployments')
    .subresource('status').namespace('test').name('backend').fieldSelector('a=b').labelSelector('c')
    .check('create')`;
  assert.equal(outcome(`${resource}.allowed()`, { authorizer }), "false");
  assert.equal(outcome(`${resource}.reason()`, { authorizer }), '"because"');
  assert.equal(outcome("authorizer.path('/healthz').check('get').allowed()", { authorizer }), "true");
  assert.deepEqual(asked.slice(1), [
    {
      kind: "resource",
      verb: "create",
      user: { kind: "serviceAccount", namespace: "ns", name: "sa" },
      group: "apps",
      resource: "deployments",
      subresource: "status",
      namespace: "test",
      name: "backend",
      fieldSelector: "a=b",
      labelSelector: "c",
    },
    { kind: "path", path: "/healthz", verb: "get", user: { kind: "request" } },
  ]);
  assert.equal(outcome("authorizer.path(' ')", { authorizer }), "error: path must not be empty");
  assert.equal(outcome("authorizer.serviceAccount('ns', 'A')", { authorizer }), "error: Invalid service account name");
});

test("authorizer.requestResource starts from the resource of the request", () => {
  const attributes = {
    group: "",
    resource: "pods",
    subresource: "",
    namespace: "ns",
    name: "p",
    fieldSelector: "",
    labelSelector: "",
  };
  const value = requestResourceValue((check) => {
    assert.deepEqual(check, {
      kind: "resource",
      verb: "get",
      user: { kind: "request" },
      ...attributes,
    });
    return { allowed: true, reason: "", error: "flaky" };
  }, attributes);
  const bindings = { "authorizer.requestResource": value };
  assert.equal(outcome("authorizer.requestResource.check('get').errored()", bindings), "true");
  assert.equal(outcome("authorizer.requestResource.check('get').error()", bindings), '"flaky"');
});

test("what an authorizer throws ends evaluation, also where || would absorb errors", () => {
  const pending = new Error("no decision yet");
  const authorize = () => {
    throw pending;
  };
  const compiled = environment.compile("authorizer.path('/a').check('get').allowed() || true");
  assert.ok(compiled.ok);
  const { program } = compiled;
  const bindings = { authorizer: authorizerValue(authorize) };
  assert.throws(() => program.evaluate(bindings), pending);
});

table(
  "mutations",
  `
  Object{} => {}
  Object{spec: Object.spec{replicas: 3, names: ["a"]}} => {"spec":{"replicas":3,"names":["a"]}}
  Object{?spec: optional.none(), kind: "x"} => {"kind":"x"}
  Object{intList: [1, 2, 3]}.intList.sum() => 6
  Object{spec: Object.spec{replicas: 3}} == Object{spec: Object.spec{replicas: 1 + 2}} => true
  has(Object{a: 1}.a) && !has(Object{a: 1}.b) => true
  Invalid{} => 1:8: undeclared reference to 'Invalid' (in container '')
  JSONPatch{op: "add", path: "/spec", value: Invalid{}} => 1:51: undeclared reference to 'Invalid' (in container '')
  JSONPatch{op: 1, path: "/a"} => 1:13: expected type of field 'op' is 'string' but provided type is 'int'
`,
);

test("jsonPatchOperation reads what an expression made", () => {
  const compiled = environment.compile('JSONPatch{op: "add", path: "/spec/replicas", value: [3]}');
  assert.ok(compiled.ok);
  const result = compiled.program.evaluate({});
  assert.ok(result.ok);
  const expected = { op: "add", path: "/spec/replicas", from: "", value: [3] };
  assert.deepEqual(jsonPatchOperation(result.value), expected);
});

test("mutationTypeErrors finds types that are not at their place", () => {
  const compiled = environment.compile("Object{spec: Object.status{a: [Object.spec.a{}]}}");
  assert.ok(compiled.ok);
  const result = compiled.program.evaluate({});
  assert.ok(result.ok && result.value instanceof CelObject);
  assert.deepEqual(mutationTypeErrors(result.value), [
    'unexpected type name "Object.status", expected "Object.spec", which matches field name path from root Object type',
  ]);
});

test("LazyObject computes fields once, and keeps errors", () => {
  let computed = 0;
  const fields = new Map([
    ["a", intType],
    ["bad", stringType],
  ]);
  const type = lazyObjectType("kubernetes.variables", fields);
  const getters = new Map([
    ["a", () => BigInt(++computed)],
    [
      "bad",
      () => {
        computed++;
        throw new CelError('composited variable "bad" fails to evaluate');
      },
    ],
  ]);
  const variables = new LazyObject(type, getters);
  const inner = createEnvironment({ variables: { variables: type } });
  const compiled = inner.compile("variables.a + variables.a == 2 || variables.bad == variables.bad");
  assert.ok(compiled.ok);
  const result = compiled.program.evaluate({ variables });
  assert.ok(result.ok && result.value === true);
  const failing = inner.compile("variables.bad == variables.bad");
  assert.ok(failing.ok);
  const failed = failing.program.evaluate({ variables });
  assert.ok(!failed.ok);
  assert.equal(computed, 2);
  const unknown = inner.compile("variables.c");
  assert.ok(!unknown.ok && unknown.message.includes("undefined field 'c'"));
});
