import { metadata } from "#apimachinery/meta/object-meta.ts";
import {
  bool,
  type Infer,
  int32,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  quantity,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";
import { LocalObjectReference } from "./object-reference.ts";
import { PersistentVolumeClaimSpec } from "./persistent-volume-claim-spec.ts";

export const PersistentVolumeClaimVolumeSource = struct(
  "io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource",
  {
    claimName: req(1, string),
    readOnly: opt(2, bool),
  },
);
export interface PersistentVolumeClaimVolumeSource extends Infer<
  typeof PersistentVolumeClaimVolumeSource
> {}

export const HostPathVolumeSource = struct("io.k8s.api.core.v1.HostPathVolumeSource", {
  path: req(1, string),
  type: ptr(2, named("v1.HostPathType", string)),
});
export interface HostPathVolumeSource extends Infer<typeof HostPathVolumeSource> {}

export const EmptyDirVolumeSource = struct("io.k8s.api.core.v1.EmptyDirVolumeSource", {
  medium: opt(1, named("v1.StorageMedium", string)),
  sizeLimit: ptr(2, quantity),
});
export interface EmptyDirVolumeSource extends Infer<typeof EmptyDirVolumeSource> {}

export const GlusterfsVolumeSource = struct("io.k8s.api.core.v1.GlusterfsVolumeSource", {
  endpoints: req(1, string),
  path: req(2, string),
  readOnly: opt(3, bool),
});
export interface GlusterfsVolumeSource extends Infer<typeof GlusterfsVolumeSource> {}

export const RBDVolumeSource = struct("io.k8s.api.core.v1.RBDVolumeSource", {
  monitors: req(1, listOf(string), { listType: "atomic" }),
  image: req(2, string),
  fsType: opt(3, string),
  pool: opt(4, string, { default: "rbd" }),
  user: opt(5, string, { default: "admin" }),
  keyring: opt(6, string, { default: "/etc/ceph/keyring" }),
  secretRef: ptr(7, LocalObjectReference),
  readOnly: opt(8, bool),
});
export interface RBDVolumeSource extends Infer<typeof RBDVolumeSource> {}

export const CinderVolumeSource = struct("io.k8s.api.core.v1.CinderVolumeSource", {
  volumeID: req(1, string),
  fsType: opt(2, string),
  readOnly: opt(3, bool),
  secretRef: ptr(4, LocalObjectReference),
});
export interface CinderVolumeSource extends Infer<typeof CinderVolumeSource> {}

export const CephFSVolumeSource = struct("io.k8s.api.core.v1.CephFSVolumeSource", {
  monitors: req(1, listOf(string), { listType: "atomic" }),
  path: opt(2, string),
  user: opt(3, string),
  secretFile: opt(4, string),
  secretRef: ptr(5, LocalObjectReference),
  readOnly: opt(6, bool),
});
export interface CephFSVolumeSource extends Infer<typeof CephFSVolumeSource> {}

export const FlockerVolumeSource = struct("io.k8s.api.core.v1.FlockerVolumeSource", {
  datasetName: opt(1, string),
  datasetUUID: opt(2, string),
});
export interface FlockerVolumeSource extends Infer<typeof FlockerVolumeSource> {}

export const GCEPersistentDiskVolumeSource = struct(
  "io.k8s.api.core.v1.GCEPersistentDiskVolumeSource",
  {
    pdName: req(1, string),
    fsType: opt(2, string),
    partition: opt(3, int32),
    readOnly: opt(4, bool),
  },
);
export interface GCEPersistentDiskVolumeSource extends Infer<
  typeof GCEPersistentDiskVolumeSource
> {}

export const QuobyteVolumeSource = struct("io.k8s.api.core.v1.QuobyteVolumeSource", {
  registry: req(1, string),
  volume: req(2, string),
  readOnly: opt(3, bool),
  user: opt(4, string),
  group: opt(5, string),
  tenant: opt(6, string),
});
export interface QuobyteVolumeSource extends Infer<typeof QuobyteVolumeSource> {}

export const FlexVolumeSource = struct("io.k8s.api.core.v1.FlexVolumeSource", {
  driver: req(1, string),
  fsType: opt(2, string),
  secretRef: ptr(3, LocalObjectReference),
  readOnly: opt(4, bool),
  options: opt(5, mapOf(string)),
});
export interface FlexVolumeSource extends Infer<typeof FlexVolumeSource> {}

export const AWSElasticBlockStoreVolumeSource = struct(
  "io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource",
  {
    volumeID: req(1, string),
    fsType: opt(2, string),
    partition: opt(3, int32),
    readOnly: opt(4, bool),
  },
);
export interface AWSElasticBlockStoreVolumeSource extends Infer<
  typeof AWSElasticBlockStoreVolumeSource
> {}

export const GitRepoVolumeSource = struct("io.k8s.api.core.v1.GitRepoVolumeSource", {
  repository: req(1, string),
  revision: opt(2, string),
  directory: opt(3, string),
});
export interface GitRepoVolumeSource extends Infer<typeof GitRepoVolumeSource> {}

export const NFSVolumeSource = struct("io.k8s.api.core.v1.NFSVolumeSource", {
  server: req(1, string),
  path: req(2, string),
  readOnly: opt(3, bool),
});
export interface NFSVolumeSource extends Infer<typeof NFSVolumeSource> {}

export const ISCSIVolumeSource = struct("io.k8s.api.core.v1.ISCSIVolumeSource", {
  targetPortal: req(1, string),
  iqn: req(2, string),
  lun: req(3, int32),
  iscsiInterface: opt(4, string, { default: "default" }),
  fsType: opt(5, string),
  readOnly: opt(6, bool),
  portals: opt(7, listOf(string), { listType: "atomic" }),
  chapAuthDiscovery: opt(8, bool),
  chapAuthSession: opt(11, bool),
  secretRef: ptr(10, LocalObjectReference),
  initiatorName: ptr(12, string),
});
export interface ISCSIVolumeSource extends Infer<typeof ISCSIVolumeSource> {}

export const FCVolumeSource = struct("io.k8s.api.core.v1.FCVolumeSource", {
  targetWWNs: opt(1, listOf(string), { listType: "atomic" }),
  lun: ptr(2, int32),
  fsType: opt(3, string),
  readOnly: opt(4, bool),
  wwids: opt(5, listOf(string), { listType: "atomic" }),
});
export interface FCVolumeSource extends Infer<typeof FCVolumeSource> {}

export const AzureFileVolumeSource = struct("io.k8s.api.core.v1.AzureFileVolumeSource", {
  secretName: req(1, string),
  shareName: req(2, string),
  readOnly: opt(3, bool),
});
export interface AzureFileVolumeSource extends Infer<typeof AzureFileVolumeSource> {}

export const VsphereVirtualDiskVolumeSource = struct(
  "io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource",
  {
    volumePath: req(1, string),
    fsType: opt(2, string),
    storagePolicyName: opt(3, string),
    storagePolicyID: opt(4, string),
  },
);
export interface VsphereVirtualDiskVolumeSource extends Infer<
  typeof VsphereVirtualDiskVolumeSource
> {}

export const PhotonPersistentDiskVolumeSource = struct(
  "io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource",
  {
    pdID: req(1, string),
    fsType: opt(2, string),
  },
);
export interface PhotonPersistentDiskVolumeSource extends Infer<
  typeof PhotonPersistentDiskVolumeSource
> {}

export const AzureDiskVolumeSource = struct("io.k8s.api.core.v1.AzureDiskVolumeSource", {
  diskName: req(1, string),
  diskURI: req(2, string),
  cachingMode: ptr(3, named("v1.AzureDataDiskCachingMode", string), { default: "ReadWrite" }),
  fsType: ptr(4, string, { default: "ext4" }),
  readOnly: ptr(5, bool, { default: false }),
  kind: ptr(6, named("v1.AzureDataDiskKind", string), { default: "Shared" }),
});
export interface AzureDiskVolumeSource extends Infer<typeof AzureDiskVolumeSource> {}

export const PortworxVolumeSource = struct("io.k8s.api.core.v1.PortworxVolumeSource", {
  volumeID: req(1, string),
  fsType: opt(2, string),
  readOnly: opt(3, bool),
});
export interface PortworxVolumeSource extends Infer<typeof PortworxVolumeSource> {}

export const ScaleIOVolumeSource = struct("io.k8s.api.core.v1.ScaleIOVolumeSource", {
  gateway: req(1, string),
  system: req(2, string),
  secretRef: ptr(3, LocalObjectReference, { nullable: true, required: true }),
  sslEnabled: opt(4, bool),
  protectionDomain: opt(5, string),
  storagePool: opt(6, string),
  storageMode: opt(7, string, { default: "ThinProvisioned" }),
  volumeName: opt(8, string),
  fsType: opt(9, string, { default: "xfs" }),
  readOnly: opt(10, bool),
});
export interface ScaleIOVolumeSource extends Infer<typeof ScaleIOVolumeSource> {}

export const StorageOSVolumeSource = struct("io.k8s.api.core.v1.StorageOSVolumeSource", {
  volumeName: opt(1, string),
  volumeNamespace: opt(2, string),
  fsType: opt(3, string),
  readOnly: opt(4, bool),
  secretRef: ptr(5, LocalObjectReference),
});
export interface StorageOSVolumeSource extends Infer<typeof StorageOSVolumeSource> {}

export const CSIVolumeSource = struct("io.k8s.api.core.v1.CSIVolumeSource", {
  driver: req(1, string),
  readOnly: ptr(2, bool),
  fsType: ptr(3, string),
  volumeAttributes: opt(4, mapOf(string)),
  nodePublishSecretRef: ptr(5, LocalObjectReference),
});
export interface CSIVolumeSource extends Infer<typeof CSIVolumeSource> {}

export const PersistentVolumeClaimTemplate = struct(
  "io.k8s.api.core.v1.PersistentVolumeClaimTemplate",
  {
    metadata,
    spec: req(2, PersistentVolumeClaimSpec),
  },
);
export interface PersistentVolumeClaimTemplate extends Infer<
  typeof PersistentVolumeClaimTemplate
> {}

export const EphemeralVolumeSource = struct("io.k8s.api.core.v1.EphemeralVolumeSource", {
  volumeClaimTemplate: ptr(1, PersistentVolumeClaimTemplate),
});
export interface EphemeralVolumeSource extends Infer<typeof EphemeralVolumeSource> {}

export const ImageVolumeSource = struct("io.k8s.api.core.v1.ImageVolumeSource", {
  reference: opt(1, string),
  pullPolicy: opt(2, named("v1.PullPolicy", string)),
});
export interface ImageVolumeSource extends Infer<typeof ImageVolumeSource> {}
