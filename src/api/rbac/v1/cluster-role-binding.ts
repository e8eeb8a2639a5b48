import { bindingColumns, defaultBinding } from "./binding-columns.ts";
import { validateBinding } from "./rbac-validation.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, req } from "#apimachinery/schema.ts";
import { RoleRef, Subject } from "./role-ref.ts";

export const ClusterRoleBinding = kind("io.k8s.api.rbac.v1.ClusterRoleBinding", {
  metadata,
  subjects: opt(2, listOf(Subject), { listType: "atomic" }),
  roleRef: req(3, RoleRef),
});
export interface ClusterRoleBinding extends Infer<typeof ClusterRoleBinding> {}

export const clusterRoleBindings = defineResource<ClusterRoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  scope: "Cluster",
  schema: ClusterRoleBinding,
  strategy: {
    nameRule: "path",
    allowCreateOnUpdate: true,
    default: defaultBinding,
    validate: (binding) => [...validateBinding(binding, { namespaced: false })],
    validateUpdate: (binding, { old }) => [...validateBinding(binding, { namespaced: false, old })],
  },
  columns: bindingColumns,
});
