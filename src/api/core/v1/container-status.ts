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
import { ResourceRequirements } from "./container.ts";

export const ContainerStateWaiting = struct("io.k8s.api.core.v1.ContainerStateWaiting", {
  reason: opt(1, string),
  message: opt(2, string),
});
export interface ContainerStateWaiting extends Infer<typeof ContainerStateWaiting> {}

export const ContainerStateRunning = struct("io.k8s.api.core.v1.ContainerStateRunning", {
  startedAt: opt(1, time),
});
export interface ContainerStateRunning extends Infer<typeof ContainerStateRunning> {}

export const ContainerStateTerminated = struct("io.k8s.api.core.v1.ContainerStateTerminated", {
  exitCode: req(1, int32),
  signal: opt(2, int32),
  reason: opt(3, string),
  message: opt(4, string),
  startedAt: opt(5, time),
  finishedAt: opt(6, time),
  containerID: opt(7, string),
});
export interface ContainerStateTerminated extends Infer<typeof ContainerStateTerminated> {}

export const ContainerState = struct("io.k8s.api.core.v1.ContainerState", {
  waiting: ptr(1, ContainerStateWaiting),
  running: ptr(2, ContainerStateRunning),
  terminated: ptr(3, ContainerStateTerminated),
});
export interface ContainerState extends Infer<typeof ContainerState> {}

export const ImageVolumeStatus = struct("io.k8s.api.core.v1.ImageVolumeStatus", {
  imageRef: opt(1, string, { required: true }),
});
export interface ImageVolumeStatus extends Infer<typeof ImageVolumeStatus> {}

export const VolumeStatus = struct("io.k8s.api.core.v1.VolumeStatus", {
  image: ptr(1, ImageVolumeStatus),
});
export interface VolumeStatus extends Infer<typeof VolumeStatus> {}

export const VolumeMountStatus = struct("io.k8s.api.core.v1.VolumeMountStatus", {
  name: req(1, string),
  mountPath: req(2, string),
  readOnly: opt(3, bool),
  recursiveReadOnly: ptr(4, named("v1.RecursiveReadOnlyMode", string)),
  volumeStatus: ptr(5, VolumeStatus),
});
export interface VolumeMountStatus extends Infer<typeof VolumeMountStatus> {}

export const LinuxContainerUser = struct("io.k8s.api.core.v1.LinuxContainerUser", {
  uid: req(1, int64),
  gid: req(2, int64),
  supplementalGroups: opt(3, listOf(int64), { listType: "atomic" }),
});
export interface LinuxContainerUser extends Infer<typeof LinuxContainerUser> {}

export const ContainerUser = struct("io.k8s.api.core.v1.ContainerUser", {
  linux: ptr(1, LinuxContainerUser),
});
export interface ContainerUser extends Infer<typeof ContainerUser> {}

export const ResourceHealth = struct("io.k8s.api.core.v1.ResourceHealth", {
  resourceID: req(1, named("v1.ResourceID", string)),
  health: opt(2, named("v1.ResourceHealthStatus", string)),
  message: ptr(6, string),
});
export interface ResourceHealth extends Infer<typeof ResourceHealth> {}

export const ResourceStatus = struct("io.k8s.api.core.v1.ResourceStatus", {
  name: req(1, named("v1.ResourceName", string)),
  resources: opt(2, listOf(ResourceHealth), { listType: "map", mapKeys: ["resourceID"] }),
});
export interface ResourceStatus extends Infer<typeof ResourceStatus> {}

export const ContainerStatus = struct("io.k8s.api.core.v1.ContainerStatus", {
  name: req(1, string),
  state: opt(2, ContainerState),
  lastState: opt(3, ContainerState),
  ready: req(4, bool),
  restartCount: req(5, int32),
  image: req(6, string),
  imageID: req(7, string),
  containerID: opt(8, string),
  started: ptr(9, bool),
  allocatedResources: opt(10, named("v1.ResourceList", mapOf(quantity))),
  resources: ptr(11, ResourceRequirements),
  volumeMounts: opt(12, listOf(VolumeMountStatus), {
    listType: "map",
    mapKeys: ["mountPath"],
    patch: "merge",
    mergeKey: "mountPath",
  }),
  user: ptr(13, ContainerUser),
  allocatedResourcesStatus: opt(14, listOf(ResourceStatus), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
  stopSignal: ptr(15, named("v1.Signal", string)),
});
export interface ContainerStatus extends Infer<typeof ContainerStatus> {}
