import assert from "node:assert/strict";
import { test } from "node:test";
import { perObjectMsMax } from "#apimachinery/cel/limits.ts";
import { fieldErrorText } from "#apimachinery/field-error.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { StrategyContext } from "#apimachinery/resource.ts";
import type { Structural } from "#apimachinery/structural/structural.ts";
import type { Clock } from "#base/clock.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { customStrategy } from "./custom-strategy.ts";

const context: StrategyContext = {
  namespace: "",
  userName: "",
  nowMs: 0,
  features: { enabled: () => true },
  subresource: "",
};

function problems(schema: Structural, object: object, clock: Clock): string[] {
  const strategy = customStrategy({
    group: "g.io",
    version: "v1",
    kind: "Foo",
    plural: "foos",
    terminating: false,
    schema: () => schema,
    clock,
    hasStatus: false,
    scale: undefined,
  });
  const whole = { apiVersion: "g.io/v1", kind: "Foo", metadata: { name: "a" }, ...object } as KubeObject;
  return (strategy.validate?.(whole, context) ?? []).map(fieldErrorText);
}

/** Each look at it finds a tenth of the budget gone. */
function hurriedClock(): Clock {
  let now = 0;
  return { ...createVirtualClock(), monotonicMs: () => (now += perObjectMsMax / 10) };
}

const integers = Array.from({ length: 3000 }, (_, i) => i);

const slow: Readonly<Record<string, Structural>> = {
  "one with many iterations": {
    type: "array",
    items: { type: "integer" },
    "x-kubernetes-validations": [{ rule: "self.all(x, x >= 0)" }],
  },
  "many small ones": {
    type: "array",
    items: { type: "integer", "x-kubernetes-validations": [{ rule: "self >= 0" }] },
  },
};

for (const [what, list] of Object.entries(slow)) {
  test(`rules that cost little but take long are stopped: ${what}`, () => {
    const schema: Structural = { type: "object", properties: { list } };
    assert.deepEqual(problems(schema, { list: integers }, createVirtualClock()), []);
    const [problem, ...more] = problems(schema, { list: integers }, hurriedClock());
    assert.match(problem ?? "", /^list.*: Invalid value: "\w+": operation interrupted evaluating rule: self/);
    assert.deepEqual(more, []);
  });
}
