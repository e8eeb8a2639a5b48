import { volumeAttributesClasses as stored } from "../v1/volume-attributes-class.ts";
import { sameShape } from "#api/strategies.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, mapOf, opt, req, string } from "#apimachinery/schema.ts";

export const VolumeAttributesClass = kind("io.k8s.api.storage.v1beta1.VolumeAttributesClass", {
  metadata,
  driverName: req(2, string),
  parameters: opt(3, mapOf(string)),
});
export interface VolumeAttributesClass extends Infer<typeof VolumeAttributesClass> {}

export const volumeAttributesClasses = defineResource<VolumeAttributesClass>({
  group: "storage.k8s.io",
  version: "v1beta1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  shortNames: ["vac"],
  scope: "Cluster",
  schema: VolumeAttributesClass,
  conversion: sameShape,
  strategy: stored.strategy,
  columns: stored.columns,
  fieldSelectors: stored.fieldSelectors,
  storage: { version: "v1" },
});
