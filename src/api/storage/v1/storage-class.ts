import { validateStorageClass, validateStorageClassUpdate } from "./storage-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { nodeLabelNotice } from "#api/core/v1/node-label-warnings.ts";
import { TopologySelectorTerm } from "#api/core/v1/topology-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  type Infer,
  kind,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  req,
  string,
} from "#apimachinery/schema.ts";

export const StorageClass = kind("io.k8s.api.storage.v1.StorageClass", {
  metadata,
  provisioner: req(2, string),
  parameters: opt(3, mapOf(string)),
  reclaimPolicy: ptr(4, named("v1.PersistentVolumeReclaimPolicy", string)),
  mountOptions: opt(5, listOf(string), { listType: "atomic" }),
  allowVolumeExpansion: ptr(6, bool),
  volumeBindingMode: ptr(7, named("v1.VolumeBindingMode", string)),
  allowedTopologies: opt(8, listOf(TopologySelectorTerm), { listType: "atomic" }),
});
export interface StorageClass extends Infer<typeof StorageClass> {}

export const storageClasses = defineResource<StorageClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  shortNames: ["sc"],
  scope: "Cluster",
  schema: StorageClass,
  strategy: {
    deleteReturnsObject: true,
    default(storage) {
      storage.reclaimPolicy ??= "Delete";
      storage.volumeBindingMode ??= "Immediate";
    },
    warnings: topologyWarnings,
    validate: (storage) => [...validateStorageClass(storage)],
    validateUpdate: (storage, { old }) => [...validateStorageClassUpdate(storage, old)],
  },
  columns: [
    { ...nameColumn, cell: nameText },
    column("Provisioner", ({ provisioner }) => provisioner, { description: "Who makes the volumes." }),
    column("ReclaimPolicy", ({ reclaimPolicy }) => reclaimPolicy ?? "Delete", {
      description: "What becomes of volumes after their claims.",
    }),
    column("VolumeBindingMode", ({ volumeBindingMode }) => volumeBindingMode ?? "<unset>", {
      description: "At once, or when a Pod needs it.",
    }),
    column("AllowVolumeExpansion", ({ allowVolumeExpansion }) => allowVolumeExpansion === true, {
      description: "Whether claims may grow.",
    }),
    ageColumn,
  ],
});

const defaultAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

function nameText({ metadata: { name = "", annotations } }: StorageClass): string {
  const isDefault = defaultAnnotations.some((key) => annotations?.[key] === "true");
  return isDefault ? `${name} (default)` : name;
}

/** Labels of nodes that have a newer name. Source: pkg/api/storage/util.go. */
function topologyWarnings({ allowedTopologies = [] }: StorageClass): string[] {
  return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, i) =>
    matchLabelExpressions.flatMap(({ key }, j) => {
      const notice = nodeLabelNotice(key);
      return notice === undefined ? [] : [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${notice}`];
    }),
  );
}
