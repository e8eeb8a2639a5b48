import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const IngressClassParametersReference = struct(
  "io.k8s.api.networking.v1.IngressClassParametersReference",
  {
    apiGroup: ptr(1, string),
    kind: req(2, string),
    name: req(3, string),
    scope: ptr(4, string, { nullable: true }),
    namespace: ptr(5, string),
  },
);
export interface IngressClassParametersReference extends Infer<
  typeof IngressClassParametersReference
> {}

export const IngressClassSpec = struct("io.k8s.api.networking.v1.IngressClassSpec", {
  controller: opt(1, string),
  parameters: ptr(2, IngressClassParametersReference),
});
export interface IngressClassSpec extends Infer<typeof IngressClassSpec> {}

export const IngressClass = kind("io.k8s.api.networking.v1.IngressClass", {
  metadata,
  spec: req(2, IngressClassSpec, { required: false }),
});
export interface IngressClass extends Infer<typeof IngressClass> {}

export const ingressClasses = defineResource<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  scope: "Cluster",
  schema: IngressClass,
});
