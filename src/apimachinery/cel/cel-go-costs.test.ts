import assert from "node:assert/strict";
import { test } from "node:test";
import golden from "./cel-go-costs.golden.json" with { type: "json" };
import { check } from "./checker.ts";
import { compile } from "./compile.ts";
import { estimateCost } from "./cost-estimate.ts";
import { createScope } from "./environment.ts";
import { unlimited as unlimitedCost } from "./estimate.ts";
import { Frame, unlimited } from "./frame.ts";
import { adaptJson } from "./json-value.ts";
import { bindingsLibrary, twoVariableLibrary } from "./library/comprehensions.ts";
import { optionalLibrary } from "./library/optionals.ts";
import { standardLibrary } from "./library/standard.ts";
import { standardMacros } from "./macros.ts";
import { parse } from "./parser.ts";
import { parseType } from "./signature.ts";

// cel-go's own tables of costs, where presence tests are free, as in Kubernetes.

interface Case {
  readonly expression: string;
  readonly variables: Readonly<Record<string, string>>;
}

interface ActualCase extends Case {
  readonly bindings: Readonly<Record<string, unknown>>;
  readonly cost: number;
}

interface EstimateCase extends Case {
  /** Most elements by path. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly min: number;
  /** Null: without bound. */
  readonly max: number | null;
}

const libraries = [standardLibrary, optionalLibrary, bindingsLibrary, twoVariableLibrary];
const macros = [...standardMacros, ...libraries.flatMap((library) => library.macros ?? [])];

function prepare({ expression, variables }: Case) {
  const types = Object.entries(variables).map(([name, type]) => [name, parseType(type)] as const);
  const scope = createScope({ libraries, variables: Object.fromEntries(types) });
  const parsed = parse(expression, { macros });
  assert.ok(parsed.ok);
  const checked = check(parsed.expr, scope);
  assert.deepEqual(checked.issues, []);
  return { expr: parsed.expr, checked, scope };
}

/** `{text: n}` and `{bytes: n}` stand for that much of it. */
function binding(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if ("text" in json) return "a".repeat(Number(json.text));
  return "bytes" in json ? new Uint8Array(Number(json.bytes)) : json;
}

for (const wanted of golden.actual as unknown as readonly ActualCase[]) {
  test(`actual cost: ${wanted.expression} ${JSON.stringify(wanted.bindings).slice(0, 40)}`, () => {
    const { expr, checked, scope } = prepare(wanted);
    const context = { scope, checked, adapterFor: () => adaptJson, fold: false };
    const { evaluate, variables } = compile(expr, context);
    const bound = Object.entries(wanted.bindings).map(([name, json]) => [name, binding(json)]);
    const frame = new Frame(variables, Object.fromEntries(bound), unlimited);
    evaluate(frame);
    assert.equal(frame.cost, wanted.cost);
  });
}

for (const wanted of golden.estimates as unknown as readonly EstimateCase[]) {
  test(`estimate: ${wanted.expression} ${JSON.stringify(wanted.sizes)}`, () => {
    const { expr, checked } = prepare(wanted);
    const found = estimateCost(expr, checked, (path) => {
      const size = wanted.sizes[path.join(".")];
      return size === undefined ? undefined : { min: 0, max: size };
    });
    assert.deepEqual(found, { min: wanted.min, max: wanted.max ?? unlimitedCost });
  });
}
