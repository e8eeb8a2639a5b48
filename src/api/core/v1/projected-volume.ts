import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import {
  bool,
  type Infer,
  int32,
  int64,
  listOf,
  mapOf,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";
import { ObjectFieldSelector, ResourceFieldSelector } from "./env.ts";
import { LocalObjectReference } from "./object-reference.ts";

export const KeyToPath = struct("io.k8s.api.core.v1.KeyToPath", {
  key: req(1, string),
  path: req(2, string),
  mode: ptr(3, int32),
});
export interface KeyToPath extends Infer<typeof KeyToPath> {}

export const SecretVolumeSource = struct("io.k8s.api.core.v1.SecretVolumeSource", {
  secretName: opt(1, string),
  items: opt(2, listOf(KeyToPath), { listType: "atomic" }),
  defaultMode: ptr(3, int32),
  optional: ptr(4, bool),
});
export interface SecretVolumeSource extends Infer<typeof SecretVolumeSource> {}

export const SecretProjection = struct("io.k8s.api.core.v1.SecretProjection", {
  localObjectReference: req(1, LocalObjectReference, { inline: true }),
  items: opt(2, listOf(KeyToPath), { listType: "atomic" }),
  optional: ptr(4, bool),
});
export interface SecretProjection extends Infer<typeof SecretProjection> {}

export const ConfigMapVolumeSource = struct("io.k8s.api.core.v1.ConfigMapVolumeSource", {
  localObjectReference: req(1, LocalObjectReference, { inline: true }),
  items: opt(2, listOf(KeyToPath), { listType: "atomic" }),
  defaultMode: ptr(3, int32),
  optional: ptr(4, bool),
});
export interface ConfigMapVolumeSource extends Infer<typeof ConfigMapVolumeSource> {}

export const ConfigMapProjection = struct("io.k8s.api.core.v1.ConfigMapProjection", {
  localObjectReference: req(1, LocalObjectReference, { inline: true }),
  items: opt(2, listOf(KeyToPath), { listType: "atomic" }),
  optional: ptr(4, bool),
});
export interface ConfigMapProjection extends Infer<typeof ConfigMapProjection> {}

export const ServiceAccountTokenProjection = struct(
  "io.k8s.api.core.v1.ServiceAccountTokenProjection",
  {
    audience: opt(1, string),
    expirationSeconds: ptr(2, int64),
    path: req(3, string),
  },
);
export interface ServiceAccountTokenProjection extends Infer<
  typeof ServiceAccountTokenProjection
> {}

export const ClusterTrustBundleProjection = struct(
  "io.k8s.api.core.v1.ClusterTrustBundleProjection",
  {
    name: ptr(1, string),
    signerName: ptr(2, string),
    labelSelector: ptr(3, LabelSelector),
    optional: ptr(5, bool),
    path: req(4, string),
  },
);
export interface ClusterTrustBundleProjection extends Infer<typeof ClusterTrustBundleProjection> {}

export const PodCertificateProjection = struct("io.k8s.api.core.v1.PodCertificateProjection", {
  signerName: opt(1, string, { required: true }),
  keyType: opt(2, string, { required: true }),
  maxExpirationSeconds: ptr(3, int32),
  credentialBundlePath: opt(4, string),
  keyPath: opt(5, string),
  certificateChainPath: opt(6, string),
  userAnnotations: opt(7, mapOf(string)),
});
export interface PodCertificateProjection extends Infer<typeof PodCertificateProjection> {}

export const DownwardAPIVolumeFile = struct("io.k8s.api.core.v1.DownwardAPIVolumeFile", {
  path: req(1, string),
  fieldRef: ptr(2, ObjectFieldSelector),
  resourceFieldRef: ptr(3, ResourceFieldSelector),
  mode: ptr(4, int32),
});
export interface DownwardAPIVolumeFile extends Infer<typeof DownwardAPIVolumeFile> {}

export const DownwardAPIProjection = struct("io.k8s.api.core.v1.DownwardAPIProjection", {
  items: opt(1, listOf(DownwardAPIVolumeFile), { listType: "atomic" }),
});
export interface DownwardAPIProjection extends Infer<typeof DownwardAPIProjection> {}

export const VolumeProjection = struct("io.k8s.api.core.v1.VolumeProjection", {
  secret: ptr(1, SecretProjection),
  downwardAPI: ptr(2, DownwardAPIProjection),
  configMap: ptr(3, ConfigMapProjection),
  serviceAccountToken: ptr(4, ServiceAccountTokenProjection),
  clusterTrustBundle: ptr(5, ClusterTrustBundleProjection),
  podCertificate: ptr(6, PodCertificateProjection),
});
export interface VolumeProjection extends Infer<typeof VolumeProjection> {}

export const ProjectedVolumeSource = struct("io.k8s.api.core.v1.ProjectedVolumeSource", {
  sources: req(1, listOf(VolumeProjection), { required: false, listType: "atomic" }),
  defaultMode: ptr(2, int32),
});
export interface ProjectedVolumeSource extends Infer<typeof ProjectedVolumeSource> {}

export const DownwardAPIVolumeSource = struct("io.k8s.api.core.v1.DownwardAPIVolumeSource", {
  items: opt(1, listOf(DownwardAPIVolumeFile), { listType: "atomic" }),
  defaultMode: ptr(2, int32),
});
export interface DownwardAPIVolumeSource extends Infer<typeof DownwardAPIVolumeSource> {}
