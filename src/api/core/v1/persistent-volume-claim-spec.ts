import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import {
  type Infer,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  quantity,
  string,
  struct,
} from "#apimachinery/schema.ts";
import { TypedLocalObjectReference, TypedObjectReference } from "./object-reference.ts";

export const VolumeResourceRequirements = struct("io.k8s.api.core.v1.VolumeResourceRequirements", {
  limits: opt(1, named("v1.ResourceList", mapOf(quantity))),
  requests: opt(2, named("v1.ResourceList", mapOf(quantity))),
});
export interface VolumeResourceRequirements extends Infer<typeof VolumeResourceRequirements> {}

export const PersistentVolumeClaimSpec = struct("io.k8s.api.core.v1.PersistentVolumeClaimSpec", {
  accessModes: opt(1, listOf(named("v1.PersistentVolumeAccessMode", string)), { listType: "atomic" }),
  selector: ptr(4, LabelSelector),
  resources: opt(2, VolumeResourceRequirements),
  volumeName: opt(3, string),
  storageClassName: ptr(5, string),
  volumeMode: ptr(6, named("v1.PersistentVolumeMode", string)),
  dataSource: ptr(7, TypedLocalObjectReference),
  dataSourceRef: ptr(8, TypedObjectReference),
  volumeAttributesClassName: ptr(9, string),
});
export interface PersistentVolumeClaimSpec extends Infer<typeof PersistentVolumeClaimSpec> {}
