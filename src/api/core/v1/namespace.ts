import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, req, string, struct, time } from "#apimachinery/schema.ts";

export const NamespaceSpec = struct("io.k8s.api.core.v1.NamespaceSpec", {
  finalizers: opt(1, listOf(string), { listType: "atomic" }),
});
export interface NamespaceSpec extends Infer<typeof NamespaceSpec> {}

export const NamespaceCondition = struct("io.k8s.api.core.v1.NamespaceCondition", {
  type: req(1, string),
  status: req(2, string),
  lastTransitionTime: opt(4, time),
  reason: opt(5, string),
  message: opt(6, string),
});
export interface NamespaceCondition extends Infer<typeof NamespaceCondition> {}

export const NamespaceStatus = struct("io.k8s.api.core.v1.NamespaceStatus", {
  phase: opt(1, string),
  conditions: opt(2, listOf(NamespaceCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface NamespaceStatus extends Infer<typeof NamespaceStatus> {}

export const Namespace = kind("io.k8s.api.core.v1.Namespace", {
  metadata,
  spec: req(2, NamespaceSpec, { required: false }),
  status: opt(3, NamespaceStatus),
});
export interface Namespace extends Infer<typeof Namespace> {}

export const namespaces = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  scope: "Cluster",
  schema: Namespace,
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  subresources: {
    finalize: { verbs: ["update"], handler: "namespaces/finalize" },
    status: { verbs: ["get", "patch", "update"] },
  },
});
