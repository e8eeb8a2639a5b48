import type { Deployment, DeploymentCondition, DeploymentStatus } from "#api/apps/v1/deployment.ts";
import type { ReplicaSet } from "#api/apps/v1/replica-set.ts";
import { rfc3339 } from "#base/clock.ts";
import {
  fences,
  isComplete,
  replicasOf,
  sumOfActual,
  sumOfAvailable,
  sumOfReplicas,
} from "./arithmetic.ts";

const secondsNever = 2 ** 31 - 1;

export interface RolloutSets {
  readonly newSet: ReplicaSet | undefined;
  readonly oldSets: readonly ReplicaSet[];
}

export type Verdict = Pick<DeploymentCondition, "type" | "status" | "reason" | "message">;

export function conditionOf(
  status: DeploymentStatus | undefined,
  type: string,
): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function hasProgressDeadline({ spec }: Deployment): boolean {
  return (
    spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== secondsNever
  );
}

/** Sets a condition; one that says the same already stays as it is. */
export function withCondition(
  conditions: readonly DeploymentCondition[],
  verdict: Verdict,
  nowMs: number,
): DeploymentCondition[] {
  const old = conditions.find(({ type }) => type === verdict.type);
  if (old?.status === verdict.status && old.reason === verdict.reason) return [...conditions];
  const now = rfc3339(nowMs);
  const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : now;
  const { type, status, reason, message } = verdict;
  return [
    ...without(conditions, type),
    { type, status, lastUpdateTime: now, lastTransitionTime, reason, message },
  ];
}

export function without(
  conditions: readonly DeploymentCondition[],
  type: string,
): DeploymentCondition[] {
  return conditions.filter((condition) => condition.type !== type);
}

/** Counts and availability, as the ReplicaSets' statuses have them. */
export function baseStatus(
  deployment: Deployment,
  { newSet, oldSets }: RolloutSets,
  nowMs: number,
): DeploymentStatus {
  const all = newSet ? [...oldSets, newSet] : [...oldSets];
  const available = sumOfAvailable(all);
  const enough = available >= replicasOf(deployment) - fences(deployment).unavailable;
  const { collisionCount } = deployment.status ?? {};
  return {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: sumOfActual(all),
    updatedReplicas: sumOfActual([newSet]),
    readyReplicas: all.reduce((sum, set) => sum + (set.status?.readyReplicas ?? 0), 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumOfReplicas(all) - available),
    terminatingReplicas: all.reduce((sum, set) => sum + (set.status?.terminatingReplicas ?? 0), 0),
    ...(collisionCount !== undefined && { collisionCount }),
    conditions: withCondition(
      deployment.status?.conditions ?? [],
      enough
        ? {
            type: "Available",
            status: "True",
            reason: "MinimumReplicasAvailable",
            message: "Deployment has minimum availability.",
          }
        : {
            type: "Available",
            status: "False",
            reason: "MinimumReplicasUnavailable",
            message: "Deployment does not have minimum availability.",
          },
      nowMs,
    ),
  };
}

/** The status of a rollout under way: progress, its deadline, and failures of the ReplicaSets. */
export function rolloutStatus(
  deployment: Deployment,
  sets: RolloutSets,
  nowMs: number,
): DeploymentStatus {
  const status = baseStatus(deployment, sets, nowMs);
  let conditions = status.conditions ?? [];
  if (!hasProgressDeadline(deployment)) conditions = without(conditions, "Progressing");
  else conditions = progressed(deployment, { sets, status: { ...status, conditions } }, nowMs);
  conditions = without(conditions, "ReplicaFailure");
  const failure = replicaFailure(sets);
  if (failure) conditions = [...conditions, failure];
  return { ...status, conditions };
}

function progressed(
  deployment: Deployment,
  { sets, status }: { sets: RolloutSets; status: DeploymentStatus },
  nowMs: number,
): DeploymentCondition[] {
  const conditions = status.conditions ?? [];
  const current = conditionOf(deployment.status, "Progressing");
  if (status.replicas === status.updatedReplicas && current?.reason === "NewReplicaSetAvailable")
    return [...conditions];
  const { newSet } = sets;
  const subject = newSet
    ? `ReplicaSet ${JSON.stringify(newSet.metadata?.name)}`
    : `Deployment ${JSON.stringify(deployment.metadata?.name)}`;
  const say = (is: "True" | "False", reason: string, does: string): Verdict => ({
    type: "Progressing",
    status: is,
    reason,
    message: `${subject} ${does}.`,
  });
  if (isComplete(deployment, status)) {
    return withCondition(
      conditions,
      say("True", "NewReplicaSetAvailable", "has successfully progressed"),
      nowMs,
    );
  }
  if (hasProgressed(deployment.status ?? {}, status)) {
    const verdict = say("True", "ReplicaSetUpdated", "is progressing");
    const now = rfc3339(nowMs);
    const lastTransitionTime = current?.status === "True" ? current.lastTransitionTime : now;
    return [
      ...without(conditions, "Progressing"),
      {
        type: "Progressing",
        status: "True",
        lastUpdateTime: now,
        lastTransitionTime,
        reason: verdict.reason,
        message: verdict.message,
      },
    ];
  }
  if (hasTimedOut(deployment, current, nowMs)) {
    return withCondition(
      conditions,
      say("False", "ProgressDeadlineExceeded", "has timed out progressing"),
      nowMs,
    );
  }
  return [...conditions];
}

function hasProgressed(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number =>
    (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(now) < old(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(
  deployment: Deployment,
  progress: DeploymentCondition | undefined,
  nowMs: number,
): boolean {
  if (progress === undefined || progress.reason === "NewReplicaSetAvailable") return false;
  if (progress.reason === "ProgressDeadlineExceeded") return true;
  return deadlineMs(deployment, progress) < nowMs;
}

function deadlineMs({ spec }: Deployment, progress: DeploymentCondition): number {
  return Date.parse(progress.lastUpdateTime ?? "") + (spec.progressDeadlineSeconds ?? 0) * 1000;
}

/** When a rollout that does not move is to be looked at, to say that it is stuck. */
export function stuckCheckMs(
  deployment: Deployment,
  status: DeploymentStatus,
  nowMs: number,
): number | undefined {
  const progress = conditionOf(status, "Progressing");
  if (progress === undefined || !hasProgressDeadline(deployment)) return undefined;
  if (isComplete(deployment, status) || progress.reason === "ProgressDeadlineExceeded")
    return undefined;
  return Math.max(0, deadlineMs(deployment, progress) - nowMs) + 1000;
}

/** A failure of the new ReplicaSet, else of any other, as the Deployment's own condition. */
function replicaFailure({ newSet, oldSets }: RolloutSets): DeploymentCondition | undefined {
  for (const set of newSet ? [newSet, ...oldSets] : oldSets) {
    const condition = set.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
    if (condition === undefined) continue;
    const { type, status, lastTransitionTime, reason, message } = condition;
    return {
      type,
      status,
      lastUpdateTime: lastTransitionTime,
      lastTransitionTime,
      reason,
      message,
    };
  }
  return undefined;
}
