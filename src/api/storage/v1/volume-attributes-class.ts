import { validateAttributesClass, validateAttributesClassUpdate } from "./storage-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, mapOf, opt, req, string } from "#apimachinery/schema.ts";

export const VolumeAttributesClass = kind("io.k8s.api.storage.v1.VolumeAttributesClass", {
  metadata,
  driverName: req(2, string),
  parameters: opt(3, mapOf(string)),
});
export interface VolumeAttributesClass extends Infer<typeof VolumeAttributesClass> {}

export const volumeAttributesClasses = defineResource<VolumeAttributesClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  shortNames: ["vac"],
  scope: "Cluster",
  schema: VolumeAttributesClass,
  strategy: {
    deleteReturnsObject: true,
    validate: (attributes) => [...validateAttributesClass(attributes)],
    validateUpdate: (attributes, { old }) => [...validateAttributesClassUpdate(attributes, old)],
  },
  columns: [
    nameColumn,
    column("DriverName", ({ driverName }) => driverName, { description: "Driver that knows the attributes." }),
    ageColumn,
  ],
});
