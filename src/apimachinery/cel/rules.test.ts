import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvironment, type Environment } from "./environment.ts";
import rules from "./rules.golden.json" with { type: "json" };
import actualCosts from "./rule-actual-costs.golden.json" with { type: "json" };
import costs from "./rule-costs.golden.json" with { type: "json" };
import estimatedCosts from "./rule-estimated-costs.golden.json" with { type: "json" };
import { schemaType, type CelSchema } from "./schema.ts";

// What upstream makes of rules in custom resource definitions: results, errors, cost estimates.

interface RuleCase {
  readonly name: string;
  readonly root?: boolean;
  readonly schema: CelSchema;
  readonly self: unknown;
  readonly oldSelf?: unknown;
  readonly cost?: number;
  readonly valid: readonly string[];
  /** Rule -> part of its error, or of what compiling it says. */
  readonly errors: Readonly<Record<string, string>>;
}

interface CostCase {
  readonly rule: string;
  readonly schema: CelSchema;
  readonly max?: number;
  readonly above?: number;
}

/** Integers that a double cannot hold are written `{"int64": "..."}`. */
function exact(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(exact);
  const entries = Object.entries(json);
  if (entries.length === 1 && entries[0]?.[0] === "int64") return BigInt(String(entries[0][1]));
  return Object.fromEntries(entries.map(([name, value]) => [name, exact(value)]));
}

function environmentFor(schema: CelSchema, resource: boolean): Environment {
  const self = schemaType(schema, { name: "self", resource });
  assert.ok(self);
  return createEnvironment({ variables: { self, oldSelf: self } });
}

function outcome(rule: string, wanted: RuleCase, environment: Environment): string {
  const compiled = environment.compile(rule);
  if (!compiled.ok) return compiled.message;
  const bindings = { self: exact(wanted.self), oldSelf: exact(wanted.oldSelf ?? wanted.self) };
  const result = compiled.program.evaluate(bindings);
  if (!result.ok) return result.error.message;
  if (wanted.cost !== undefined) assert.equal(result.cost, wanted.cost);
  return result.value === true ? "true" : `failed rule: ${rule}`;
}

for (const wanted of rules as unknown as readonly RuleCase[]) {
  test(`rules: ${wanted.name}`, () => {
    const valid = environmentFor(wanted.schema, wanted.root === true);
    for (const rule of wanted.valid) assert.equal(outcome(rule, wanted, valid), "true", rule);
    const asRoot = environmentFor(wanted.schema, true);
    for (const [rule, part] of Object.entries(wanted.errors)) {
      const found = outcome(rule, wanted, asRoot);
      assert.ok(found.includes(part), `${rule}: wanted ${part}, got ${found}`);
    }
  });
}

test("estimates are upstream's for schemas with and without bounds", () => {
  for (const { rule, schema, max, above = 0 } of costs as readonly CostCase[]) {
    const compiled = environmentFor(schema, false).compile(rule);
    assert.ok(compiled.ok, rule);
    if (max !== undefined) assert.equal(compiled.estimatedCost.max, max, rule);
    else assert.ok(compiled.estimatedCost.max >= above, rule);
  }
});

interface Costs {
  readonly name: string;
  readonly schema: CelSchema;
  readonly self?: unknown;
  /** By rule. */
  readonly costs: Readonly<Record<string, number>>;
}

for (const { name, schema, self, costs: wanted } of actualCosts as unknown as readonly Costs[]) {
  test(`actual costs: ${name}`, () => {
    const environment = environmentFor(schema, true);
    for (const [rule, cost] of Object.entries(wanted)) {
      const compiled = environment.compile(rule);
      assert.ok(compiled.ok, rule);
      const result = compiled.program.evaluate({ self: exact(self) });
      assert.ok(result.ok && result.value === true, rule);
      assert.equal(result.cost, cost, rule);
    }
  });
}

for (const { name, schema, costs: wanted } of estimatedCosts as unknown as readonly Costs[]) {
  test(`estimated costs: ${name}`, () => {
    const environment = environmentFor(schema, false);
    for (const [rule, cost] of Object.entries(wanted)) {
      const compiled = environment.compile(rule);
      assert.ok(compiled.ok, rule);
      assert.equal(compiled.estimatedCost.max, cost, rule);
    }
  });
}
