import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, type Infer, int32, kind, opt, ptr, req, string } from "#apimachinery/schema.ts";

export const PriorityClass = kind("io.k8s.api.scheduling.v1.PriorityClass", {
  metadata,
  value: req(2, int32, { required: false }),
  globalDefault: opt(3, bool),
  description: opt(4, string),
  preemptionPolicy: ptr(5, string),
});
export interface PriorityClass extends Infer<typeof PriorityClass> {}

export const priorityClasses = defineResource<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  scope: "Cluster",
  schema: PriorityClass,
});
