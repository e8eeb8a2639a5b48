import {
  bool,
  type Infer,
  int32,
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
  time,
} from "#apimachinery/schema.ts";

export const ConfigMapNodeConfigSource = struct("io.k8s.api.core.v1.ConfigMapNodeConfigSource", {
  namespace: req(1, string),
  name: req(2, string),
  uid: opt(3, named("types.UID", string)),
  resourceVersion: opt(4, string),
  kubeletConfigKey: req(5, string),
});
export interface ConfigMapNodeConfigSource extends Infer<typeof ConfigMapNodeConfigSource> {}

export const NodeConfigSource = struct("io.k8s.api.core.v1.NodeConfigSource", {
  configMap: ptr(2, ConfigMapNodeConfigSource),
});
export interface NodeConfigSource extends Infer<typeof NodeConfigSource> {}

export const DaemonEndpoint = struct("io.k8s.api.core.v1.DaemonEndpoint", {
  Port: req(1, int32),
});
export interface DaemonEndpoint extends Infer<typeof DaemonEndpoint> {}

export const NodeDaemonEndpoints = struct("io.k8s.api.core.v1.NodeDaemonEndpoints", {
  kubeletEndpoint: opt(1, DaemonEndpoint),
});
export interface NodeDaemonEndpoints extends Infer<typeof NodeDaemonEndpoints> {}

export const NodeRuntimeHandlerFeatures = struct("io.k8s.api.core.v1.NodeRuntimeHandlerFeatures", {
  recursiveReadOnlyMounts: ptr(1, bool),
  userNamespaces: ptr(2, bool),
});
export interface NodeRuntimeHandlerFeatures extends Infer<typeof NodeRuntimeHandlerFeatures> {}

export const NodeRuntimeHandler = struct("io.k8s.api.core.v1.NodeRuntimeHandler", {
  name: req(1, string, { required: false }),
  features: ptr(2, NodeRuntimeHandlerFeatures),
});
export interface NodeRuntimeHandler extends Infer<typeof NodeRuntimeHandler> {}

export const NodeFeatures = struct("io.k8s.api.core.v1.NodeFeatures", {
  supplementalGroupsPolicy: ptr(1, bool),
});
export interface NodeFeatures extends Infer<typeof NodeFeatures> {}

export const NodeSwapStatus = struct("io.k8s.api.core.v1.NodeSwapStatus", {
  capacity: ptr(1, int64),
});
export interface NodeSwapStatus extends Infer<typeof NodeSwapStatus> {}

export const NodeSystemInfo = struct("io.k8s.api.core.v1.NodeSystemInfo", {
  machineID: req(1, string),
  systemUUID: req(2, string),
  bootID: req(3, string),
  kernelVersion: req(4, string),
  osImage: req(5, string),
  containerRuntimeVersion: req(6, string),
  kubeletVersion: req(7, string),
  kubeProxyVersion: req(8, string),
  operatingSystem: req(9, string),
  architecture: req(10, string),
  swap: ptr(11, NodeSwapStatus),
});
export interface NodeSystemInfo extends Infer<typeof NodeSystemInfo> {}

export const NodeConfigStatus = struct("io.k8s.api.core.v1.NodeConfigStatus", {
  assigned: ptr(1, NodeConfigSource),
  active: ptr(2, NodeConfigSource),
  lastKnownGood: ptr(3, NodeConfigSource),
  error: opt(4, string),
});
export interface NodeConfigStatus extends Infer<typeof NodeConfigStatus> {}

export const NodeCondition = struct("io.k8s.api.core.v1.NodeCondition", {
  type: req(1, named("v1.NodeConditionType", string)),
  status: req(2, named("v1.ConditionStatus", string)),
  lastHeartbeatTime: opt(3, time),
  lastTransitionTime: opt(4, time),
  reason: opt(5, string),
  message: opt(6, string),
});
export interface NodeCondition extends Infer<typeof NodeCondition> {}

export const NodeAddress = struct("io.k8s.api.core.v1.NodeAddress", {
  type: req(1, named("v1.NodeAddressType", string)),
  address: req(2, string),
});
export interface NodeAddress extends Infer<typeof NodeAddress> {}

export const ContainerImage = struct("io.k8s.api.core.v1.ContainerImage", {
  names: req(1, listOf(string), { required: false, listType: "atomic" }),
  sizeBytes: opt(2, int64),
});
export interface ContainerImage extends Infer<typeof ContainerImage> {}

export const AttachedVolume = struct("io.k8s.api.core.v1.AttachedVolume", {
  name: req(1, named("v1.UniqueVolumeName", string)),
  devicePath: req(2, string),
});
export interface AttachedVolume extends Infer<typeof AttachedVolume> {}

export const NodeStatus = struct("io.k8s.api.core.v1.NodeStatus", {
  capacity: opt(1, named("v1.ResourceList", mapOf(quantity))),
  allocatable: opt(2, named("v1.ResourceList", mapOf(quantity))),
  phase: opt(3, named("v1.NodePhase", string)),
  conditions: opt(4, listOf(NodeCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
  addresses: opt(5, listOf(NodeAddress), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
  daemonEndpoints: opt(6, NodeDaemonEndpoints),
  nodeInfo: opt(7, NodeSystemInfo),
  images: opt(8, listOf(ContainerImage), { listType: "atomic" }),
  volumesInUse: opt(9, listOf(named("v1.UniqueVolumeName", string)), { listType: "atomic" }),
  volumesAttached: opt(10, listOf(AttachedVolume), { listType: "atomic" }),
  config: ptr(11, NodeConfigStatus),
  runtimeHandlers: opt(12, listOf(NodeRuntimeHandler), { listType: "atomic" }),
  features: ptr(13, NodeFeatures),
  declaredFeatures: opt(14, listOf(string), { listType: "atomic" }),
});
export interface NodeStatus extends Infer<typeof NodeStatus> {}
