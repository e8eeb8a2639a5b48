import { type Infer, listOf, opt, req, string, struct } from "#apimachinery/schema.ts";

export const PolicyRule = struct("io.k8s.api.rbac.v1.PolicyRule", {
  verbs: req(1, listOf(string), { listType: "atomic" }),
  apiGroups: opt(2, listOf(string), { listType: "atomic" }),
  resources: opt(3, listOf(string), { listType: "atomic" }),
  resourceNames: opt(4, listOf(string), { listType: "atomic" }),
  nonResourceURLs: opt(5, listOf(string), { listType: "atomic" }),
});
export interface PolicyRule extends Infer<typeof PolicyRule> {}
