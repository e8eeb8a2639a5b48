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
import { EnvFromSource, EnvVar } from "./env.ts";
import { Lifecycle, Probe } from "./probe.ts";
import { SecurityContext } from "./security-context.ts";

export const ContainerPort = struct("io.k8s.api.core.v1.ContainerPort", {
  name: opt(1, string),
  hostPort: opt(2, int32),
  containerPort: req(3, int32),
  protocol: opt(4, named("v1.Protocol", string), { default: "TCP" }),
  hostIP: opt(5, string),
});
export interface ContainerPort extends Infer<typeof ContainerPort> {}

export const VolumeMount = struct("io.k8s.api.core.v1.VolumeMount", {
  name: req(1, string),
  readOnly: opt(2, bool),
  recursiveReadOnly: ptr(7, named("v1.RecursiveReadOnlyMode", string)),
  mountPath: req(3, string),
  subPath: opt(4, string),
  mountPropagation: ptr(5, named("v1.MountPropagationMode", string)),
  subPathExpr: opt(6, string),
});
export interface VolumeMount extends Infer<typeof VolumeMount> {}

export const VolumeDevice = struct("io.k8s.api.core.v1.VolumeDevice", {
  name: req(1, string),
  devicePath: req(2, string),
});
export interface VolumeDevice extends Infer<typeof VolumeDevice> {}

export const ContainerResizePolicy = struct("io.k8s.api.core.v1.ContainerResizePolicy", {
  resourceName: req(1, named("v1.ResourceName", string)),
  restartPolicy: req(2, named("v1.ResourceResizeRestartPolicy", string)),
});
export interface ContainerResizePolicy extends Infer<typeof ContainerResizePolicy> {}

export const ResourceClaim = struct("io.k8s.api.core.v1.ResourceClaim", {
  name: req(1, string),
  request: opt(2, string),
});
export interface ResourceClaim extends Infer<typeof ResourceClaim> {}

export const ResourceRequirements = struct("io.k8s.api.core.v1.ResourceRequirements", {
  limits: opt(1, named("v1.ResourceList", mapOf(quantity))),
  requests: opt(2, named("v1.ResourceList", mapOf(quantity))),
  claims: opt(3, listOf(ResourceClaim), { listType: "map", mapKeys: ["name"] }),
});
export interface ResourceRequirements extends Infer<typeof ResourceRequirements> {}

export const ContainerRestartRuleOnExitCodes = struct(
  "io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes",
  {
    operator: opt(1, named("v1.ContainerRestartRuleOnExitCodesOperator", string), { required: true }),
    values: opt(2, listOf(int32), { listType: "set" }),
  },
);
export interface ContainerRestartRuleOnExitCodes extends Infer<
  typeof ContainerRestartRuleOnExitCodes
> {}

export const ContainerRestartRule = struct("io.k8s.api.core.v1.ContainerRestartRule", {
  action: opt(1, named("v1.ContainerRestartRuleAction", string), { required: true }),
  exitCodes: ptr(2, ContainerRestartRuleOnExitCodes),
});
export interface ContainerRestartRule extends Infer<typeof ContainerRestartRule> {}

export const Container = struct("io.k8s.api.core.v1.Container", {
  name: req(1, string),
  image: opt(2, string),
  command: opt(3, listOf(string), { listType: "atomic" }),
  args: opt(4, listOf(string), { listType: "atomic" }),
  workingDir: opt(5, string),
  ports: opt(6, listOf(ContainerPort), {
    listType: "map",
    mapKeys: ["containerPort", "protocol"],
    patch: "merge",
    mergeKey: "containerPort",
  }),
  envFrom: opt(19, listOf(EnvFromSource), { listType: "atomic" }),
  env: opt(7, listOf(EnvVar), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
  resources: opt(8, ResourceRequirements),
  resizePolicy: opt(23, listOf(ContainerResizePolicy), { listType: "atomic" }),
  restartPolicy: ptr(24, named("v1.ContainerRestartPolicy", string)),
  restartPolicyRules: opt(25, listOf(ContainerRestartRule), { listType: "atomic" }),
  volumeMounts: opt(9, listOf(VolumeMount), {
    listType: "map",
    mapKeys: ["mountPath"],
    patch: "merge",
    mergeKey: "mountPath",
  }),
  volumeDevices: opt(21, listOf(VolumeDevice), {
    listType: "map",
    mapKeys: ["devicePath"],
    patch: "merge",
    mergeKey: "devicePath",
  }),
  livenessProbe: ptr(10, Probe),
  readinessProbe: ptr(11, Probe),
  startupProbe: ptr(22, Probe),
  lifecycle: ptr(12, Lifecycle),
  terminationMessagePath: opt(13, string),
  terminationMessagePolicy: opt(20, named("v1.TerminationMessagePolicy", string)),
  imagePullPolicy: opt(14, named("v1.PullPolicy", string)),
  securityContext: ptr(15, SecurityContext),
  stdin: opt(16, bool),
  stdinOnce: opt(17, bool),
  tty: opt(18, bool),
});
export interface Container extends Infer<typeof Container> {}

export const EphemeralContainerCommon = struct("io.k8s.api.core.v1.EphemeralContainerCommon", {
  name: req(1, string),
  image: opt(2, string),
  command: opt(3, listOf(string), { listType: "atomic" }),
  args: opt(4, listOf(string), { listType: "atomic" }),
  workingDir: opt(5, string),
  ports: opt(6, listOf(ContainerPort), {
    listType: "map",
    mapKeys: ["containerPort", "protocol"],
    patch: "merge",
    mergeKey: "containerPort",
  }),
  envFrom: opt(19, listOf(EnvFromSource), { listType: "atomic" }),
  env: opt(7, listOf(EnvVar), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
  resources: opt(8, ResourceRequirements),
  resizePolicy: opt(23, listOf(ContainerResizePolicy), { listType: "atomic" }),
  restartPolicy: ptr(24, named("v1.ContainerRestartPolicy", string)),
  restartPolicyRules: opt(25, listOf(ContainerRestartRule), { listType: "atomic" }),
  volumeMounts: opt(9, listOf(VolumeMount), {
    listType: "map",
    mapKeys: ["mountPath"],
    patch: "merge",
    mergeKey: "mountPath",
  }),
  volumeDevices: opt(21, listOf(VolumeDevice), {
    listType: "map",
    mapKeys: ["devicePath"],
    patch: "merge",
    mergeKey: "devicePath",
  }),
  livenessProbe: ptr(10, Probe),
  readinessProbe: ptr(11, Probe),
  startupProbe: ptr(22, Probe),
  lifecycle: ptr(12, Lifecycle),
  terminationMessagePath: opt(13, string),
  terminationMessagePolicy: opt(20, named("v1.TerminationMessagePolicy", string)),
  imagePullPolicy: opt(14, named("v1.PullPolicy", string)),
  securityContext: ptr(15, SecurityContext),
  stdin: opt(16, bool),
  stdinOnce: opt(17, bool),
  tty: opt(18, bool),
});
export interface EphemeralContainerCommon extends Infer<typeof EphemeralContainerCommon> {}

export const EphemeralContainer = struct("io.k8s.api.core.v1.EphemeralContainer", {
  ephemeralContainerCommon: req(1, EphemeralContainerCommon, { inline: true }),
  targetContainerName: opt(2, string),
});
export interface EphemeralContainer extends Infer<typeof EphemeralContainer> {}
