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
import { PodSpec } from "./pod-spec.ts";
import { PodStatus } from "./pod-status.ts";

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
    ephemeralcontainers: { verbs: ["get", "patch", "update"] },
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
    resize: { verbs: ["get", "patch", "update"] },
    status: { verbs: ["get", "patch", "update"] },
  },
});
