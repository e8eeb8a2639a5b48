import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText } from "#apimachinery/field-error.ts";
import { createRuleValidator, type RuleInput } from "./rule-validator.ts";
import { readFieldPath } from "./rule-field-path.ts";
import type { RuleSchema, ValidationRule } from "./rule-schema.ts";

type Options = Partial<ValidationRule>;

function rule(expression: string, options: Options = {}): Pick<RuleSchema, "x-kubernetes-validations"> {
  return { "x-kubernetes-validations": [{ rule: expression, ...options }] };
}

function object(properties: Record<string, RuleSchema>): RuleSchema {
  return { type: "object", properties };
}

const string: RuleSchema = { type: "string" };
const integer: RuleSchema = { type: "integer" };

function run(schema: RuleSchema, input: RuleInput, resource = false) {
  const validate = createRuleValidator(schema, { resource });
  assert.ok(validate);
  const { errors, warnings, costLeft } = validate({ path: "root", ...input });
  return { errors: errors.map(fieldErrorText), warnings, costLeft };
}

test("schemas without rules need no validator", () => {
  assert.equal(createRuleValidator(object({ a: string }), { resource: true }), undefined);
});

const baz = { ...string, ...rule('self == "baz"', { message: "gotta be baz" }) };
const odd = { type: "number", ...rule("int(self) % 2 == 1", { message: "gotta be odd" }) };
const keyed = {
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["key"],
  items: object({ key: string, value: baz }),
};
const typed = {
  apiVersion: { ...string, ...rule('self == "v1"') },
  kind: { ...string, ...rule('self == "Pod"') },
};

interface Update {
  readonly schema: RuleSchema;
  readonly old: unknown;
  readonly value: unknown;
  readonly errors?: readonly string[];
  readonly warnings?: readonly string[];
}

const updates: Readonly<Record<string, Update>> = {
  "what is unchanged warns only": {
    schema: object({ foo: baz }),
    old: { foo: "bar" },
    value: { foo: "bar" },
    warnings: ['root.foo: Invalid value: "bar": gotta be baz'],
  },
  "an element of an atomic list, which is unchanged as a whole": {
    schema: { type: "array", items: object({ bar: baz }) },
    old: [{ bar: "bar" }],
    value: [{ bar: "bar" }],
    warnings: ['root[0].bar: Invalid value: "bar": gotta be baz'],
  },
  "an element of an atomic list that has grown": {
    schema: { type: "array", items: object({ bar: baz }) },
    old: [{ bar: "bar" }],
    value: [{ bar: "bar" }, { bar: "baz" }],
    errors: ['root[0].bar: Invalid value: "bar": gotta be baz'],
  },
  "an element of an unchanged set beside what changed": {
    schema: object({
      text: string,
      set: { type: "array", "x-kubernetes-list-type": "set", items: odd },
    }),
    old: { text: "foo", set: [1, 3, 2] },
    value: { text: "changed", set: [1, 3, 2] },
    warnings: ["root.set[2]: Invalid value: 2: gotta be odd"],
  },
  "elements of a map list that has grown": {
    schema: keyed,
    old: [
      { key: "foo", value: "no" },
      { key: "bar", value: "no" },
    ],
    value: [
      { key: "new", value: "baz" },
      { key: "bar", value: "no" },
      { key: "foo", value: "no" },
    ],
    warnings: ['root[1].value: Invalid value: "no": gotta be baz', 'root[2].value: Invalid value: "no": gotta be baz'],
  },
  "fields inside what changed elsewhere": {
    schema: object({ foo: baz, inner: object({ bar: baz, other: string }) }),
    old: { foo: "baz", inner: { bar: "no", other: "a" } },
    value: { foo: "no", inner: { bar: "no", other: "b" } },
    errors: ['root.foo: Invalid value: "no": gotta be baz'],
    warnings: ['root.inner.bar: Invalid value: "no": gotta be baz'],
  },
  "rules about changes never warn": {
    schema: object({
      foo: { ...string, ...rule('oldSelf != "bar" && self == "baz"', { message: "gotta be baz" }) },
    }),
    old: { foo: "bar" },
    value: { foo: "bar" },
    errors: ['root.foo: Invalid value: "bar": gotta be baz'],
  },
  "a fieldPath does not change what must be unchanged": {
    schema: {
      ...object({ foo: string, bar: string }),
      ...rule('self.foo == "baz"', { message: "gotta be baz", fieldPath: ".foo" }),
    },
    old: { foo: "bar" },
    value: { foo: "bar", bar: "invalid" },
    errors: ["root.foo: Invalid value: gotta be baz"],
  },
  "apiVersion and kind of the object never warn": {
    schema: object(typed),
    old: { apiVersion: "v2", kind: "Baz" },
    value: { apiVersion: "v2", kind: "Baz" },
    errors: [
      'root.apiVersion: Invalid value: "v2": failed rule: self == "v1"',
      'root.kind: Invalid value: "Baz": failed rule: self == "Pod"',
    ],
  },
  "apiVersion and kind further inside may": {
    schema: object({ inner: object({ ...typed, other: string }) }),
    old: { inner: { apiVersion: "v2", kind: "Pod" } },
    value: { inner: { apiVersion: "v2", kind: "Pod", other: "new" } },
    warnings: ['root.inner.apiVersion: Invalid value: "v2": failed rule: self == "v1"'],
  },
  "old elements of map lists are found by their keys": {
    schema: {
      ...keyed,
      items: { ...object({ key: string, value: string }), ...rule("self == oldSelf") },
    },
    old: [{ key: "a", value: "1" }],
    value: [{ key: "new" }, { key: "a", value: "2" }],
    errors: ["root[1]: Invalid value: failed rule: self == oldSelf"],
  },
  "rules about changes wait until there is an old value": {
    schema: object({ foo: { ...string, ...rule("self == oldSelf") } }),
    old: {},
    value: { foo: "new" },
  },
  "null is no value": {
    schema: object({ foo: { ...string, nullable: true, ...rule("false") } }),
    old: {},
    value: { foo: null },
  },
};

