import { bindingColumns, defaultBinding } from "./binding-columns.ts";
import { validateBinding } from "./rbac-validation.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, req } from "#apimachinery/schema.ts";
import { RoleRef, Subject } from "./role-ref.ts";

export const RoleBinding = kind("io.k8s.api.rbac.v1.RoleBinding", {
  metadata,
  subjects: opt(2, listOf(Subject), { listType: "atomic" }),
  roleRef: req(3, RoleRef),
});
export interface RoleBinding extends Infer<typeof RoleBinding> {}

export const roleBindings = defineResource<RoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  scope: "Namespaced",
  schema: RoleBinding,
  strategy: {
    nameRule: "path",
    allowCreateOnUpdate: true,
    default: defaultBinding,
    validate: (binding) => [...validateBinding(binding, { namespaced: true })],
    validateUpdate: (binding, { old }) => [...validateBinding(binding, { namespaced: true, old })],
  },
  columns: bindingColumns,
});
