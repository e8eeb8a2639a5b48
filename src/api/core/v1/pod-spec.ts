import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
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
} from "#apimachinery/schema.ts";
import { Affinity } from "./affinity.ts";
import { Container, EphemeralContainer, ResourceRequirements } from "./container.ts";
import { LocalObjectReference } from "./object-reference.ts";
import { PodSecurityContext } from "./security-context.ts";
import { Volume } from "./volume.ts";

export const Toleration = struct("io.k8s.api.core.v1.Toleration", {
  key: opt(1, string),
  operator: opt(2, named("v1.TolerationOperator", string)),
  value: opt(3, string),
  effect: opt(4, named("v1.TaintEffect", string)),
  tolerationSeconds: ptr(5, int64),
});
export interface Toleration extends Infer<typeof Toleration> {}

export const PodReadinessGate = struct("io.k8s.api.core.v1.PodReadinessGate", {
  conditionType: req(1, named("v1.PodConditionType", string)),
});
export interface PodReadinessGate extends Infer<typeof PodReadinessGate> {}

export const HostAlias = struct("io.k8s.api.core.v1.HostAlias", {
  ip: req(1, string),
  hostnames: opt(2, listOf(string), { listType: "atomic" }),
});
export interface HostAlias extends Infer<typeof HostAlias> {}

export const PodDNSConfigOption = struct("io.k8s.api.core.v1.PodDNSConfigOption", {
  name: opt(1, string),
  value: ptr(2, string),
});
export interface PodDNSConfigOption extends Infer<typeof PodDNSConfigOption> {}

export const PodDNSConfig = struct("io.k8s.api.core.v1.PodDNSConfig", {
  nameservers: opt(1, listOf(string), { listType: "atomic" }),
  searches: opt(2, listOf(string), { listType: "atomic" }),
  options: opt(3, listOf(PodDNSConfigOption), { listType: "atomic" }),
});
export interface PodDNSConfig extends Infer<typeof PodDNSConfig> {}

export const TopologySpreadConstraint = struct("io.k8s.api.core.v1.TopologySpreadConstraint", {
  maxSkew: req(1, int32),
  topologyKey: req(2, string),
  whenUnsatisfiable: req(3, named("v1.UnsatisfiableConstraintAction", string)),
  labelSelector: ptr(4, LabelSelector),
  minDomains: ptr(5, int32),
  nodeAffinityPolicy: ptr(6, named("v1.NodeInclusionPolicy", string)),
  nodeTaintsPolicy: ptr(7, named("v1.NodeInclusionPolicy", string)),
  matchLabelKeys: opt(8, listOf(string), { listType: "atomic" }),
});
export interface TopologySpreadConstraint extends Infer<typeof TopologySpreadConstraint> {}

export const PodOS = struct("io.k8s.api.core.v1.PodOS", {
  name: req(1, named("v1.OSName", string)),
});
export interface PodOS extends Infer<typeof PodOS> {}

export const PodSchedulingGate = struct("io.k8s.api.core.v1.PodSchedulingGate", {
  name: req(1, string),
});
export interface PodSchedulingGate extends Infer<typeof PodSchedulingGate> {}

export const PodResourceClaim = struct("io.k8s.api.core.v1.PodResourceClaim", {
  name: req(1, string),
  resourceClaimName: ptr(3, string),
  resourceClaimTemplateName: ptr(4, string),
});
export interface PodResourceClaim extends Infer<typeof PodResourceClaim> {}

export const PodSchedulingGroup = struct(
  "io.k8s.api.core.v1.PodSchedulingGroup",
  {
    podGroupName: ptr(1, string),
  },
  { unions: [{ fields: { podGroupName: "PodGroupName" } }] },
);
export interface PodSchedulingGroup extends Infer<typeof PodSchedulingGroup> {}

export const PodSpec = struct("io.k8s.api.core.v1.PodSpec", {
  volumes: opt(1, listOf(Volume), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge,retainKeys",
    mergeKey: "name",
  }),
  initContainers: opt(20, listOf(Container), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
  containers: req(2, listOf(Container), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
  ephemeralContainers: opt(34, listOf(EphemeralContainer), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
  restartPolicy: opt(3, named("v1.RestartPolicy", string)),
  terminationGracePeriodSeconds: ptr(4, int64),
  activeDeadlineSeconds: ptr(5, int64),
  dnsPolicy: opt(6, named("v1.DNSPolicy", string)),
  nodeSelector: opt(7, mapOf(string), { mapType: "atomic" }),
  serviceAccountName: opt(8, string),
  serviceAccount: opt(9, string),
  automountServiceAccountToken: ptr(21, bool),
  nodeName: opt(10, string),
  hostNetwork: opt(11, bool),
  hostPID: opt(12, bool),
  hostIPC: opt(13, bool),
  shareProcessNamespace: ptr(27, bool),
  securityContext: ptr(14, PodSecurityContext),
  imagePullSecrets: opt(15, listOf(LocalObjectReference), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
  hostname: opt(16, string),
  subdomain: opt(17, string),
  affinity: ptr(18, Affinity),
  schedulerName: opt(19, string),
  tolerations: opt(22, listOf(Toleration), { listType: "atomic" }),
  hostAliases: opt(23, listOf(HostAlias), {
    listType: "map",
    mapKeys: ["ip"],
    patch: "merge",
    mergeKey: "ip",
  }),
  priorityClassName: opt(24, string),
  priority: ptr(25, int32),
  dnsConfig: ptr(26, PodDNSConfig),
  readinessGates: opt(28, listOf(PodReadinessGate), { listType: "atomic" }),
  runtimeClassName: ptr(29, string),
  enableServiceLinks: ptr(30, bool),
  preemptionPolicy: ptr(31, named("v1.PreemptionPolicy", string)),
  overhead: opt(32, named("v1.ResourceList", mapOf(quantity))),
  topologySpreadConstraints: opt(33, listOf(TopologySpreadConstraint), {
    listType: "map",
    mapKeys: ["topologyKey", "whenUnsatisfiable"],
    patch: "merge",
    mergeKey: "topologyKey",
  }),
  setHostnameAsFQDN: ptr(35, bool),
  os: ptr(36, PodOS),
  hostUsers: ptr(37, bool),
  schedulingGates: opt(38, listOf(PodSchedulingGate), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
  resourceClaims: opt(39, listOf(PodResourceClaim), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge,retainKeys",
    mergeKey: "name",
  }),
  resources: ptr(40, ResourceRequirements),
  hostnameOverride: ptr(41, string),
  schedulingGroup: ptr(43, PodSchedulingGroup),
});
export interface PodSpec extends Infer<typeof PodSpec> {}

export const PodTemplateSpec = struct("io.k8s.api.core.v1.PodTemplateSpec", {
  metadata,
  spec: req(2, PodSpec, { required: false }),
});
export interface PodTemplateSpec extends Infer<typeof PodTemplateSpec> {}
