import { type DaemonSet, daemonSets } from "#api/apps/v1/daemon-set.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { affinityFits, type Toleration, untolerated } from "../framework/node-fit.ts";
import { controllerRef } from "../framework/owners.ts";
import { podFromTemplate } from "../framework/pods.ts";

export const hashLabel = "controller-revision-hash";
const generationLabel = "pod-template-generation";
const generationAnnotation = "deprecated.daemonset.template.generation";

/** Daemons stay on nodes in trouble. Source: daemon/util AddOrUpdateDaemonPodTolerations. */
const addedTolerations: readonly Toleration[] = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
];
const hostNetworkToleration: Toleration = {
  key: "node.kubernetes.io/network-unavailable",
  operator: "Exists",
  effect: "NoSchedule",
};

function tolerationsOf(set: DaemonSet): Toleration[] {
  const { tolerations = [], hostNetwork } = set.spec.template.spec;
  const added =
    hostNetwork === true ? [...addedTolerations, hostNetworkToleration] : addedTolerations;
  return [
    ...tolerations,
    ...added.filter(
      (one) =>
        !tolerations.some(
          (own) =>
            own.key === one.key && own.effect === one.effect && own.operator === one.operator,
        ),
    ),
  ];
}

/** A daemon Pod for one node: bound to it by affinity, so that the scheduler places it. */
export function daemonPod(set: DaemonSet, nodeName: string, hash: string): Pod {
  const pod = podFromTemplate(set.spec.template, set, controllerRef(daemonSets, set));
  const generation = set.metadata.annotations?.[generationAnnotation];
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        [hashLabel]: hash,
        ...(generation !== undefined && { [generationLabel]: generation }),
      },
    },
    spec: {
      ...pod.spec,
      affinity: pinned(pod.spec.affinity, nodeName),
      tolerations: tolerationsOf(set),
    },
  };
}

/** Every term of the affinity, narrowed to one node by name. */
function pinned(
  affinity: Pod["spec"]["affinity"],
  nodeName: string,
): NonNullable<Pod["spec"]["affinity"]> {
  const matchFields = [{ key: "metadata.name", operator: "In", values: [nodeName] }];
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms ?? [];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms:
          terms.length === 0 ? [{ matchFields }] : terms.map((term) => ({ ...term, matchFields })),
      },
    },
  };
}

/** The node a daemon Pod is for, bound or not. */
export function nodeNameOf({ spec }: Pod): string {
  if (spec.nodeName) return spec.nodeName;
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      ?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    const field = matchFields.find(
      ({ key, operator, values }) =>
        key === "metadata.name" && operator === "In" && values?.length === 1,
    );
    if (field?.values?.[0] !== undefined) return field.values[0];
  }
  return "";
}

export interface Placement {
  readonly shouldRun: boolean;
  /** A Pod that is there may stay. */
  readonly mayStay: boolean;
}

export function placementOn(set: DaemonSet, node: Node): Placement {
  const { spec } = set.spec.template;
  const named = !spec.nodeName || spec.nodeName === node.metadata.name;
  if (!named || !affinityFits(spec, node)) return { shouldRun: false, mayStay: false };
  const tolerations = tolerationsOf(set);
  if (untolerated(node.spec.taints, tolerations, ["NoExecute"]))
    return { shouldRun: false, mayStay: false };
  return {
    shouldRun: untolerated(node.spec.taints, tolerations, ["NoSchedule"]) === undefined,
    mayStay: true,
  };
}
