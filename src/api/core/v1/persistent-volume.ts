import { rfc3339 } from "#base/clock.ts";
import { statusSubresource } from "#api/strategies.ts";
import { accessModesText } from "./persistent-volume-claim-strategy.ts";
import { persistentVolumeStrategy, volumeClass } from "./persistent-volume-strategy.ts";
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
import { NodeSelector } from "./node-selector.ts";
import { ObjectReference } from "./object-reference.ts";
import { PersistentVolumeSource } from "./persistent-volume-source.ts";

export const VolumeNodeAffinity = struct("io.k8s.api.core.v1.VolumeNodeAffinity", {
  required: ptr(1, NodeSelector),
});
export interface VolumeNodeAffinity extends Infer<typeof VolumeNodeAffinity> {}

export const PersistentVolumeSpec = struct("io.k8s.api.core.v1.PersistentVolumeSpec", {
  capacity: opt(1, named("v1.ResourceList", mapOf(quantity))),
  persistentVolumeSource: req(2, PersistentVolumeSource, { inline: true }),
  accessModes: opt(3, listOf(named("v1.PersistentVolumeAccessMode", string)), { listType: "atomic" }),
  claimRef: ptr(4, ObjectReference, { mapType: "granular" }),
  persistentVolumeReclaimPolicy: opt(5, named("v1.PersistentVolumeReclaimPolicy", string)),
  storageClassName: opt(6, string),
  mountOptions: opt(7, listOf(string), { listType: "atomic" }),
  volumeMode: ptr(8, named("v1.PersistentVolumeMode", string)),
  nodeAffinity: ptr(9, VolumeNodeAffinity),
  volumeAttributesClassName: ptr(10, string),
});
export interface PersistentVolumeSpec extends Infer<typeof PersistentVolumeSpec> {}

export const PersistentVolumeStatus = struct("io.k8s.api.core.v1.PersistentVolumeStatus", {
  phase: opt(1, named("v1.PersistentVolumePhase", string)),
  message: opt(2, string),
  reason: opt(3, string),
  lastPhaseTransitionTime: ptr(4, time),
});
export interface PersistentVolumeStatus extends Infer<typeof PersistentVolumeStatus> {}

export const PersistentVolume = kind("io.k8s.api.core.v1.PersistentVolume", {
  metadata,
  spec: req(2, PersistentVolumeSpec, { required: false }),
  status: opt(3, PersistentVolumeStatus),
});
export interface PersistentVolume extends Infer<typeof PersistentVolume> {}

export const persistentVolumes = defineResource<PersistentVolume>({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  shortNames: ["pv"],
  scope: "Cluster",
  schema: PersistentVolume,
  strategy: persistentVolumeStrategy,
  columns: [
    nameColumn,
    column("Capacity", ({ spec }) => spec.capacity?.["storage"] ?? "0", { description: "Size of the volume." }),
    column("Access Modes", ({ spec }) => accessModesText(spec.accessModes), { description: "How many nodes and Pods may use it." }),
    column("Reclaim Policy", ({ spec }) => spec.persistentVolumeReclaimPolicy ?? "", {
      description: "What becomes of it after its claim.",
    }),
    column("Status", ({ metadata: meta, status }) =>
      meta.deletionTimestamp ? "Terminating" : (status?.phase ?? ""), { description: "Available, bound or released." }),
    column("Claim", ({ spec }) =>
      spec.claimRef === undefined
        ? ""
        : `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}`, { description: "The claim that it is bound to." }),
    column("StorageClass", volumeClass, { description: "Class that it belongs to." }),
    column("VolumeAttributesClass", ({ spec }) => spec.volumeAttributesClassName ?? "<unset>", {
      description: "Class of attributes that may change.",
    }),
    column("Reason", ({ status }) => status?.reason ?? "", { description: "Why it is in this state." }),
    ageColumn,
    column("VolumeMode", ({ spec }) => spec.volumeMode ?? "<unset>", { description: "Filesystem, or Block.", wide: true }),
  ],
  subresources: {
    status: statusSubresource({
      prepare({ status = {} }, { old, nowMs }) {
        const { phase, lastPhaseTransitionTime: time } = old.status ?? {};
        if (status.phase === phase) status.lastPhaseTransitionTime ??= time;
        else if (status.lastPhaseTransitionTime === time) {
          status.lastPhaseTransitionTime = rfc3339(nowMs);
        }
      },
    }),
  },
});
