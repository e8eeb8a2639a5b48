import { definePlugin, unresolvable } from "../../framework.ts";
import { tolerates } from "../../toleration.ts";

const taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const refusal = unresolvable("node(s) were unschedulable");

/** Keeps pods off cordoned nodes, unless they tolerate it. Source: scheduler NodeUnschedulable. */
export const nodeUnschedulable = definePlugin({
  name: "NodeUnschedulable",
  enqueueOn: ["Node/add", "Node/update-taint", "Pod/update-toleration"],
  filter({ pod }) {
    const tolerant = (pod.spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint));
    if (tolerant) return undefined;
    return { check: ({ node }) => (node.spec.unschedulable === true ? refusal : undefined) };
  },
});
