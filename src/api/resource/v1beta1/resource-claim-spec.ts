import {
  bool,
  type Infer,
  int64,
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
import { DeviceConfiguration, DeviceSelector } from "./device-selector.ts";

export const DeviceToleration = struct("io.k8s.api.resource.v1beta1.DeviceToleration", {
  key: opt(1, string),
  operator: opt(2, named("v1beta1.DeviceTolerationOperator", string), { default: "Equal" }),
  value: opt(3, string),
  effect: opt(4, named("v1beta1.DeviceTaintEffect", string)),
  tolerationSeconds: ptr(5, int64),
});
export interface DeviceToleration extends Infer<typeof DeviceToleration> {}

export const CapacityRequirements = struct("io.k8s.api.resource.v1beta1.CapacityRequirements", {
  requests: opt(1, named("map[v1beta1.QualifiedName]resource.Quantity", mapOf(quantity))),
});
export interface CapacityRequirements extends Infer<typeof CapacityRequirements> {}

export const DeviceSubRequest = struct("io.k8s.api.resource.v1beta1.DeviceSubRequest", {
  name: req(1, string),
  deviceClassName: req(2, string),
  selectors: opt(3, listOf(DeviceSelector), { listType: "atomic" }),
  allocationMode: opt(4, named("v1beta1.DeviceAllocationMode", string)),
  count: opt(5, int64),
  tolerations: opt(7, listOf(DeviceToleration), { listType: "atomic" }),
  capacity: ptr(8, CapacityRequirements),
});
export interface DeviceSubRequest extends Infer<typeof DeviceSubRequest> {}

export const DeviceRequest = struct("io.k8s.api.resource.v1beta1.DeviceRequest", {
  name: req(1, string),
  deviceClassName: req(2, string, { required: false }),
  selectors: opt(3, listOf(DeviceSelector), { listType: "atomic" }),
  allocationMode: opt(4, named("v1beta1.DeviceAllocationMode", string)),
  count: opt(5, int64),
  adminAccess: ptr(6, bool),
  firstAvailable: opt(7, listOf(DeviceSubRequest), { listType: "atomic" }),
  tolerations: opt(8, listOf(DeviceToleration), { listType: "atomic" }),
  capacity: ptr(9, CapacityRequirements),
});
export interface DeviceRequest extends Infer<typeof DeviceRequest> {}

export const DeviceConstraint = struct("io.k8s.api.resource.v1beta1.DeviceConstraint", {
  requests: opt(1, listOf(string), { listType: "atomic" }),
  matchAttribute: ptr(2, named("v1beta1.FullyQualifiedName", string)),
  distinctAttribute: ptr(3, named("v1beta1.FullyQualifiedName", string)),
});
export interface DeviceConstraint extends Infer<typeof DeviceConstraint> {}

export const DeviceClaimConfiguration = struct(
  "io.k8s.api.resource.v1beta1.DeviceClaimConfiguration",
  {
    requests: opt(1, listOf(string), { listType: "atomic" }),
    deviceConfiguration: req(2, DeviceConfiguration, { inline: true }),
  },
);
export interface DeviceClaimConfiguration extends Infer<typeof DeviceClaimConfiguration> {}

export const DeviceClaim = struct("io.k8s.api.resource.v1beta1.DeviceClaim", {
  requests: req(1, listOf(DeviceRequest), { required: false, listType: "atomic" }),
  constraints: opt(2, listOf(DeviceConstraint), { listType: "atomic" }),
  config: opt(3, listOf(DeviceClaimConfiguration), { listType: "atomic" }),
});
export interface DeviceClaim extends Infer<typeof DeviceClaim> {}

export const ResourceClaimSpec = struct("io.k8s.api.resource.v1beta1.ResourceClaimSpec", {
  devices: req(1, DeviceClaim, { required: false }),
});
export interface ResourceClaimSpec extends Infer<typeof ResourceClaimSpec> {}
