import { type Infer, listOf, named, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const Rule = struct("io.k8s.api.admissionregistration.v1.Rule", {
  apiGroups: opt(1, listOf(string), { listType: "atomic" }),
  apiVersions: opt(2, listOf(string), { listType: "atomic" }),
  resources: opt(3, listOf(string), { listType: "atomic" }),
  scope: ptr(4, named("v1.ScopeType", string)),
});
export interface Rule extends Infer<typeof Rule> {}

export const RuleWithOperations = struct("io.k8s.api.admissionregistration.v1.RuleWithOperations", {
  operations: opt(1, listOf(named("v1.OperationType", string)), { listType: "atomic" }),
  rule: req(2, Rule, { inline: true }),
});
export interface RuleWithOperations extends Infer<typeof RuleWithOperations> {}