for (const [name, { schema, old, value, errors = [], warnings = [] }] of Object.entries(updates)) {
  test(`updates: ${name}`, () => {
    const found = run(schema, { value, oldValue: old });
    assert.deepEqual({ errors: found.errors, warnings: found.warnings }, { errors, warnings });
  });
}

const messages: readonly (readonly [message: string, expression: string, shown: string, costLeft?: number])[] = [
  ["", '"static string"', "static string", 10_000_000],
  ["invisible", '"this is messageExpression"', "this is messageExpression"],
  ["", "true", "failed rule: false"],
  ["", '"str1 " + self.str', "str1 a string", 9_999_996],
  ["given", '"str1 " + ["a", "b", "c", "d"][4]', "given", 9_999_997],
  ["", '"str1 " + ["a", "b", "c", "d"][4]', "failed rule: false", 9_999_997],
  ["given", '"str with \\na newline"', "given"],
  ["given", `"${"a".repeat(5121)}"`, "given"],
  ["given", 'string("   ")', "given"],
];

for (const [message, messageExpression, shown, costLeft] of messages) {
  test(`messages: ${messageExpression.slice(0, 40)} beside "${message}"`, () => {
    const schema = { ...object({ str: string }), ...rule("false", { message, messageExpression }) };
    const found = run(schema, { value: { str: "a string" } });
    assert.deepEqual(found.errors, [`root: Invalid value: ${shown}`]);
    if (costLeft !== undefined) assert.equal(found.costLeft, costLeft);
  });
}

test("budgets end validation", () => {
  const list = { type: "array", items: { ...integer, ...rule("self > 0") } };
  const spent =
    'root[1]: Invalid value: "integer": validation failed due to running out of cost budget, no further validation rules will be run';
  const found = run(list, { value: [1, 2, 3], costMax: 2 });
  assert.deepEqual(found, { errors: [spent], warnings: [], costLeft: -1 });

  const concat = '"string 1" + self.str + "string 3"';
  const schema = { ...object({ str: string }), ...rule("false", { messageExpression: concat }) };
  assert.deepEqual(run(schema, { value: { str: "a" }, costMax: 1 }).errors, [
    'root: Invalid value: "object": messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
  ]);

  const loops = "self.all(a, self.all(b, self.all(c, a + b + c > 0)))";
  const dear = { type: "array", items: integer, ...rule(loops) };
  const value = Array.from({ length: 300 }, () => 1);
  assert.deepEqual(run(dear, { value }).errors, [
    `root: Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${loops}`,
  ]);
});

test("wrong rules and failing ones are told from broken values", () => {
  const wrong = { ...string, ...rule("asdausidy", { message: "shown nowhere" }) };
  assert.deepEqual(run(wrong, { value: "a" }).errors, [
    "root: Invalid value: \"string\": rule compile error: compilation failed: ERROR: <input>:1:1: undeclared reference to 'asdausidy' (in container '')\n | asdausidy\n | ^",
  ]);
  const failing = { ...object({ a: integer, b: integer }), ...rule("self.a / self.b == 1") };
  assert.deepEqual(run(failing, { value: { a: 1, b: 0 } }).errors, [
    'root: Invalid value: "object": division by zero evaluating rule: self.a / self.b == 1',
  ]);
  const mixed = { "x-kubernetes-int-or-string": true, ...rule("self > 1") };
  assert.deepEqual(run(object({ a: mixed }), { value: { a: "x" } }).errors, [
    "root.a: Invalid value: \"\": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self > 1",
  ]);
});

