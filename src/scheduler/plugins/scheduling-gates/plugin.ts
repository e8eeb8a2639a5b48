import { definePlugin, unresolvable } from "../../framework.ts";

/** Holds pods back until their gates are removed. Source: scheduler SchedulingGates. */
export const schedulingGates = definePlugin({
  name: "SchedulingGates",
  enqueueOn: ["Pod/update-gates"],
  preEnqueue({ pod }) {
    const gates = pod.spec.schedulingGates ?? [];
    if (gates.length === 0) return undefined;
    return unresolvable(`waiting for scheduling gates: [${gates.map(({ name }) => name).join(" ")}]`);
  },
});
