import {
  bool,
  type Infer,
  int32,
  listOf,
  mapOf,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";
import { ObjectReference, SecretReference } from "./object-reference.ts";
import {
  AWSElasticBlockStoreVolumeSource,
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  GCEPersistentDiskVolumeSource,
  HostPathVolumeSource,
  NFSVolumeSource,
  PhotonPersistentDiskVolumeSource,
  PortworxVolumeSource,
  QuobyteVolumeSource,
  VsphereVirtualDiskVolumeSource,
} from "./volume-source.ts";

export const GlusterfsPersistentVolumeSource = struct(
  "io.k8s.api.core.v1.GlusterfsPersistentVolumeSource",
  {
    endpoints: req(1, string),
    path: req(2, string),
    readOnly: opt(3, bool),
    endpointsNamespace: ptr(4, string),
  },
);
export interface GlusterfsPersistentVolumeSource extends Infer<
  typeof GlusterfsPersistentVolumeSource
> {}

export const RBDPersistentVolumeSource = struct("io.k8s.api.core.v1.RBDPersistentVolumeSource", {
  monitors: req(1, listOf(string), { listType: "atomic" }),
  image: req(2, string),
  fsType: opt(3, string),
  pool: opt(4, string, { default: "rbd" }),
  user: opt(5, string, { default: "admin" }),
  keyring: opt(6, string, { default: "/etc/ceph/keyring" }),
  secretRef: ptr(7, SecretReference),
  readOnly: opt(8, bool),
});
export interface RBDPersistentVolumeSource extends Infer<typeof RBDPersistentVolumeSource> {}

export const ISCSIPersistentVolumeSource = struct(
  "io.k8s.api.core.v1.ISCSIPersistentVolumeSource",
  {
    targetPortal: req(1, string),
    iqn: req(2, string),
    lun: req(3, int32),
    iscsiInterface: opt(4, string, { default: "default" }),
    fsType: opt(5, string),
    readOnly: opt(6, bool),
    portals: opt(7, listOf(string), { listType: "atomic" }),
    chapAuthDiscovery: opt(8, bool),
    chapAuthSession: opt(11, bool),
    secretRef: ptr(10, SecretReference),
    initiatorName: ptr(12, string),
  },
);
export interface ISCSIPersistentVolumeSource extends Infer<typeof ISCSIPersistentVolumeSource> {}

export const CinderPersistentVolumeSource = struct(
  "io.k8s.api.core.v1.CinderPersistentVolumeSource",
  {
    volumeID: req(1, string),
    fsType: opt(2, string),
    readOnly: opt(3, bool),
    secretRef: ptr(4, SecretReference),
  },
);
export interface CinderPersistentVolumeSource extends Infer<typeof CinderPersistentVolumeSource> {}

export const CephFSPersistentVolumeSource = struct(
  "io.k8s.api.core.v1.CephFSPersistentVolumeSource",
  {
    monitors: req(1, listOf(string), { listType: "atomic" }),
    path: opt(2, string),
    user: opt(3, string),
    secretFile: opt(4, string),
    secretRef: ptr(5, SecretReference),
    readOnly: opt(6, bool),
  },
);
export interface CephFSPersistentVolumeSource extends Infer<typeof CephFSPersistentVolumeSource> {}

export const FlexPersistentVolumeSource = struct("io.k8s.api.core.v1.FlexPersistentVolumeSource", {
  driver: req(1, string),
  fsType: opt(2, string),
  secretRef: ptr(3, SecretReference),
  readOnly: opt(4, bool),
  options: opt(5, mapOf(string)),
});
export interface FlexPersistentVolumeSource extends Infer<typeof FlexPersistentVolumeSource> {}

export const AzureFilePersistentVolumeSource = struct(
  "io.k8s.api.core.v1.AzureFilePersistentVolumeSource",
  {
    secretName: req(1, string),
    shareName: req(2, string),
    readOnly: opt(3, bool),
    secretNamespace: ptr(4, string, { nullable: true }),
  },
);
export interface AzureFilePersistentVolumeSource extends Infer<
  typeof AzureFilePersistentVolumeSource
> {}

export const ScaleIOPersistentVolumeSource = struct(
  "io.k8s.api.core.v1.ScaleIOPersistentVolumeSource",
  {
    gateway: req(1, string),
    system: req(2, string),
    secretRef: ptr(3, SecretReference, { nullable: true, required: true }),
    sslEnabled: opt(4, bool),
    protectionDomain: opt(5, string),
    storagePool: opt(6, string),
    storageMode: opt(7, string, { default: "ThinProvisioned" }),
    volumeName: opt(8, string),
    fsType: opt(9, string, { default: "xfs" }),
    readOnly: opt(10, bool),
  },
);
export interface ScaleIOPersistentVolumeSource extends Infer<
  typeof ScaleIOPersistentVolumeSource
> {}

export const LocalVolumeSource = struct("io.k8s.api.core.v1.LocalVolumeSource", {
  path: req(1, string),
  fsType: ptr(2, string),
});
export interface LocalVolumeSource extends Infer<typeof LocalVolumeSource> {}

export const StorageOSPersistentVolumeSource = struct(
  "io.k8s.api.core.v1.StorageOSPersistentVolumeSource",
  {
    volumeName: opt(1, string),
    volumeNamespace: opt(2, string),
    fsType: opt(3, string),
    readOnly: opt(4, bool),
    secretRef: ptr(5, ObjectReference),
  },
);
export interface StorageOSPersistentVolumeSource extends Infer<
  typeof StorageOSPersistentVolumeSource
> {}

export const CSIPersistentVolumeSource = struct("io.k8s.api.core.v1.CSIPersistentVolumeSource", {
  driver: req(1, string),
  volumeHandle: req(2, string),
  readOnly: opt(3, bool),
  fsType: opt(4, string),
  volumeAttributes: opt(5, mapOf(string)),
  controllerPublishSecretRef: ptr(6, SecretReference),
  nodeStageSecretRef: ptr(7, SecretReference),
  nodePublishSecretRef: ptr(8, SecretReference),
  controllerExpandSecretRef: ptr(9, SecretReference),
  nodeExpandSecretRef: ptr(10, SecretReference),
});
export interface CSIPersistentVolumeSource extends Infer<typeof CSIPersistentVolumeSource> {}

export const PersistentVolumeSource = struct("io.k8s.api.core.v1.PersistentVolumeSource", {
  gcePersistentDisk: ptr(1, GCEPersistentDiskVolumeSource),
  awsElasticBlockStore: ptr(2, AWSElasticBlockStoreVolumeSource),
  hostPath: ptr(3, HostPathVolumeSource),
  glusterfs: ptr(4, GlusterfsPersistentVolumeSource),
  nfs: ptr(5, NFSVolumeSource),
  rbd: ptr(6, RBDPersistentVolumeSource),
  iscsi: ptr(7, ISCSIPersistentVolumeSource),
  cinder: ptr(8, CinderPersistentVolumeSource),
  cephfs: ptr(9, CephFSPersistentVolumeSource),
  fc: ptr(10, FCVolumeSource),
  flocker: ptr(11, FlockerVolumeSource),
  flexVolume: ptr(12, FlexPersistentVolumeSource),
  azureFile: ptr(13, AzureFilePersistentVolumeSource),
  vsphereVolume: ptr(14, VsphereVirtualDiskVolumeSource),
  quobyte: ptr(15, QuobyteVolumeSource),
  azureDisk: ptr(16, AzureDiskVolumeSource),
  photonPersistentDisk: ptr(17, PhotonPersistentDiskVolumeSource),
  portworxVolume: ptr(18, PortworxVolumeSource),
  scaleIO: ptr(19, ScaleIOPersistentVolumeSource),
  local: ptr(20, LocalVolumeSource),
  storageos: ptr(21, StorageOSPersistentVolumeSource),
  csi: ptr(22, CSIPersistentVolumeSource),
});
export interface PersistentVolumeSource extends Infer<typeof PersistentVolumeSource> {}
