import { validateRules } from "./rbac-validation.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, req } from "#apimachinery/schema.ts";
import { PolicyRule } from "./policy-rule.ts";

export const Role = kind("io.k8s.api.rbac.v1.Role", {
  metadata,
  rules: req(2, listOf(PolicyRule), { required: false, listType: "atomic" }),
});
export interface Role extends Infer<typeof Role> {}

export const roles = defineResource<Role>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  scope: "Namespaced",
  schema: Role,
  strategy: {
    nameRule: "path",
    allowCreateOnUpdate: true,
    validate: (role) => [...validateRules(role.rules, { namespaced: true })],
    validateUpdate: (role) => [...validateRules(role.rules, { namespaced: true })],
  },
});
