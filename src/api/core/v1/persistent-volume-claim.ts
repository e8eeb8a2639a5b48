import { statusSubresource } from "#api/strategies.ts";
import { validateClaimStatus } from "./persistent-volume-claim-update-validation.ts";
import {
  accessModesText,
  claimClass,
  persistentVolumeClaimStrategy,
} from "./persistent-volume-claim-strategy.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  kind,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  quantity,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";
import { PersistentVolumeClaimSpec } from "./persistent-volume-claim-spec.ts";

export const PersistentVolumeClaimCondition = struct(
  "io.k8s.api.core.v1.PersistentVolumeClaimCondition",
  {
    type: req(1, named("v1.PersistentVolumeClaimConditionType", string)),
    status: req(2, named("v1.ConditionStatus", string)),
    lastProbeTime: opt(3, time),
    lastTransitionTime: opt(4, time),
    reason: opt(5, string),
    message: opt(6, string),
  },
);
export interface PersistentVolumeClaimCondition extends Infer<
  typeof PersistentVolumeClaimCondition
> {}

export const ModifyVolumeStatus = struct("io.k8s.api.core.v1.ModifyVolumeStatus", {
  targetVolumeAttributesClassName: opt(1, string),
  status: req(2, named("v1.PersistentVolumeClaimModifyVolumeStatus", string)),
});
export interface ModifyVolumeStatus extends Infer<typeof ModifyVolumeStatus> {}

export const PersistentVolumeClaimStatus = struct(
  "io.k8s.api.core.v1.PersistentVolumeClaimStatus",
  {
    phase: opt(1, named("v1.PersistentVolumeClaimPhase", string)),
    accessModes: opt(2, listOf(named("v1.PersistentVolumeAccessMode", string)), { listType: "atomic" }),
    capacity: opt(3, named("v1.ResourceList", mapOf(quantity))),
    conditions: opt(4, listOf(PersistentVolumeClaimCondition), {
      listType: "map",
      mapKeys: ["type"],
      patch: "merge",
      mergeKey: "type",
    }),
    allocatedResources: opt(5, named("v1.ResourceList", mapOf(quantity))),
    allocatedResourceStatuses: opt(7, named("map[v1.ResourceName]v1.ClaimResourceStatus", mapOf(string)), { mapType: "granular" }),
    currentVolumeAttributesClassName: ptr(8, string),
    modifyVolumeStatus: ptr(9, ModifyVolumeStatus),
  },
);
export interface PersistentVolumeClaimStatus extends Infer<typeof PersistentVolumeClaimStatus> {}

export const PersistentVolumeClaim = kind("io.k8s.api.core.v1.PersistentVolumeClaim", {
  metadata,
  spec: req(2, PersistentVolumeClaimSpec, { required: false }),
  status: opt(3, PersistentVolumeClaimStatus),
});
export interface PersistentVolumeClaim extends Infer<typeof PersistentVolumeClaim> {}

export const persistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  shortNames: ["pvc"],
  scope: "Namespaced",
  schema: PersistentVolumeClaim,
  strategy: persistentVolumeClaimStrategy,
  columns: [
    nameColumn,
    column("Status", ({ metadata: meta, status }) =>
      meta.deletionTimestamp ? "Terminating" : (status?.phase ?? ""), { description: "Bound to a volume, or waiting." }),
    column("Volume", ({ spec }) => spec.volumeName ?? "", { description: "The volume that it is bound to." }),
    column("Capacity", ({ spec, status }) =>
      spec.volumeName ? (status?.capacity?.["storage"] ?? "0") : "", { description: "Size of the volume." }),
    column("Access Modes", ({ spec, status }) =>
      spec.volumeName ? accessModesText(status?.accessModes) : "", { description: "How many nodes and Pods may use it." }),
    column("StorageClass", claimClass, { description: "Class that it belongs to." }),
    column("VolumeAttributesClass", ({ spec }) => spec.volumeAttributesClassName ?? "<unset>", {
      description: "Class of attributes that may change.",
    }),
    ageColumn,
    column("VolumeMode", ({ spec }) => spec.volumeMode ?? "<unset>", { description: "Filesystem, or Block.", wide: true }),
  ],
  subresources: {
    status: statusSubresource({ validate: (claim) => [...validateClaimStatus(claim)] }),
  },
});
