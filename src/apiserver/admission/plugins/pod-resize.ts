import type { Node } from "#api/core/v1/node.ts";
import { podRequests } from "#api/core/v1/pod-resources.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { quantityMilliValue, quantityValue } from "#apimachinery/quantity.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { forbid, isAbout } from "../request.ts";

/** Refuses resizes that the Pod's node can never carry out. Source: plugin/pkg/admission/podresize. */
export function podResizeValidator(nodes: LiveSet<Node>): AdmissionPlugin {
  return {
    name: "PodResizeValidator",
    handles: (request) => request.operation === "UPDATE" && isAbout(request, "", "pods", "resize"),
    validate(request) {
      const pod = request.object as Pod;
      const { nodeName = "" } = pod.spec;
      if (nodeName === "" || pod.metadata?.generation === request.oldObject?.metadata?.generation) return;
      const node = nodes.get("", nodeName);
      if (node === undefined) throw forbid(request, `node ${JSON.stringify(nodeName)} not found`);
      const lacks = lackOf(pod, node);
      if (lacks.length > 0) throw forbid(request, `Node didn't have enough allocatable resources: ${lacks.join("; ")}`);
      const os = node.metadata?.labels?.["kubernetes.io/os"] ?? "";
      if (os === "linux") return;
      const shown = [nodeName, os].map((text) => JSON.stringify(text));
      throw forbid(request, `pod resize is only supported on linux nodes, node ${shown[0]} is ${shown[1]}`);
    },
  };
}

function lackOf({ spec }: Pod, { status }: Node): string[] {
  const requests = podRequests(spec);
  return (["cpu", "memory"] as const).flatMap((name) => {
    const value = name === "cpu" ? quantityMilliValue : quantityValue;
    const requested = value(requests[name] ?? "0");
    const allocatable = value(status?.allocatable?.[name] ?? "0");
    return requested > allocatable ? [`${name}, requested: ${requested}, allocatable: ${allocatable}`] : [];
  });
}
