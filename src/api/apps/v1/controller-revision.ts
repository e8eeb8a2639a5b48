import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, int64, kind, opt, rawObject, req } from "#apimachinery/schema.ts";

export const ControllerRevision = kind("io.k8s.api.apps.v1.ControllerRevision", {
  metadata,
  data: opt(2, rawObject),
  revision: req(3, int64),
});
export interface ControllerRevision extends Infer<typeof ControllerRevision> {}

export const controllerRevisions = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "Namespaced",
  schema: ControllerRevision,
});
