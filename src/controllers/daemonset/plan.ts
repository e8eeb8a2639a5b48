import type { DaemonSet, DaemonSetStatus } from "#api/apps/v1/daemon-set.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { scaledValue } from "../deployment/arithmetic.ts";
import { createdMs, isAvailable, isReady } from "../framework/pods.ts";
import { hashLabel, placementOn } from "./daemon-pods.ts";

/** Most Pods created or deleted in one reconcile. Source: BurstReplicas. */
export const burstMax = 250;

export interface DaemonInput {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** By the node they are for. */
  readonly podsOf: (node: string) => readonly Pod[];
  readonly hash: string;
  readonly nowMs: number;
}

export interface DaemonPlan {
  /** Names of nodes that get a Pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** Ended Pods among `remove`, which are told of. */
  readonly ended: readonly Pod[];
}

export const isUpdated = (pod: Pod, hash: string): boolean =>
  pod.metadata.labels?.[hashLabel] === hash;
const isGoing = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
const hasEnded = ({ status }: Pod): boolean =>
  status?.phase === "Failed" || status?.phase === "Succeeded";
const byAge = (a: Pod, b: Pod): number =>
  createdMs(a) - createdMs(b) || (a.metadata.name ?? "").localeCompare(b.metadata.name ?? "");

export interface Limits {
  readonly surge: number;
  readonly unavailable: number;
}

/** Both limits of a rolling update, against the number of nodes that should run a Pod. */
export function limitsOf(set: DaemonSet, desired: number): Limits {
  if (set.spec.updateStrategy?.type === "OnDelete") return { surge: 0, unavailable: 0 };
  const { maxSurge = 0, maxUnavailable } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, desired, Math.ceil);
  const unavailable = scaledValue(maxUnavailable ?? (surge > 0 ? 0 : 1), desired, Math.ceil);
  return { surge, unavailable: surge === 0 ? Math.max(1, unavailable) : unavailable };
}

/** One Pod on each node that should have one; nothing of the update yet. */
export function planPlacement(input: DaemonInput): DaemonPlan {
  const { set, nodes, podsOf, hash, nowMs } = input;
  const create: string[] = [];
  const remove: Pod[] = [];
  const ended: Pod[] = [];
  const { surge } = limitsOf(set, nodes.length);
  for (const node of nodes) {
    const { shouldRun, mayStay } = placementOn(set, node);
    const here = podsOf(node.metadata.name ?? "");
    const staying = here.filter((pod) => !isGoing(pod));
    if (!mayStay) {
      remove.push(...staying);
      continue;
    }
    if (shouldRun && here.length === 0) create.push(node.metadata.name ?? "");
    ended.push(...staying.filter(hasEnded));
    remove.push(...staying.filter(hasEnded));
    const running = staying.filter((pod) => !hasEnded(pod)).toSorted(byAge);
    if (running.length > 1)
      remove.push(
        ...surplus(running, {
          surge,
          hash,
          isUp: (pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs),
        }),
      );
  }
  return { create: create.slice(0, burstMax), remove: remove.slice(0, burstMax), ended };
}

/** Beyond one Pod, or beyond one old and one new while an update surges. */
function surplus(
  running: readonly Pod[],
  how: { surge: number; hash: string; isUp: (pod: Pod) => boolean },
): Pod[] {
  if (how.surge === 0) return running.slice(1);
  const [fresh, old] = [
    running.filter((pod) => isUpdated(pod, how.hash)),
    running.filter((pod) => !isUpdated(pod, how.hash)),
  ];
  const arrived = fresh[0] !== undefined && how.isUp(fresh[0]);
  return [...fresh.slice(1), ...(arrived ? old : old.slice(1))];
}

/** The next steps of a rolling update. */
export function planUpdate(input: DaemonInput): DaemonPlan {
  const { set, nodes, podsOf, hash, nowMs } = input;
  const up = (pod: Pod): boolean =>
    isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs) && !isGoing(pod);
  const wanted = nodes.filter((node) => placementOn(set, node).shouldRun);
  const limits = limitsOf(set, wanted.length);
  const [free, candidates]: [Pod[], Pod[]] = [[], []];
  const [surgeNow, surgeLater]: [string[], string[]] = [[], []];
  let [down, surging] = [0, 0];
  for (const node of wanted) {
    const name = node.metadata.name ?? "";
    const here = podsOf(name).toSorted(byAge);
    const fresh = here.find((pod) => isUpdated(pod, hash) && !isGoing(pod));
    const old = here.find((pod) => !isUpdated(pod, hash));
    if (old && fresh) surging++;
    if (limits.surge > 0) {
      if (old && !fresh && !isGoing(old)) (up(old) ? surgeLater : surgeNow).push(name);
      continue;
    }
    if (fresh ? !up(fresh) : !old || !up(old)) down++;
    if (old && !fresh && !isGoing(old)) (up(old) ? candidates : free).push(old);
  }
  if (limits.surge > 0) {
    const room = Math.max(0, limits.surge - surging);
    return {
      create: [...surgeNow, ...surgeLater.slice(0, room)].slice(0, burstMax),
      remove: [],
      ended: [],
    };
  }
  const room = Math.max(0, limits.unavailable - down);
  return {
    create: [],
    remove: [...free, ...candidates.slice(0, room)].slice(0, burstMax),
    ended: [],
  };
}

export function daemonStatus(input: DaemonInput): DaemonSetStatus {
  const { set, nodes, podsOf, hash, nowMs } = input;
  const count = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const here = podsOf(node.metadata.name ?? "").toSorted(
      (a, b) => Number(isReady(b)) - Number(isReady(a)) || byAge(a, b),
    );
    const { shouldRun } = placementOn(set, node);
    if (shouldRun) count.desired++;
    const pod = here[0];
    if (pod === undefined) continue;
    if (!shouldRun) {
      count.misscheduled++;
      continue;
    }
    count.current++;
    if (isReady(pod)) count.ready++;
    if (isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)) count.available++;
    if (here.some((each) => isUpdated(each, hash))) count.updated++;
  }
  const { conditions, collisionCount } = set.status ?? {};
  return {
    currentNumberScheduled: count.current,
    numberMisscheduled: count.misscheduled,
    desiredNumberScheduled: count.desired,
    numberReady: count.ready,
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: count.updated,
    numberAvailable: count.available,
    numberUnavailable: count.desired - count.available,
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions && { conditions }),
  };
}
