import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { sliceConversion } from "./conversion.ts";
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
  time,
} from "#apimachinery/schema.ts";

export const ResourcePool = struct("io.k8s.api.resource.v1beta1.ResourcePool", {
  name: req(1, string),
  generation: req(2, int64),
  resourceSliceCount: req(3, int64),
});
export interface ResourcePool extends Infer<typeof ResourcePool> {}

export const DeviceAttribute = struct("io.k8s.api.resource.v1beta1.DeviceAttribute", {
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

export const CapacityRequestPolicyRange = struct("io.k8s.api.resource.v1beta1.CapacityRequestPolicyRange", {
  min: ptr(1, quantity, { required: true }),
  max: ptr(2, quantity),
  step: ptr(3, quantity),
});
export interface CapacityRequestPolicyRange extends Infer<typeof CapacityRequestPolicyRange> {}

export const CapacityRequestPolicy = struct("io.k8s.api.resource.v1beta1.CapacityRequestPolicy", {
  default: ptr(1, quantity, { nullable: true }),
  validValues: opt(3, listOf(quantity), { listType: "atomic" }),
  validRange: ptr(4, CapacityRequestPolicyRange),
});
export interface CapacityRequestPolicy extends Infer<typeof CapacityRequestPolicy> {}

export const DeviceCapacity = struct("io.k8s.api.resource.v1beta1.DeviceCapacity", {
  value: req(1, quantity),
  requestPolicy: ptr(2, CapacityRequestPolicy),
});
export interface DeviceCapacity extends Infer<typeof DeviceCapacity> {}

export const Counter = struct("io.k8s.api.resource.v1beta1.Counter", {
  value: req(1, quantity),
});
export interface Counter extends Infer<typeof Counter> {}

export const DeviceCounterConsumption = struct("io.k8s.api.resource.v1beta1.DeviceCounterConsumption", {
  counterSet: req(1, string),
  counters: opt(2, mapOf(Counter), { required: true }),
});
export interface DeviceCounterConsumption extends Infer<typeof DeviceCounterConsumption> {}

export const DeviceTaint = struct("io.k8s.api.resource.v1beta1.DeviceTaint", {
  key: req(1, string),
  value: opt(2, string),
  effect: req(3, named("v1beta1.DeviceTaintEffect", string)),
  timeAdded: ptr(4, time),
});
export interface DeviceTaint extends Infer<typeof DeviceTaint> {}

export const NodeAllocatableResourceMapping = struct("io.k8s.api.resource.v1beta1.NodeAllocatableResourceMapping", {
  capacityKey: ptr(1, named("v1beta1.QualifiedName", string)),
  allocationMultiplier: ptr(2, quantity),
});
export interface NodeAllocatableResourceMapping extends Infer<typeof NodeAllocatableResourceMapping> {}

export const BasicDevice = struct("io.k8s.api.resource.v1beta1.BasicDevice", {
  attributes: opt(1, named("map[v1beta1.QualifiedName]v1beta1.DeviceAttribute", mapOf(DeviceAttribute))),
  capacity: opt(2, named("map[v1beta1.QualifiedName]v1beta1.DeviceCapacity", mapOf(DeviceCapacity))),
  consumesCounters: opt(3, listOf(DeviceCounterConsumption), { listType: "atomic" }),
  nodeName: ptr(4, string),
  nodeSelector: ptr(5, NodeSelector),
  allNodes: ptr(6, bool),
  taints: opt(7, listOf(DeviceTaint), { listType: "atomic" }),
  bindsToNode: ptr(8, bool),
  bindingConditions: opt(9, listOf(string), { listType: "atomic" }),
  bindingFailureConditions: opt(10, listOf(string), { listType: "atomic" }),
  allowMultipleAllocations: ptr(11, bool),
  nodeAllocatableResourceMappings: opt(
    12,
    named("map[v1.ResourceName]v1beta1.NodeAllocatableResourceMapping", mapOf(NodeAllocatableResourceMapping)),
  ),
});
export interface BasicDevice extends Infer<typeof BasicDevice> {}

export const Device = struct("io.k8s.api.resource.v1beta1.Device", {
  name: req(1, string),
  basic: ptr(2, BasicDevice),
});
export interface Device extends Infer<typeof Device> {}

export const CounterSet = struct("io.k8s.api.resource.v1beta1.CounterSet", {
  name: req(1, string),
  counters: opt(2, mapOf(Counter), { required: true }),
});
export interface CounterSet extends Infer<typeof CounterSet> {}

export const ResourceSliceSpec = struct("io.k8s.api.resource.v1beta1.ResourceSliceSpec", {
  driver: req(1, string),
  pool: req(2, ResourcePool),
  nodeName: opt(3, string),
  nodeSelector: ptr(4, NodeSelector),
  allNodes: opt(5, bool),
  devices: opt(6, listOf(Device), { listType: "atomic" }),
  perDeviceNodeSelection: ptr(7, bool),
  sharedCounters: opt(8, listOf(CounterSet), { listType: "atomic" }),
});
export interface ResourceSliceSpec extends Infer<typeof ResourceSliceSpec> {}

export const ResourceSlice = kind("io.k8s.api.resource.v1beta1.ResourceSlice", {
  metadata,
  spec: req(2, ResourceSliceSpec),
});
export interface ResourceSlice extends Infer<typeof ResourceSlice> {}

export const resourceSlices = defineResource<ResourceSlice>({
  group: "resource.k8s.io",
  version: "v1beta1",
  kind: "ResourceSlice",
  plural: "resourceslices",
  scope: "Cluster",
  schema: ResourceSlice,
  conversion: sliceConversion,
  strategy: { deleteReturnsObject: true },
  fieldSelectors: {
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
    "spec.driver": ({ spec }) => spec.driver,
  },
  unsupportedField: (field) => `field label not supported for resource.k8s.io/v1beta1, Kind=ResourceSlice: ${field}`,
  columns: [
    nameColumn,
    column("Node", ({ spec }) => spec.nodeName || (spec.allNodes === true ? "<all>" : "<unset>"), {
      description: "Node that has the devices.",
    }),
    column("Driver", ({ spec }) => spec.driver, { description: "Driver that speaks for them." }),
    column("Pool", ({ spec }) => spec.pool.name, { description: "Pool that the slice is part of." }),
    ageColumn,
  ],
  storage: { version: "v1" },
});
