import type { ReplicaSetCondition, ReplicaSetStatus } from "#api/apps/v1/replica-set.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { selectorFromLabels } from "#apimachinery/selectors.ts";
import {
  byDeletionPreference,
  isActive,
  isAvailable,
  isReady,
  isTerminating,
} from "../framework/pods.ts";

/** Most Pods created or deleted in one reconcile. Source: pkg/controller/replicaset BurstReplicas. */
export const burstReplicas = 500;

/** What a ReplicaSet and a ReplicationController have in common. */
export interface ReplicaView {
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly template: PodTemplateSpec | undefined;
  readonly generation: number;
  readonly status: ReplicaSetStatus;
}

export interface ReplicaPlan {
  readonly create: number;
  /** First to go first. */
  readonly remove: readonly Pod[];
}

/** Brings the active Pods to the wanted number. `related` are those whose crowding of a node counts. */
export function planReplicas(
  view: ReplicaView,
  owned: readonly Pod[],
  around: { related: readonly Pod[]; nowMs: number },
): ReplicaPlan {
  const active = owned.filter(isActive);
  const missing = view.replicas - active.length;
  const count = Math.min(Math.abs(missing), burstReplicas);
  if (missing >= 0) return { create: count, remove: [] };
  if (count === active.length) return { create: 0, remove: active };
  const crowds = Map.groupBy(around.related.filter(isActive), ({ spec }) => spec.nodeName ?? "");
  const crowdOf = ({ spec }: Pod): number => crowds.get(spec.nodeName ?? "")?.length ?? 0;
  return {
    create: 0,
    remove: active.toSorted(byDeletionPreference(crowdOf, around.nowMs)).slice(0, count),
  };
}

export interface ManageFailure {
  readonly message: string;
  readonly now: string;
}

/** The status that shows `owned`. `failure`: what creating or deleting met. */
export function replicaStatus(
  view: ReplicaView,
  owned: readonly Pod[],
  at: { readonly nowMs: number; readonly failure: ManageFailure | undefined },
): ReplicaSetStatus {
  const active = owned.filter(isActive);
  const ready = active.filter(isReady);
  const templated = selectorFromLabels(view.template?.metadata?.labels);
  return {
    ...view.status,
    replicas: active.length,
    fullyLabeledReplicas: active.filter(({ metadata }) => templated.matches(metadata?.labels))
      .length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isAvailable(pod, view.minReadySeconds, at.nowMs))
      .length,
    terminatingReplicas: owned.filter(isTerminating).length,
    observedGeneration: view.generation,
    conditions: conditionsWith(view, active.length, at.failure),
  };
}

function conditionsWith(
  view: ReplicaView,
  activeCount: number,
  failure: ManageFailure | undefined,
): ReplicaSetCondition[] {
  const conditions = view.status.conditions ?? [];
  const others = conditions.filter(({ type }) => type !== "ReplicaFailure");
  if (failure === undefined) return others;
  const known = conditions.find(({ type }) => type === "ReplicaFailure");
  if (known) return conditions;
  const reason = activeCount < view.replicas ? "FailedCreate" : "FailedDelete";
  const { message, now } = failure;
  return [
    ...others,
    { type: "ReplicaFailure", status: "True", lastTransitionTime: now, reason, message },
  ];
}

/** Absent and zero fields are the same thing. */
export function sameStatus(a: ReplicaSetStatus, b: ReplicaSetStatus): boolean {
  return deepEqual(filled(a), filled(b));
}

function filled(status: ReplicaSetStatus): ReplicaSetStatus {
  return {
    replicas: status.replicas,
    fullyLabeledReplicas: status.fullyLabeledReplicas ?? 0,
    readyReplicas: status.readyReplicas ?? 0,
    availableReplicas: status.availableReplicas ?? 0,
    terminatingReplicas: status.terminatingReplicas ?? 0,
    observedGeneration: status.observedGeneration ?? 0,
    conditions: status.conditions ?? [],
  };
}
