import type { Binding } from "#api/core/v1/binding.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { isAbout } from "../request.ts";

const notReady = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

/** New nodes get no pods before they are ready. Source: plugin/pkg/admission/nodetaint. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  handles: (request) => request.operation === "CREATE" && isAbout(request, "", "nodes"),
  mutate({ object }) {
    const node = object as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === notReady.key && effect === notReady.effect))
      return undefined;
    return { ...node, spec: { ...node.spec, taints: [...taints, notReady] } } as Node;
  },
};

const topologyLabels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/**
 * Pods learn where their node is when they are bound to it. Source:
 * plugin/pkg/admission/podtopologylabels.
 */
export function podTopologyLabels(nodes: LiveSet<Node>): AdmissionPlugin {
  return {
    name: "PodTopologyLabels",
    handles: (request) => request.operation === "CREATE" && isAbout(request, "", "pods", "binding"),
    mutate({ object }) {
      const binding = object as Binding;
      if (binding.target.kind !== "Node") return undefined;
      const found = nodes.get("", binding.target.name ?? "")?.metadata?.labels ?? {};
      const labels = { ...binding.metadata?.labels };
      for (const key of topologyLabels) if (found[key] !== undefined) labels[key] ??= found[key];
      if (Object.keys(labels).length === 0) return undefined;
      return { ...binding, metadata: { ...binding.metadata, labels } } as Binding;
    },
  };
}
