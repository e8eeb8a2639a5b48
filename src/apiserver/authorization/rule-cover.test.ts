import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicyRule } from "./rbac.ts";
import { missingRules, ruleText } from "./rule-cover.ts";

function rule(verbs: string, resources: string, more: Partial<PolicyRule> = {}): PolicyRule {
  return { apiGroups: [""], resources: resources.split(","), verbs: verbs.split(","), ...more };
}

const rows: readonly (readonly [held: PolicyRule[], wanted: PolicyRule[], missing: string[]])[] = [
  [[rule("get,list", "pods")], [rule("get", "pods")], []],
  [[rule("*", "*")], [rule("get,list", "pods,secrets")], []],
  [
    [rule("get", "pods")],
    [rule("*", "pods")],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["*"]}'],
  ],
  [[], [rule("get,list", "pods")], ['{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}']],
  [[rule("get", "*/scale")], [rule("get", "deployments/scale")], []],
  [
    [rule("get", "pods", { resourceNames: ["a"] })],
    [rule("get", "pods", { resourceNames: ["a", "b"] })],
    ['{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}'],
  ],
  [
    [rule("get", "pods", { resourceNames: ["a"] })],
    [rule("get", "pods")],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
  ],
  [
    [{ nonResourceURLs: ["/healthz*"], verbs: ["get"] }],
    [{ nonResourceURLs: ["/healthz/x", "/metrics"], verbs: ["get"] }],
    ['{NonResourceURLs:["/metrics"], Verbs:["get"]}'],
  ],
];

for (const [held, wanted, missing] of rows) {
  test(`missingRules of ${wanted.map(ruleText).join()} is ${missing.join() || "nothing"}`, () => {
    assert.deepEqual(missingRules(held, wanted).map(ruleText), missing);
  });
}
