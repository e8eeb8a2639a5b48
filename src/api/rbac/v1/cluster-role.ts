import { validateAggregation, validateRules } from "./rbac-validation.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, ptr, req, struct } from "#apimachinery/schema.ts";
import { PolicyRule } from "./policy-rule.ts";

export const AggregationRule = struct("io.k8s.api.rbac.v1.AggregationRule", {
  clusterRoleSelectors: opt(1, listOf(LabelSelector), { listType: "atomic" }),
});
export interface AggregationRule extends Infer<typeof AggregationRule> {}

export const ClusterRole = kind("io.k8s.api.rbac.v1.ClusterRole", {
  metadata,
  rules: req(2, listOf(PolicyRule), { required: false, listType: "atomic" }),
  aggregationRule: ptr(3, AggregationRule),
});
export interface ClusterRole extends Infer<typeof ClusterRole> {}

export const clusterRoles = defineResource<ClusterRole>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  scope: "Cluster",
  schema: ClusterRole,
  strategy: {
    nameRule: "path",
    allowCreateOnUpdate: true,
    validate: (role) => [
      ...validateRules(role.rules, { namespaced: false }),
      ...validateAggregation(role.aggregationRule),
    ],
    validateUpdate: (role) => [
      ...validateRules(role.rules, { namespaced: false }),
      ...validateAggregation(role.aggregationRule),
    ],
  },
});
