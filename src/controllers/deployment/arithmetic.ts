import type { Deployment, DeploymentStatus } from "#api/apps/v1/deployment.ts";
import type { ReplicaSet } from "#api/apps/v1/replica-set.ts";
import { createdMs } from "../framework/pods.ts";
import { desiredReplicasAnnotation, maxReplicasAnnotation } from "./annotations.ts";

export function replicasOf({
  spec,
}: {
  readonly spec: { readonly replicas?: number | undefined };
}): number {
  return spec.replicas ?? 1;
}

export function sumOfReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + replicasOf(set), 0);
}

export function sumOfActual(sets: readonly (ReplicaSet | undefined)[]): number {
  return sets.reduce((sum, set) => sum + (set?.status?.replicas ?? 0), 0);
}

export function sumOfAvailable(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
}

export function isRolling({ spec }: Deployment): boolean {
  return spec.strategy?.type !== "Recreate";
}

/** A number, or a percentage of `total`. */
export function scaledValue(
  value: number | string | undefined,
  total: number,
  round: (x: number) => number,
): number {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  return percent === undefined ? 0 : round((Number(percent) * total) / 100);
}

/** Both limits of a rolling update; never both 0, or nothing could move. */
export function fences(deployment: Deployment): {
  readonly surge: number;
  readonly unavailable: number;
} {
  const replicas = replicasOf(deployment);
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } =
    deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, replicas, Math.ceil);
  const unavailable = scaledValue(maxUnavailable, replicas, Math.floor);
  if (surge === 0 && unavailable === 0) return { surge, unavailable: Math.min(1, replicas) };
  return { surge, unavailable: Math.min(unavailable, replicas) };
}

/** What a ReplicaSet must know for a later change of size. */
export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = replicasOf(deployment);
  return {
    [desiredReplicasAnnotation]: String(replicas),
    [maxReplicasAnnotation]: String(replicas + fences(deployment).surge),
  };
}

/** The size that the new ReplicaSet may have now. `sets` are all, the new one included. */
export function newSetReplicas(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: { spec: ReplicaSet["spec"] },
): number {
  const wanted = replicasOf(deployment);
  const current = newSet.spec.replicas ?? 0;
  if (!isRolling(deployment)) return wanted;
  const room = wanted + fences(deployment).surge - sumOfReplicas(sets);
  if (room <= 0) return current;
  return current + Math.min(room, wanted - current);
}

export interface Resize {
  readonly set: ReplicaSet;
  readonly to: number;
}

/** Oldest first. */
export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  return (
    createdMs(a) - createdMs(b) || (a.metadata?.name ?? "").localeCompare(b.metadata?.name ?? "")
  );
}

/** How old ReplicaSets shrink in a rolling update: first what is broken, then what is to spare. */
export function planOldSets(
  deployment: Deployment,
  newSet: ReplicaSet,
  oldSets: readonly ReplicaSet[],
): Resize[] {
  const active = oldSets.filter((set) => replicasOf(set) > 0).toSorted(byCreation);
  const all = [...active, newSet];
  const availableMin = replicasOf(deployment) - fences(deployment).unavailable;
  const newUnavailable = replicasOf(newSet) - (newSet.status?.availableReplicas ?? 0);
  let spare = sumOfReplicas(all) - availableMin - newUnavailable;
  if (active.length === 0 || spare <= 0) return [];
  const sizes = new Map(active.map((set) => [set, replicasOf(set)]));
  const shrink = (set: ReplicaSet, most: number): number => {
    const size = sizes.get(set) ?? 0;
    const count = Math.max(0, Math.min(size, most));
    sizes.set(set, size - count);
    return count;
  };
  for (const set of active) {
    spare -= shrink(set, Math.min(spare, replicasOf(set) - (set.status?.availableReplicas ?? 0)));
  }
  let surplus = sumOfAvailable(all) - availableMin;
  for (const set of active) surplus -= shrink(set, surplus);
  return active
    .filter((set) => sizes.get(set) !== replicasOf(set))
    .map((set) => ({ set, to: sizes.get(set) ?? 0 }));
}

/**
 * Spreads a change of the Deployment's size over its active ReplicaSets, each in proportion to its
 * share, when a rollout is half done. Source: pkg/controller/deployment/sync.go scale.
 */
export function planProportional(deployment: Deployment, active: readonly ReplicaSet[]): Resize[] {
  const wanted = replicasOf(deployment);
  const allowed = wanted > 0 ? wanted + fences(deployment).surge : 0;
  const toAdd = allowed - sumOfReplicas(active);
  const sorted = active.toSorted(
    (a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)),
  );
  let added = 0;
  const sizes = sorted.map((set) => {
    const share = toAdd === 0 ? 0 : proportion(deployment, set, { toAdd, added });
    added += share;
    return replicasOf(set) + share;
  });
  return sorted.map((set, i) => {
    const leftover = i === 0 ? toAdd - added : 0;
    return { set, to: Math.max(0, (sizes[i] ?? 0) + leftover) };
  });
}

function proportion(
  deployment: Deployment,
  set: ReplicaSet,
  left: { toAdd: number; added: number },
): number {
  if (replicasOf(set) === 0 || left.toAdd === left.added) return 0;
  const fraction = fractionOf(deployment, set);
  const allowed = left.toAdd - left.added;
  return left.toAdd > 0 ? Math.min(fraction, allowed) : Math.max(fraction, allowed);
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const wanted = replicasOf(deployment);
  if (wanted === 0) return -replicasOf(set);
  const before =
    Number(set.metadata?.annotations?.[maxReplicasAnnotation] ?? "0") ||
    (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return (
    Math.round((replicasOf(set) * (wanted + fences(deployment).surge)) / before) - replicasOf(set)
  );
}

/** Every Pod is new and available, and the status is about the present spec. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}
