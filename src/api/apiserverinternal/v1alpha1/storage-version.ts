import { ObjectMeta } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int64,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";

export const StorageVersionSpec = struct(
  "io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec",
  {},
);
export interface StorageVersionSpec extends Infer<typeof StorageVersionSpec> {}

export const ServerStorageVersion = struct(
  "io.k8s.api.apiserverinternal.v1alpha1.ServerStorageVersion",
  {
    apiServerID: opt(1, string, { required: true }),
    encodingVersion: opt(2, string, { required: true }),
    decodableVersions: opt(3, listOf(string), { required: true, listType: "set" }),
    servedVersions: opt(4, listOf(string), { listType: "set" }),
  },
);
export interface ServerStorageVersion extends Infer<typeof ServerStorageVersion> {}

export const StorageVersionCondition = struct(
  "io.k8s.api.apiserverinternal.v1alpha1.StorageVersionCondition",
  {
    type: req(1, named("v1alpha1.StorageVersionConditionType", string)),
    status: req(2, named("v1alpha1.ConditionStatus", string)),
    observedGeneration: opt(3, int64),
    lastTransitionTime: opt(4, time),
    reason: req(5, string),
    message: opt(6, string, { required: true }),
  },
);
export interface StorageVersionCondition extends Infer<typeof StorageVersionCondition> {}

export const StorageVersionStatus = struct(
  "io.k8s.api.apiserverinternal.v1alpha1.StorageVersionStatus",
  {
    storageVersions: opt(1, listOf(ServerStorageVersion), {
      listType: "map",
      mapKeys: ["apiServerID"],
    }),
    commonEncodingVersion: ptr(2, string),
    conditions: opt(3, listOf(StorageVersionCondition), { listType: "map", mapKeys: ["type"] }),
  },
);
export interface StorageVersionStatus extends Infer<typeof StorageVersionStatus> {}

export const StorageVersion = kind("io.k8s.api.apiserverinternal.v1alpha1.StorageVersion", {
  metadata: req(1, ObjectMeta),
  spec: req(2, StorageVersionSpec, { required: false }),
  status: req(3, StorageVersionStatus, { required: false }),
});
export interface StorageVersion extends Infer<typeof StorageVersion> {}

export const storageVersions = defineResource<StorageVersion>({
  group: "internal.apiserver.k8s.io",
  version: "v1alpha1",
  kind: "StorageVersion",
  plural: "storageversions",
  featureGate: "StorageVersionAPI",
  scope: "Cluster",
  schema: StorageVersion,
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