test("reasons and paths of errors", () => {
  const rules: ValidationRule[] = [
    { rule: 'self.b != "2"', reason: "FieldValueDuplicate", fieldPath: ".b", message: "m" },
    { rule: 'self.c != "3"', reason: "FieldValueRequired", fieldPath: ".c", message: "m" },
    { rule: 'self.a != "1"', reason: "FieldValueForbidden", fieldPath: ".a", message: "m" },
    { rule: 'self.a != "1"', message: "m" },
  ];
  const schema = {
    ...object({ a: string, b: string, c: string }),
    "x-kubernetes-validations": rules,
  };
  const validate = createRuleValidator(schema, { resource: true });
  const { errors } = validate?.({ value: { a: "1", b: "2", c: "3" } }) ?? {};
  const found = errors?.map(({ type, field }) => `${field} ${type}`);
  assert.deepEqual(found, [
    "b FieldValueDuplicate",
    "c FieldValueRequired",
    "a FieldValueForbidden",
    " FieldValueInvalid",
  ]);
});

const optional: readonly (readonly [
  rule: string,
  schema: RuleSchema,
  value: unknown,
  old: unknown,
  isValid: boolean,
])[] = [
  ["self.foo == 'x' || !oldSelf.hasValue()", object({ foo: string }), { foo: "y" }, undefined, true],
  ["self.foo == 'x' || !oldSelf.hasValue()", object({ foo: string }), { foo: "y" }, { foo: "z" }, false],
  ["self.foo == 'x' || oldSelf.foo.orValue('') != 'x'", object({ foo: string }), { foo: "y" }, { foo: "z" }, true],
  ["self >= 10 || oldSelf.hasValue() && oldSelf.value() <= self", integer, 9, undefined, false],
  ["self >= 10 || oldSelf.hasValue() && oldSelf.value() <= self", integer, 9, 5, true],
  ["self >= 10 || oldSelf.hasValue() && oldSelf.value() <= self", integer, 4, 5, false],
  ["self.size() > 0 || oldSelf[?0].orValue('b') == 'b'", { type: "array", items: string }, [], ["b"], true],
  ["self.size() > 0 || oldSelf[?0].orValue('b') == 'b'", { type: "array", items: string }, [], undefined, true],
];

for (const [expression, schema, value, oldValue, isValid] of optional) {
  test(`optional oldSelf: ${expression} of ${JSON.stringify([value, oldValue])}`, () => {
    const ruled = { ...schema, ...rule(expression, { optionalOldSelf: true }) };
    const { errors } = run(ruled, { value, oldValue });
    assert.deepEqual(errors.length === 0, isValid, errors.join("\n"));
  });
}

test("rules inside allOf, maps, embedded resources and below names that CEL cannot spell", () => {
  const schema: RuleSchema = {
    ...object({
      labels: { type: "object", additionalProperties: baz },
      "a b": { ...integer, ...rule("self > 0") },
      pod: {
        type: "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
        ...rule("self.metadata.name.startsWith('p')"),
      },
    }),
    allOf: [{ properties: { labels: rule("self.size() < 2", { message: "too many" }) } }],
  };
  const value = {
    labels: { "x/y": "1", z: "baz" },
    "a b": 0,
    pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "q" } },
  };
  assert.deepEqual(run(schema, { value, path: "" }, true).errors, [
    "labels: Invalid value: too many",
    'labels[x/y]: Invalid value: "1": gotta be baz',
    "a b: Invalid value: 0: failed rule: self > 0",
    "pod: Invalid value: failed rule: self.metadata.name.startsWith('p')",
  ]);
});

test("the caller can end validation", () => {
  const schema = { type: "array", items: integer, ...rule("self.all(x, x > 0)") };
  const value = Array.from({ length: 300 }, () => 1);
  assert.deepEqual(run(schema, { value, interrupted: () => true }).errors, [
    'root: Invalid value: "array": operation interrupted evaluating rule: self.all(x, x > 0)',
  ]);
});

const place = object({
  foo: { type: "object", additionalProperties: object({ sub: integer }) },
  "white space": integer,
  "'foo'bar": integer,
  a: object({ "foo's": integer, "test\x07": integer, "b.c": object({ "34": integer }) }),
  list: { type: "array", items: object({ a: integer }) },
});

const paths: readonly (readonly [text: string, path: string | undefined])[] = [
  [".a", "a"],
  ["['\\'foo\\'bar']", "'foo'bar"],
  [".\\'foo\\'bar", undefined],
  [". a", undefined],
  [".white space", "white space"],
  ["['white space']", "white space"],
  [".a.bb[b", undefined],
  [".a['b.c']", "a.b.c"],
  [".a['b.c'", undefined],
  [".", undefined],
  [".foo.key", "foo[key]"],
  [".foo['key'].sub", "foo[key].sub"],
  [".a.foo's", "a.foo's"],
  [".a['foo\\'s']", "a.foo's"],
  [".a['test\\a']", "a.test\x07"],
  [".a['test\\q']", undefined],
  [".a.foo", undefined],
  [".a['b.c'][34]", undefined],
  [".a['b.c']['34']", "a.b.c.34"],
  [".list", "list"],
  [".list[0]", undefined],
  [".list['a']", undefined],
  ["a", undefined],
  [".a..b", undefined],
];

for (const [text, path] of paths) {
  test(`field paths: ${text}`, () => assert.equal(readFieldPath(text, place), path));
}
