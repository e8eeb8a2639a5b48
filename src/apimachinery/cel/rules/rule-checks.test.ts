import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText, forbidden } from "#apimachinery/field-error.ts";
import golden from "./rule-checks.golden.json" with { type: "json" };
import { checkRules } from "./rule-checks.ts";
import type { RuleSchema, ValidationRule } from "./rule-schema.ts";

function check(schema: RuleSchema): string[] {
  return checkRules(schema, "schema").map(fieldErrorText);
}

function withRules(schema: RuleSchema, ...rules: ValidationRule[]): RuleSchema {
  return { ...schema, "x-kubernetes-validations": rules };
}

function object(properties: Record<string, RuleSchema>): RuleSchema {
  return { type: "object", properties };
}

const string: RuleSchema = { type: "string" };
const rulePath = "x-kubernetes-validations[0].rule";
const here = "schema.x-kubernetes-validations[0]";

const forms: readonly (readonly [rule: ValidationRule, error: string])[] = [
  [{ rule: " " }, `${here}.rule: Required value: rule is not specified`],
  [{ rule: "true", message: " " }, `${here}.message: Invalid value: " ": must be non-empty if specified`],
  [{ rule: "true", message: "a\nb" }, `${here}.message: Invalid value: "a\\nb": must not contain line breaks`],
  [
    { rule: "true\n&& true" },
    `${here}.message: Required value: message must be specified if rule contains line breaks`,
  ],
  [
    { rule: "true", messageExpression: " " },
    `${here}.messageExpression: Required value: messageExpression must be non-empty if specified`,
  ],
  [
    { rule: "true", reason: "Other" },
    `${here}.reason: Unsupported value: "Other": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
  ],
  [{ rule: "true", fieldPath: ".b" }, `${here}.fieldPath: Invalid value: ".b": must be a valid path`],
];

for (const [rule, error] of forms) {
  test(`form of rules: ${JSON.stringify(rule)}`, () => {
    assert.deepEqual(check(withRules(object({ a: string }), rule)), [error]);
  });
}

function internal(rule: string, more: object = {}): string {
  const all = {
    Rule: rule,
    Message: "",
    MessageExpression: "",
    Reason: null,
    FieldPath: "",
    OptionalOldSelf: null,
  };
  return JSON.stringify({ ...all, ...more });
}

test("types of rules and messages", () => {
  const schema = withRules(
    object({ a: string }),
    { rule: "self.a" },
    { rule: "self.b == 1" },
    { rule: "true", messageExpression: "1" },
    { rule: "self.a == 'x'", optionalOldSelf: true },
    { rule: "oldSelf.a == self.a" },
  );
  const at = (i: number) => `schema.x-kubernetes-validations[${i}]`;
  assert.deepEqual(check(schema), [
    `${at(0)}.rule: Invalid value: ${internal("self.a")}: cel expression must evaluate to a bool`,
    `${at(1)}.rule: Invalid value: ${internal("self.b == 1")}: compilation failed: ERROR: <input>:1:5: undefined field 'b'\n | self.b == 1\n | ....^`,
    `${at(2)}.messageExpression: Invalid value: ${internal("true", { MessageExpression: "1" })}: messageExpression must evaluate to a string`,
    `${at(3)}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
  ]);
});

test("oldSelf needs a way to find the old value", () => {
  const changes = withRules(string, { rule: "self == oldSelf" });
  const at = "x-kubernetes-validations[0].rule";
  const wrong = (path: string, within: string) => {
    return `${path}.${at}: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ${within}`;
  };
  const map = { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] };
  const schema = object({
    atomic: { type: "array", items: object({ k: changes }), maxItems: 2 },
    map: { type: "array", ...map, items: object({ k: changes }), maxItems: 2 },
    other: { ...object({ k: changes }), "x-kubernetes-map-type": "unheard-of" },
  });
  assert.deepEqual(check(schema), [
    wrong("schema.properties[atomic].items.properties[k]", "schema.properties[atomic]"),
    wrong("schema.properties[other].properties[k]", "schema.properties[other]"),
  ]);
});

const remedy =
  "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";

test("rules that may cost too much", () => {
  const all = { rule: "self.all(x, self.all(y, x == y))" };
  const list = withRules({ type: "array", items: string }, all);
  assert.deepEqual(check(object({ list })), [
    `schema.properties[list].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${remedy}`,
    "schema.properties[list].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema",
    `schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${remedy}`,
  ]);
  assert.deepEqual(check(object({ list: { ...list, maxItems: 10, items: { ...string, maxLength: 10 } } })), []);
});

test("costs grow with the bounds of what is around", () => {
  const rule = { rule: "self.startsWith('a')" };
  const inMap = (maxProperties: number): RuleSchema => ({
    type: "object",
    maxProperties,
    additionalProperties: withRules({ ...string, maxLength: 10 }, rule),
  });
  assert.deepEqual(check(object({ map: inMap(1000) })), []);
  const [error = ""] = check(object({ map: inMap(10_000_000) }));
  assert.match(error, /estimated rule cost exceeds budget by factor of [0-9.]+x/);
});

test("only rules that are well formed are compiled", () => {
  const inner = withRules(string, { rule: "" });
  const schema = withRules(object({ inner }), { rule: "nothing" });
  assert.deepEqual(check(schema), [
    "schema.properties[inner].x-kubernetes-validations[0].rule: Required value: rule is not specified",
  ]);
});

test("rules of schemas with other errors are not compiled", () => {
  const wrong = withRules(object({ a: withRules(string, { rule: "no" }) }), { rule: "no" });
  const schema = object({ x: wrong, xy: wrong });
  const paths = (...schemaErrors: string[]) => {
    const errors = schemaErrors.map((field) => forbidden(field, "not allowed"));
    return checkRules(schema, "schema", errors).map(({ field }) => field);
  };
  const inner = (name: string) => `schema.properties[${name}].properties[a].${rulePath}`;
  const outer = (name: string) => `schema.properties[${name}].${rulePath}`;
  assert.deepEqual(paths(), [inner("x"), outer("x"), inner("xy"), outer("xy")]);
  assert.deepEqual(paths("schema.properties[x].type"), [inner("x"), inner("xy"), outer("xy")]);
  assert.deepEqual(paths("schema.properties[x].properties[a].type"), [inner("xy"), outer("xy")]);
});

interface Definition {
  readonly name: string;
  readonly schema: RuleSchema;
  /** Fields with errors of other kinds. */
  readonly otherErrors?: readonly string[];
  readonly errors: readonly string[];
}

// What upstream finds in definitions.
for (const { name, schema, otherErrors = [], errors } of golden as readonly Definition[]) {
  test(`definitions: ${name}`, () => {
    const others = otherErrors.map((field) => forbidden(field, ""));
    const found = checkRules(schema, "schema", others);
    assert.deepEqual(found.map(({ type, field }) => `${type} ${field}`).sort(), errors);
  });
}
