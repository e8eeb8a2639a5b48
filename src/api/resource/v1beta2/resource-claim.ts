import { resourceClaims as stored } from "../v1/resource-claim.ts";
import { sameShape } from "#api/strategies.ts";
import { NodeSelector } from "#api/core/v1/node-selector.ts";
import { Condition } from "#apimachinery/meta/condition.ts";
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
  quantity,
  rawObject,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";
import { DeviceConfiguration } from "./device-selector.ts";
import { DeviceToleration, ResourceClaimSpec } from "./resource-claim-spec.ts";

export const DeviceRequestAllocationResult = struct(
  "io.k8s.api.resource.v1beta2.DeviceRequestAllocationResult",
  {
    request: req(1, string),
    driver: req(2, string),
    pool: req(3, string),
    device: req(4, string),
    adminAccess: ptr(5, bool),
    tolerations: opt(6, listOf(DeviceToleration), { listType: "atomic" }),
    bindingConditions: opt(7, listOf(string), { listType: "atomic" }),
    bindingFailureConditions: opt(8, listOf(string), { listType: "atomic" }),
    shareID: ptr(9, named("types.UID", string)),
    consumedCapacity: opt(10, named("map[v1beta2.QualifiedName]resource.Quantity", mapOf(quantity))),
  },
);
export interface DeviceRequestAllocationResult extends Infer<
  typeof DeviceRequestAllocationResult
> {}

export const DeviceAllocationConfiguration = struct(
  "io.k8s.api.resource.v1beta2.DeviceAllocationConfiguration",
  {
    source: req(1, named("v1beta2.AllocationConfigSource", string)),
    requests: opt(2, listOf(string), { listType: "atomic" }),
    deviceConfiguration: req(3, DeviceConfiguration, { inline: true }),
  },
);
export interface DeviceAllocationConfiguration extends Infer<
  typeof DeviceAllocationConfiguration
> {}

export const DeviceAllocationResult = struct("io.k8s.api.resource.v1beta2.DeviceAllocationResult", {
  results: opt(1, listOf(DeviceRequestAllocationResult), { listType: "atomic" }),
  config: opt(2, listOf(DeviceAllocationConfiguration), { listType: "atomic" }),
});
export interface DeviceAllocationResult extends Infer<typeof DeviceAllocationResult> {}

export const AllocationResult = struct("io.k8s.api.resource.v1beta2.AllocationResult", {
  devices: opt(1, DeviceAllocationResult),
  nodeSelector: ptr(3, NodeSelector),
  allocationTimestamp: ptr(5, time),
});
export interface AllocationResult extends Infer<typeof AllocationResult> {}

export const ResourceClaimConsumerReference = struct(
  "io.k8s.api.resource.v1beta2.ResourceClaimConsumerReference",
  {
    apiGroup: opt(1, string),
    resource: req(3, string),
    name: req(4, string),
    uid: req(5, named("types.UID", string)),
  },
);
export interface ResourceClaimConsumerReference extends Infer<
  typeof ResourceClaimConsumerReference
> {}

export const NetworkDeviceData = struct("io.k8s.api.resource.v1beta2.NetworkDeviceData", {
  interfaceName: opt(1, string),
  ips: opt(2, listOf(string), { listType: "atomic" }),
  hardwareAddress: opt(3, string),
});
export interface NetworkDeviceData extends Infer<typeof NetworkDeviceData> {}

export const AllocatedDeviceStatus = struct("io.k8s.api.resource.v1beta2.AllocatedDeviceStatus", {
  driver: req(1, string),
  pool: req(2, string),
  device: req(3, string),
  shareID: ptr(7, string),
  conditions: req(4, listOf(Condition), { required: false, listType: "map", mapKeys: ["type"] }),
  data: ptr(5, rawObject),
  networkData: ptr(6, NetworkDeviceData),
});
export interface AllocatedDeviceStatus extends Infer<typeof AllocatedDeviceStatus> {}

export const ResourceClaimStatus = struct("io.k8s.api.resource.v1beta2.ResourceClaimStatus", {
  allocation: ptr(1, AllocationResult),
  reservedFor: opt(2, listOf(ResourceClaimConsumerReference), {
    listType: "map",
    mapKeys: ["uid"],
    patch: "merge",
    mergeKey: "uid",
  }),
  devices: opt(4, listOf(AllocatedDeviceStatus), {
    listType: "map",
    mapKeys: ["driver", "device", "pool", "shareID"],
  }),
});
export interface ResourceClaimStatus extends Infer<typeof ResourceClaimStatus> {}

export const ResourceClaim = kind("io.k8s.api.resource.v1beta2.ResourceClaim", {
  metadata,
  spec: req(2, ResourceClaimSpec),
  status: opt(3, ResourceClaimStatus),
});
export interface ResourceClaim extends Infer<typeof ResourceClaim> {}

export const resourceClaims = defineResource<ResourceClaim>({
  group: "resource.k8s.io",
  version: "v1beta2",
  kind: "ResourceClaim",
  plural: "resourceclaims",
  scope: "Namespaced",
  schema: ResourceClaim,
  conversion: sameShape,
  strategy: stored.strategy,
  columns: stored.columns,
  fieldSelectors: stored.fieldSelectors,
  storage: { version: "v1" },
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
