import { statusSubresource } from "#api/strategies.ts";
import { validateNode, validateNodeUpdate } from "./node-validation.ts";
import { nodeColumns } from "./node-columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, type Infer, kind, listOf, named, opt, ptr, req, string, struct, time } from "#apimachinery/schema.ts";
import { NodeProxyOptions } from "./connect-options.ts";
import { NodeConfigSource, NodeStatus } from "./node-status.ts";

export const Taint = struct("io.k8s.api.core.v1.Taint", {
  key: req(1, string),
  value: opt(2, string),
  effect: req(3, named("v1.TaintEffect", string)),
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
  strategy: {
    default(node) {
      const { status } = node;
      if (status?.capacity !== undefined) status.allocatable ??= status.capacity;
      syncPodCidrs(node);
    },
    prepareForCreate(node) {
      delete node.spec.configSource;
    },
    prepareForUpdate(node, { old }) {
      node.status = old.status;
      if (old.spec.configSource === undefined) delete node.spec.configSource;
    },
    validate: (node) => [...validateNode(node)],
    validateUpdate: (node, { old }) => [...validateNode(node), ...validateNodeUpdate(node, old)],
    warnings: (node) => nodeWarnings(node),
  },
  fieldSelectors: { "spec.unschedulable": ({ spec }) => String(spec.unschedulable === true) },
  columns: nodeColumns,
  storage: { prefix: "minions" },
  subresources: {
    proxy: {
      verbs: ["create", "delete", "get", "patch", "update"],
      kind: { group: "", version: "v1", kind: "NodeProxyOptions" },
      schema: NodeProxyOptions,
      handler: "nodes/proxy",
    },
    status: statusSubresource<Node>({
      validate: (node, { old }) => [...validateNodeUpdate(node, old)],
    }),
  },
});

/** `podCIDR` is the first of `podCIDRs`; clients that know only the former are heard. */
function syncPodCidrs({ spec }: Node): void {
  const { podCIDR = "", podCIDRs = [] } = spec;
  if (podCIDR !== "" && podCIDRs[0] !== podCIDR) spec.podCIDRs = [podCIDR];
  const first = spec.podCIDRs?.[0];
  if (first !== undefined) spec.podCIDR = first;
}

function nodeWarnings({ spec }: Node): string[] {
  const warnings: string[] = [];
  if (spec.configSource !== undefined) {
    warnings.push("spec.configSource: the feature is removed");
  }
  if (spec.externalID) warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  return warnings;
}
