import type { NodeAffinity } from "#api/core/v1/affinity.ts";
import { definePlugin, normalizeToMax, unresolvable } from "../../framework.ts";
import { namedNodes, nodeSelectorMatcher, nodeTermMatcher, requiredNodeMatcher } from "../../node-selection.ts";

interface Args {
  /** Applies to every pod of the profile, beside the pod's own. */
  readonly addedAffinity?: NodeAffinity;
}

const mismatch = unresolvable("node(s) didn't match Pod's node affinity/selector");
const enforced = unresolvable("node(s) didn't match scheduler-enforced node affinity");
const conflict = unresolvable("pod affinity terms conflict");
const normalize = normalizeToMax(false);

/** Honours nodeSelector and node affinity. Source: scheduler NodeAffinity. */
export const nodeAffinity = definePlugin<Args>({
  name: "NodeAffinity",
  args: {},
  enqueueOn: ["Node/add", "Node/update-label"],
  filter({ pod }, { args }) {
    const required = requiredNodeMatcher(pod);
    const added = args.addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (required === undefined && added === undefined) return undefined;
    const matchesAdded = added === undefined ? undefined : nodeSelectorMatcher(added);
    const nodeNames = namedNodes(pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
    if (nodeNames?.size === 0) return conflict;
    return {
      ...(nodeNames && { nodeNames }),
      check(node) {
        if (matchesAdded !== undefined && !matchesAdded(node)) return enforced;
        return required === undefined || required(node) ? undefined : mismatch;
      },
    };
  },
  score({ pod }, { args }) {
    const terms = [
      ...(args.addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
    ].map(({ weight, preference }) => ({ weight, matches: nodeTermMatcher(preference) }));
    if (terms.length === 0) return undefined;
    return {
      score(node) {
        let sum = 0;
        for (const { weight, matches } of terms) if (matches(node)) sum += weight;
        return sum;
      },
      normalize,
    };
  },
});
