import { resourceSlices as stored } from "../v1/resource-slice.ts";
import { sameShape } from "#api/strategies.ts";
import { NodeSelector } from "#api/core/v1/node-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  type Infer,
  int64,
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
} from "#apimachinery/schema.ts";
import { DeviceTaint } from "./device-taint.ts";

export const ResourcePool = struct("io.k8s.api.resource.v1beta2.ResourcePool", {
  name: req(1, string),
  generation: req(2, int64),
  resourceSliceCount: req(3, int64),
});
export interface ResourcePool extends Infer<typeof ResourcePool> {}

export const DeviceAttribute = struct("io.k8s.api.resource.v1beta2.DeviceAttribute", {
  int: ptr(2, int64),
  bool: ptr(3, bool),
  string: ptr(4, string),
  version: ptr(5, string),
  ints: opt(6, listOf(int64), { listType: "atomic" }),
  bools: opt(7, listOf(bool), { listType: "atomic" }),
  strings: opt(8, listOf(string), { listType: "atomic" }),
  versions: opt(9, listOf(string), { listType: "atomic" }),
});
export interface DeviceAttribute extends Infer<typeof DeviceAttribute> {}

export const CapacityRequestPolicyRange = struct("io.k8s.api.resource.v1beta2.CapacityRequestPolicyRange", {
  min: ptr(1, quantity, { required: true }),
  max: ptr(2, quantity),
  step: ptr(3, quantity),
});
export interface CapacityRequestPolicyRange extends Infer<typeof CapacityRequestPolicyRange> {}

export const CapacityRequestPolicy = struct("io.k8s.api.resource.v1beta2.CapacityRequestPolicy", {
  default: ptr(1, quantity, { nullable: true }),
  validValues: opt(3, listOf(quantity), { listType: "atomic" }),
  validRange: ptr(4, CapacityRequestPolicyRange),
});
export interface CapacityRequestPolicy extends Infer<typeof CapacityRequestPolicy> {}

export const DeviceCapacity = struct("io.k8s.api.resource.v1beta2.DeviceCapacity", {
  value: req(1, quantity),
  requestPolicy: ptr(2, CapacityRequestPolicy),
});
export interface DeviceCapacity extends Infer<typeof DeviceCapacity> {}

export const Counter = struct("io.k8s.api.resource.v1beta2.Counter", {
  value: req(1, quantity),
});
export interface Counter extends Infer<typeof Counter> {}

export const DeviceCounterConsumption = struct("io.k8s.api.resource.v1beta2.DeviceCounterConsumption", {
  counterSet: req(1, string),
  counters: opt(2, mapOf(Counter), { required: true }),
});
export interface DeviceCounterConsumption extends Infer<typeof DeviceCounterConsumption> {}

export const NodeAllocatableResourceMapping = struct("io.k8s.api.resource.v1beta2.NodeAllocatableResourceMapping", {
  capacityKey: ptr(1, named("v1beta2.QualifiedName", string)),
  allocationMultiplier: ptr(2, quantity),
});
export interface NodeAllocatableResourceMapping extends Infer<typeof NodeAllocatableResourceMapping> {}

export const Device = struct("io.k8s.api.resource.v1beta2.Device", {
  name: req(1, string),
  attributes: opt(2, named("map[v1beta2.QualifiedName]v1beta2.DeviceAttribute", mapOf(DeviceAttribute))),
  capacity: opt(3, named("map[v1beta2.QualifiedName]v1beta2.DeviceCapacity", mapOf(DeviceCapacity))),
  consumesCounters: opt(4, listOf(DeviceCounterConsumption), { listType: "atomic" }),
  nodeName: ptr(5, string),
  nodeSelector: ptr(6, NodeSelector),
  allNodes: ptr(7, bool),
  taints: opt(8, listOf(DeviceTaint), { listType: "atomic" }),
  bindsToNode: ptr(9, bool),
  bindingConditions: opt(10, listOf(string), { listType: "atomic" }),
  bindingFailureConditions: opt(11, listOf(string), { listType: "atomic" }),
  allowMultipleAllocations: ptr(12, bool),
  nodeAllocatableResourceMappings: opt(
    13,
    named("map[v1.ResourceName]v1beta2.NodeAllocatableResourceMapping", mapOf(NodeAllocatableResourceMapping)),
  ),
});
export interface Device extends Infer<typeof Device> {}

export const CounterSet = struct("io.k8s.api.resource.v1beta2.CounterSet", {
  name: req(1, string),
  counters: opt(2, mapOf(Counter), { required: true }),
});
export interface CounterSet extends Infer<typeof CounterSet> {}

export const ResourceSliceSpec = struct("io.k8s.api.resource.v1beta2.ResourceSliceSpec", {
  driver: req(1, string),
  pool: req(2, ResourcePool),
  nodeName: ptr(3, string),
  nodeSelector: ptr(4, NodeSelector),
  allNodes: ptr(5, bool),
  devices: opt(6, listOf(Device), { listType: "atomic" }),
  perDeviceNodeSelection: ptr(7, bool),
  sharedCounters: opt(8, listOf(CounterSet), { listType: "atomic" }),
});
export interface ResourceSliceSpec extends Infer<typeof ResourceSliceSpec> {}

export const ResourceSlice = kind("io.k8s.api.resource.v1beta2.ResourceSlice", {
  metadata,
  spec: req(2, ResourceSliceSpec),
});
export interface ResourceSlice extends Infer<typeof ResourceSlice> {}

export const resourceSlices = defineResource<ResourceSlice>({
  group: "resource.k8s.io",
  version: "v1beta2",
  kind: "ResourceSlice",
  plural: "resourceslices",
  scope: "Cluster",
  schema: ResourceSlice,
  conversion: sameShape,
  strategy: stored.strategy,
  columns: stored.columns,
  fieldSelectors: stored.fieldSelectors,
  unsupportedField: (field) => `field label not supported for resource.k8s.io/v1beta2, Kind=ResourceSlice: ${field}`,
  storage: { version: "v1" },
});
