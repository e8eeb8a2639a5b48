import { type Pod, pods } from "#api/core/v1/pod.ts";
import { podGroups } from "#api/scheduling/v1alpha2/pod-group.ts";
import type { Index } from "#client/indexer.ts";
import { type Context, definePlugin, pending, unresolvable } from "../../framework.ts";
import { isTerminal, type PodInfo } from "../../pod-info.ts";

/** How long the first pods of a gang keep their places for the others. */
const gangWaitMs = 5 * 60_000;
const name = "GangScheduling";

/** Pods by `namespace/group`. */
const byGroup: Index<Pod> = {
  name: "podGroup",
  valuesOf: (pod) => groupKeys(pod),
};

function groupKeys({ metadata, spec }: Pod): readonly string[] {
  const group = spec.schedulingGroup?.podGroupName;
  return group === undefined ? [] : [`${metadata?.namespace}/${group}`];
}

/** Binds the pods of a gang together or not at all. Source: scheduler GangScheduling, KEP-4671. */
export const gangScheduling = definePlugin({
  name,
  enqueueOn: [
    {
      on: "Pod/add",
      helps: ({ object }, pod) => object === undefined || sameGroup(object as Pod, pod),
    },
    {
      on: "PodGroup/add",
      helps: ({ object }, pod) => groupKeys(pod.pod)[0] === `${object?.metadata?.namespace}/${object?.metadata?.name}`,
    },
  ],
  preEnqueue(pod, context) {
    const [key] = groupKeys(pod.pod);
    if (key === undefined) return undefined;
    const gang = gangOf(key, context);
    if (gang === "missing")
      return unresolvable(
        `waiting for pods's pod group ${JSON.stringify(pod.pod.spec.schedulingGroup?.podGroupName)} to appear in scheduling queue`,
      );
    if (membersOf(key, context).length >= gang.minCount) return undefined;
    return pending("waiting for minCount pods from a gang to appear in scheduling queue");
  },
  permit(pod, _node, context) {
    const [key] = groupKeys(pod.pod);
    const gang = key === undefined ? undefined : gangOf(key, context);
    if (key === undefined || gang === undefined || gang === "missing") return undefined;
    const { cluster, waiting } = context;
    const placed = membersOf(key, context).filter(({ metadata }) => cluster.pod(metadata?.uid ?? "") !== undefined);
    if (placed.length < gang.minCount) return { waitMs: gangWaitMs };
    for (const other of waiting.values()) if (sameGroup(other.pod.pod, pod)) other.allow(name);
    return undefined;
  },
});

function sameGroup(a: Pod, b: PodInfo): boolean {
  const [key] = groupKeys(a);
  return key !== undefined && key === groupKeys(b.pod)[0];
}

function membersOf(key: string, { listers }: Context): Pod[] {
  return listers
    .of(pods)
    .by(byGroup, key)
    .filter((pod) => !isTerminal(pod) && pod.metadata?.deletionTimestamp === undefined);
}

function gangOf(key: string, { listers }: Context): { readonly minCount: number } | "missing" {
  const group = listers.of(podGroups).get(key);
  if (group === undefined) return "missing";
  return { minCount: group.spec.schedulingPolicy.gang?.minCount ?? 1 };
}
