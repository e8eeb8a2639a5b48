import { definePlugin, unschedulable } from "../../framework.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { portInUse } from "../../node-info.ts";
import { hostPortsOf, type PodInfo } from "../../pod-info.ts";

const refusal = unschedulable("node(s) didn't have free ports for the requested pod ports");

/** Keeps pods apart that want the same port of a node. Source: scheduler NodePorts. */
export const nodePorts = definePlugin({
  name: "NodePorts",
  enqueueOn: [{ on: "AssignedPod/delete", helps: ({ object }, pod) => freesPort(object, pod) }, "Node/add"],
  filter({ hostPorts }) {
    if (hostPorts.length === 0) return undefined;
    return {
      check: (node) => (hostPorts.some((port) => portInUse(node, port)) ? refusal : undefined),
    };
  },
});

function freesPort(gone: KubeObject | undefined, { hostPorts }: PodInfo): boolean {
  if (gone === undefined) return true;
  const freed = hostPortsOf(gone as Pod);
  return hostPorts.some(({ port, protocol }) =>
    freed.some((other) => other.port === port && other.protocol === protocol),
  );
}
