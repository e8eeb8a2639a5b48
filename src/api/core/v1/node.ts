import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  type Infer,
  kind,
  listOf,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";
import { NodeProxyOptions } from "./connect-options.ts";
import { NodeConfigSource, NodeStatus } from "./node-status.ts";

export const Taint = struct("io.k8s.api.core.v1.Taint", {
  key: req(1, string),
  value: opt(2, string),
  effect: req(3, string),
  timeAdded: ptr(4, time),
});
export interface Taint extends Infer<typeof Taint> {}

export const NodeSpec = struct("io.k8s.api.core.v1.NodeSpec", {
  podCIDR: opt(1, string),
  podCIDRs: opt(7, listOf(string), { listType: "set", patch: "merge" }),
  providerID: opt(3, string),
  unschedulable: opt(4, bool),
  taints: opt(5, listOf(Taint), { listType: "atomic" }),
  configSource: ptr(6, NodeConfigSource),
  externalID: opt(2, string),
});
export interface NodeSpec extends Infer<typeof NodeSpec> {}

export const Node = kind("io.k8s.api.core.v1.Node", {
  metadata,
  spec: req(2, NodeSpec, { required: false }),
  status: opt(3, NodeStatus),
});
export interface Node extends Infer<typeof Node> {}

export const nodes = defineResource<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  shortNames: ["no"],
  scope: "Cluster",
  schema: Node,
  storage: { prefix: "minions" },
  subresources: {
    proxy: {
      verbs: ["create", "delete", "get", "patch", "update"],
      kind: { group: "", version: "v1", kind: "NodeProxyOptions" },
      schema: NodeProxyOptions,
      handler: "nodes/proxy",
    },
    status: { verbs: ["get", "patch", "update"] },
  },
});
