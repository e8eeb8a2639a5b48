import { definePlugin, unresolvable } from "../../framework.ts";

const refusal = unresolvable("node(s) didn't match the requested node name");

/** Honours a node that the pod names itself. Source: scheduler NodeName. */
export const nodeName = definePlugin({
  name: "NodeName",
  enqueueOn: ["Node/add"],
  filter({ pod }) {
    const wanted = pod.spec.nodeName ?? "";
    if (wanted === "") return undefined;
    return { check: ({ name }) => (name === wanted ? undefined : refusal) };
  },
});
