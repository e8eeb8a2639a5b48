import { Eviction } from "#api/policy/v1/eviction.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, req } from "#apimachinery/schema.ts";
import { Binding } from "./binding.ts";
import {
  PodAttachOptions,
  PodExecOptions,
  PodLogOptions,
  PodPortForwardOptions,
  PodProxyOptions,
} from "./connect-options.ts";
import { podColumns, podRowConditions } from "./pod-columns.ts";
import { PodSpec } from "./pod-spec.ts";
import { PodStatus } from "./pod-status.ts";
import {
  ephemeralContainersSubresource,
  podStatusSubresource,
  podStrategy,
  resizeSubresource,
} from "./pod-strategy.ts";

export const Pod = kind("io.k8s.api.core.v1.Pod", {
  metadata,
  spec: req(2, PodSpec, { required: false }),
  status: opt(3, PodStatus),
});
export interface Pod extends Infer<typeof Pod> {}

export const pods = defineResource<Pod>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  shortNames: ["po"],
  categories: ["all"],
  scope: "Namespaced",
  schema: Pod,
  strategy: podStrategy,
  columns: podColumns,
  rowConditions: podRowConditions,
  fieldSelectors: {
    "spec.nodeName": (pod) => pod.spec.nodeName ?? "",
    "spec.restartPolicy": (pod) => pod.spec.restartPolicy ?? "",
    "spec.schedulerName": (pod) => pod.spec.schedulerName ?? "",
    "spec.serviceAccountName": (pod) => pod.spec.serviceAccountName ?? "",
    "spec.hostNetwork": (pod) => String(pod.spec.hostNetwork === true),
    "status.phase": (pod) => pod.status?.phase ?? "",
    "status.podIP": (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "",
    "status.podIPs": (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "",
    "status.nominatedNodeName": (pod) => pod.status?.nominatedNodeName ?? "",
  },
  indexes: { "spec.nodeName": (pod) => [pod.spec.nodeName ?? ""] },
  subresources: {
    attach: {
      verbs: ["create", "get"],
      kind: { group: "", version: "v1", kind: "PodAttachOptions" },
      schema: PodAttachOptions,
      handler: "pods/attach",
    },
    binding: {
      verbs: ["create"],
      kind: { group: "", version: "v1", kind: "Binding" },
      schema: Binding,
      handler: "pods/binding",
    },
    ephemeralcontainers: ephemeralContainersSubresource,
    eviction: {
      verbs: ["create"],
      kind: { group: "policy", version: "v1", kind: "Eviction" },
      schema: Eviction,
      handler: "pods/eviction",
    },
    exec: {
      verbs: ["create", "get"],
      kind: { group: "", version: "v1", kind: "PodExecOptions" },
      schema: PodExecOptions,
      handler: "pods/exec",
    },
    log: { verbs: ["get"], schema: PodLogOptions, handler: "pods/log" },
    portforward: {
      verbs: ["create", "get"],
      kind: { group: "", version: "v1", kind: "PodPortForwardOptions" },
      schema: PodPortForwardOptions,
      handler: "pods/portforward",
    },
    proxy: {
      verbs: ["create", "delete", "get", "patch", "update"],
      kind: { group: "", version: "v1", kind: "PodProxyOptions" },
      schema: PodProxyOptions,
      handler: "pods/proxy",
    },
    resize: resizeSubresource,
    status: podStatusSubresource,
  },
});
