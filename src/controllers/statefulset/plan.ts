import type { ControllerRevision } from "#api/apps/v1/controller-revision.ts";
import type { StatefulSet, StatefulSetStatus } from "#api/apps/v1/stateful-set.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { scaledValue } from "../deployment/arithmetic.ts";
import { isAvailable, isReady } from "../framework/pods.ts";
import { ordinalOf, replicasOf, revisionLabel, startOrdinal } from "./identity.ts";

export interface SetInput {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly nowMs: number;
}

export type Step =
  | { readonly do: "create"; readonly ordinal: number; readonly revision: ControllerRevision }
  | { readonly do: "delete"; readonly pod: Pod; readonly why: "failed" | "scale" | "update" }
  /** Claims and identity are to be put right. */
  | { readonly do: "keep"; readonly pod: Pod };

const isGoing = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
const hasEnded = ({ status }: Pod): boolean =>
  status?.phase === "Failed" || status?.phase === "Succeeded";
const isUpAndReady = (pod: Pod): boolean => pod.status?.phase === "Running" && isReady(pod);
export const revisionNameOf = ({ metadata }: Pod): string => metadata.labels?.[revisionLabel] ?? "";

function isUp({ set, nowMs }: SetInput, pod: Pod): boolean {
  return isUpAndReady(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
}

function isOrdered({ spec }: StatefulSet): boolean {
  return spec.podManagementPolicy !== "Parallel";
}

function partitionOf({ spec }: StatefulSet): number {
  return spec.updateStrategy?.rollingUpdate?.partition ?? 0;
}

/** The Pods by ordinal, those beyond the size apart, the highest first. */
export function arrange({ set, pods }: SetInput): {
  readonly slots: readonly (Pod | undefined)[];
  readonly condemned: readonly Pod[];
} {
  const start = startOrdinal(set);
  const slots = Array.from<Pod | undefined>({ length: replicasOf(set) });
  const condemned: Pod[] = [];
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal >= start && ordinal < start + slots.length) slots[ordinal - start] = pod;
    else if (ordinal >= 0) condemned.push(pod);
  }
  return { slots, condemned: condemned.toSorted((a, b) => ordinalOf(set, b) - ordinalOf(set, a)) };
}

/**
 * The next steps. Ordered sets wait at the first Pod that is not up, and take one step at a time.
 * Source: pkg/controller/statefulset/stateful_set_control.go updateStatefulSet.
 */
export function planSet(input: SetInput): Step[] {
  const { set } = input;
  const { slots, condemned } = arrange(input);
  const steps: Step[] = [];
  const ordered = isOrdered(set);
  for (const [i, pod] of slots.entries()) {
    const ordinal = startOrdinal(set) + i;
    if (pod === undefined) {
      steps.push({ do: "create", ordinal, revision: revisionFor(input, ordinal) });
      if (ordered) return steps;
      continue;
    }
    if (hasEnded(pod) && !isGoing(pod)) {
      steps.push({ do: "delete", pod, why: "failed" });
      if (ordered) return steps;
      continue;
    }
    if (ordered && isGoing(pod)) return steps;
    steps.push({ do: "keep", pod });
    if (ordered && !isUp(input, pod)) return steps;
  }
  const scaling = planCondemned(input, condemned);
  steps.push(...scaling);
  if (scaling.length > 0 || (ordered && condemned.length > 0)) return steps;
  return [...steps, ...planRollout(input, slots)];
}

function planCondemned(input: SetInput, condemned: readonly Pod[]): Step[] {
  const leaving: Step[] = condemned
    .filter((pod) => !isGoing(pod))
    .map((pod) => ({ do: "delete", pod, why: "scale" }));
  if (!isOrdered(input.set)) return leaving;
  if (condemned.some(isGoing)) return [];
  // One that is not up may go although others are not up either: it would never get better.
  const unhealthy = condemned.findLast((pod) => !isUp(input, pod));
  const [first] = condemned;
  const blocked = first !== undefined && !isUp(input, first) && first !== unhealthy;
  return blocked ? [] : leaving.slice(0, 1);
}

function revisionFor({ set, current, update }: SetInput, ordinal: number): ControllerRevision {
  if (current.metadata.name === update.metadata.name) return update;
  if (set.spec.updateStrategy?.type === "OnDelete") return update;
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition;
  const kept =
    partition === undefined || partition === 0 ? (set.status?.currentReplicas ?? 0) : partition;
  return ordinal < startOrdinal(set) + kept ? current : update;
}

/** From the highest ordinal down to the partition: replaces Pods of old revisions, as many as may be down. */
function planRollout(input: SetInput, slots: readonly (Pod | undefined)[]): Step[] {
  const { set, update } = input;
  if (set.spec.updateStrategy?.type === "OnDelete") return [];
  const most = Math.max(
    1,
    scaledValue(
      set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1,
      replicasOf(set),
      Math.ceil,
    ),
  );
  const steps: Step[] = [];
  let down =
    most === 1
      ? 0
      : slots.filter((pod) => pod === undefined || isGoing(pod) || !isUp(input, pod)).length;
  for (let i = slots.length - 1; i >= partitionOf(set); i--) {
    const pod = slots[i];
    if (pod === undefined || isGoing(pod)) {
      if (most === 1) return steps;
      continue;
    }
    if (revisionNameOf(pod) !== update.metadata.name) {
      const counted = most > 1 && !isUp(input, pod);
      if (!counted && down >= most) return steps;
      steps.push({ do: "delete", pod, why: "update" });
      if (!counted) down++;
      if (most === 1) return steps;
    } else if (most === 1 && !isUp(input, pod)) return steps;
  }
  return steps;
}

/** The status that shows the Pods; when the update is through, the update becomes current. */
export function setStatus(input: SetInput): StatefulSetStatus {
  const { set, pods, current, update } = input;
  const [currentName, updateName] = [current.metadata.name ?? "", update.metadata.name ?? ""];
  const counted = pods.filter((pod) => ordinalOf(set, pod) >= 0);
  const staying = counted.filter((pod) => !isGoing(pod));
  const ready = counted.filter(isUpAndReady);
  const { collisionCount, conditions } = set.status ?? {};
  const status = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: counted.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isUp(input, pod)).length,
    currentReplicas: staying.filter((pod) => revisionNameOf(pod) === currentName).length,
    updatedReplicas: staying.filter((pod) => revisionNameOf(pod) === updateName).length,
    currentRevision: currentName,
    updateRevision: updateName,
    collisionCount: collisionCount ?? 0,
    ...(conditions && { conditions }),
  };
  const through =
    set.spec.updateStrategy?.type !== "OnDelete" &&
    status.updatedReplicas === replicasOf(set) &&
    status.readyReplicas === replicasOf(set) &&
    status.replicas === replicasOf(set);
  return through
    ? { ...status, currentReplicas: status.updatedReplicas, currentRevision: updateName }
    : status;
}
