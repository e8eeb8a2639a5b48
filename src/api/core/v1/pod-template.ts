import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, req } from "#apimachinery/schema.ts";
import { PodTemplateSpec } from "./pod-spec.ts";

export const PodTemplate = kind("io.k8s.api.core.v1.PodTemplate", {
  metadata,
  template: req(2, PodTemplateSpec, { required: false }),
});
export interface PodTemplate extends Infer<typeof PodTemplate> {}

export const podTemplates = defineResource<PodTemplate>({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  scope: "Namespaced",
  schema: PodTemplate,
});
