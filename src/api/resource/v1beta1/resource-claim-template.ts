import { ageColumn, nameColumn } from "#apimachinery/columns.ts";
import { defaultRequests } from "./defaults.ts";
import { claimTemplateConversion } from "./conversion.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, req, struct } from "#apimachinery/schema.ts";
import { ResourceClaimSpec } from "./resource-claim-spec.ts";

export const ResourceClaimTemplateSpec = struct(
  "io.k8s.api.resource.v1beta1.ResourceClaimTemplateSpec",
  {
    metadata,
    spec: req(2, ResourceClaimSpec),
  },
);
export interface ResourceClaimTemplateSpec extends Infer<typeof ResourceClaimTemplateSpec> {}

export const ResourceClaimTemplate = kind("io.k8s.api.resource.v1beta1.ResourceClaimTemplate", {
  metadata,
  spec: req(2, ResourceClaimTemplateSpec),
});
export interface ResourceClaimTemplate extends Infer<typeof ResourceClaimTemplate> {}

export const resourceClaimTemplates = defineResource<ResourceClaimTemplate>({
  group: "resource.k8s.io",
  version: "v1beta1",
  kind: "ResourceClaimTemplate",
  plural: "resourceclaimtemplates",
  scope: "Namespaced",
  schema: ResourceClaimTemplate,
  conversion: claimTemplateConversion,
  strategy: { deleteReturnsObject: true, default: ({ spec }) => defaultRequests(spec.spec) },
  columns: [nameColumn, ageColumn],
  storage: { version: "v1" },
});
