import { metadata } from "#apimachinery/meta/object-meta.ts";
import {
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
import { ContainerStatus } from "./container-status.ts";
import { ResourceRequirements } from "./container.ts";

export const PodCondition = struct("io.k8s.api.core.v1.PodCondition", {
  type: req(1, named("v1.PodConditionType", string)),
  observedGeneration: opt(7, int64),
  status: req(2, named("v1.ConditionStatus", string)),
  lastProbeTime: opt(3, time),
  lastTransitionTime: opt(4, time),
  reason: opt(5, string),
  message: opt(6, string),
});
export interface PodCondition extends Infer<typeof PodCondition> {}

export const PodResourceClaimStatus = struct("io.k8s.api.core.v1.PodResourceClaimStatus", {
  name: req(1, string),
  resourceClaimName: ptr(2, string),
});
export interface PodResourceClaimStatus extends Infer<typeof PodResourceClaimStatus> {}

export const ContainerExtendedResourceRequest = struct(
  "io.k8s.api.core.v1.ContainerExtendedResourceRequest",
  {
    containerName: req(1, string),
    resourceName: req(2, string),
    requestName: req(3, string),
  },
);
export interface ContainerExtendedResourceRequest extends Infer<
  typeof ContainerExtendedResourceRequest
> {}

export const PodExtendedResourceClaimStatus = struct(
  "io.k8s.api.core.v1.PodExtendedResourceClaimStatus",
  {
    requestMappings: req(1, listOf(ContainerExtendedResourceRequest), { listType: "atomic" }),
    resourceClaimName: req(2, string),
  },
);
export interface PodExtendedResourceClaimStatus extends Infer<
  typeof PodExtendedResourceClaimStatus
> {}

export const PodIP = struct("io.k8s.api.core.v1.PodIP", {
  ip: req(1, string),
});
export interface PodIP extends Infer<typeof PodIP> {}

export const HostIP = struct("io.k8s.api.core.v1.HostIP", {
  ip: req(1, string),
});
export interface HostIP extends Infer<typeof HostIP> {}

export const NodeAllocatableResourceClaimStatus = struct(
  "io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus",
  {
    resourceClaimName: req(1, string),
    containers: opt(2, listOf(string), { listType: "set" }),
    resources: req(3, named("map[v1.ResourceName]resource.Quantity", mapOf(quantity))),
  },
);
export interface NodeAllocatableResourceClaimStatus extends Infer<
  typeof NodeAllocatableResourceClaimStatus
> {}

export const PodStatus = struct("io.k8s.api.core.v1.PodStatus", {
  observedGeneration: opt(17, int64),
  phase: opt(1, named("v1.PodPhase", string)),
  conditions: opt(2, listOf(PodCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
  message: opt(3, string),
  reason: opt(4, string),
  nominatedNodeName: opt(11, string),
  hostIP: opt(5, string),
  hostIPs: opt(16, listOf(HostIP), { listType: "atomic", patch: "merge", mergeKey: "ip" }),
  podIP: opt(6, string),
  podIPs: opt(12, listOf(PodIP), {
    listType: "map",
    mapKeys: ["ip"],
    patch: "merge",
    mergeKey: "ip",
  }),
  startTime: ptr(7, time),
  initContainerStatuses: opt(10, listOf(ContainerStatus), { listType: "atomic" }),
  containerStatuses: opt(8, listOf(ContainerStatus), { listType: "atomic" }),
  qosClass: opt(9, named("v1.PodQOSClass", string)),
  ephemeralContainerStatuses: opt(13, listOf(ContainerStatus), { listType: "atomic" }),
  resize: opt(14, named("v1.PodResizeStatus", string)),
  resourceClaimStatuses: opt(15, listOf(PodResourceClaimStatus), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge,retainKeys",
    mergeKey: "name",
  }),
  extendedResourceClaimStatus: ptr(18, PodExtendedResourceClaimStatus),
  allocatedResources: opt(19, named("v1.ResourceList", mapOf(quantity))),
  resources: ptr(20, ResourceRequirements),
  nodeAllocatableResourceClaimStatuses: opt(21, listOf(NodeAllocatableResourceClaimStatus), {
    listType: "atomic",
  }),
});
export interface PodStatus extends Infer<typeof PodStatus> {}

export const PodStatusResult = kind("io.k8s.api.core.v1.PodStatusResult", {
  metadata,
  status: opt(2, PodStatus),
});
export interface PodStatusResult extends Infer<typeof PodStatusResult> {}
