import { validateStorageCapacity, validateStorageCapacityUpdate } from "./storage-validation.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, ptr, quantity, req, string } from "#apimachinery/schema.ts";

export const CSIStorageCapacity = kind("io.k8s.api.storage.v1.CSIStorageCapacity", {
  metadata,
  nodeTopology: ptr(2, LabelSelector),
  storageClassName: req(3, string),
  capacity: ptr(4, quantity),
  maximumVolumeSize: ptr(5, quantity),
});
export interface CSIStorageCapacity extends Infer<typeof CSIStorageCapacity> {}

export const csiStorageCapacities = defineResource<CSIStorageCapacity>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  scope: "Namespaced",
  schema: CSIStorageCapacity,
  strategy: {
    validate: (capacity) => [...validateStorageCapacity(capacity)],
    validateUpdate: (capacity, { old }) => [...validateStorageCapacityUpdate(capacity, old)],
  },
});
