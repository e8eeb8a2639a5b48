import { definePlugin, normalizeToMax, unresolvable } from "../../framework.ts";
import { firstUntolerated, isTolerated } from "../../toleration.ts";

const hardEffects = ["NoSchedule", "NoExecute"];
const normalize = normalizeToMax(true);
const refusal = unresolvable("node(s) had untolerated taint(s)");

/** Keeps pods off nodes whose taints they do not tolerate. Source: scheduler TaintToleration. */
export const taintToleration = definePlugin({
  name: "TaintToleration",
  enqueueOn: ["Node/add", "Node/update-taint", "Pod/update-toleration"],
  filter({ pod }) {
    const tolerations = pod.spec.tolerations ?? [];
    return {
      check({ taints }) {
        if (taints.length === 0) return undefined;
        return firstUntolerated(taints, tolerations, hardEffects) === undefined ? undefined : refusal;
      },
    };
  },
  score({ pod }) {
    const soft = (pod.spec.tolerations ?? []).filter(({ effect }) => !effect || effect === "PreferNoSchedule");
    return {
      score({ taints }) {
        let untolerated = 0;
        for (const taint of taints) {
          if (taint.effect === "PreferNoSchedule" && !isTolerated(taint, soft)) untolerated++;
        }
        return untolerated;
      },
      normalize,
    };
  },
});
