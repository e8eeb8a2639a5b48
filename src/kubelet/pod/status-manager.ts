/**
 * Writes the statuses of the node's Pods to the API.
 *
 * Invariants: 1. One write for a Pod at a time; what came meanwhile is written next, as one.
 * 2. Only differences are written, to the object that the status is of (by uid). 3. A Pod that was
 * deleted and has ended is removed from the API after its last status was written, never before.
 */
import type { PodCondition, PodStatus } from "#api/core/v1/pod-status.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isConflict, isNotFound } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import type { Client, ResourceClient } from "#client/client.ts";
import { uidOf } from "./container-list.ts";
import { isKubeletCondition } from "./pod-conditions.ts";

export interface StatusManager {
  /** What was said last, written or not. */
  get(uid: string): PodStatus | undefined;
  /** Says what a Pod is like now; transition and start times are filled in here. */
  set(pod: Pod, status: PodStatus): void;
  /** The Pod has ended and nothing of it is left: remove the object when it is being deleted. */
  finish(pod: Pod): void;
  /** The object was made anew: write what was said last again. */
  rewrite(uid: string): void;
  forget(uid: string): void;
}

export interface StatusManagerOptions {
  readonly client: Client;
  readonly world: World;
  readonly lifetime: Lifetime;
  /** The newest object of that name that the node has seen. */
  readonly cached: (key: string) => Pod | undefined;
}

interface Entry {
  readonly key: string;
  readonly uid: string;
  /** Of a Pod from a file: its mirror in the API has another uid, and this as an annotation. */
  readonly hash: string | undefined;
  status: PodStatus;
  written: PodStatus | undefined;
  finished: boolean;
  writing: boolean;
  gone: boolean;
}

/** Writes that fail are tried again after 0.1 s, doubling up to 10 s. */
const retryMinMs = 100;
const retryMaxMs = 10_000;

export function createStatusManager(options: StatusManagerOptions): StatusManager {
  const { world, lifetime, cached } = options;
  const client = options.client.resource(pods);
  const entries = new Map<string, Entry>();

  function entryOf(pod: Pod): Entry {
    const uid = uidOf(pod);
    const entry = entries.get(uid) ?? {
      key: keyOfObject(pod),
      uid,
      hash: pod.metadata?.annotations?.["kubernetes.io/config.hash"],
      status: pod.status ?? {},
      written: undefined,
      finished: false,
      writing: false,
      gone: false,
    };
    entries.set(uid, entry);
    return entry;
  }

  async function drain(entry: Entry): Promise<void> {
    if (entry.writing) return;
    entry.writing = true;
    let retryMs = retryMinMs;
    while (!lifetime.ended && !entry.gone && needsWork(entry)) {
      try {
        await work(entry);
        retryMs = retryMinMs;
      } catch (error) {
        if (lifetime.ended) break;
        world.log.warn("pod status not written", { pod: entry.key, error });
        await world.clock.sleep(retryMs, lifetime.signal).catch(() => undefined);
        retryMs = Math.min(retryMaxMs, retryMs * 2);
      }
    }
    entry.writing = false;
  }

  async function work(entry: Entry): Promise<void> {
    const { status } = entry;
    const current = await write(entry, status, client);
    if (current === undefined) return void missing(entry, status);
    entry.written = status;
    if (!entry.finished || entry.status !== status) return;
    if (current.metadata?.deletionTimestamp === undefined) return;
    await removeObject(entry, client);
    entry.gone = true;
  }

  /** The mirror of a Pod from a file may come later; any other object that is gone stays gone. */
  function missing(entry: Entry, status: PodStatus): void {
    if (entry.hash === undefined) entry.gone = true;
    else entry.written = status;
  }

  /** Undefined when the object is gone or another one has its name. */
  async function write(
    entry: Entry,
    status: PodStatus,
    via: ResourceClient<Pod>,
  ): Promise<Pod | undefined> {
    let current = cached(entry.key);
    for (let attempt = 0; ; attempt++) {
      if (current === undefined || attempt > 0) current = await read(entry.key, via);
      if (current === undefined || !isOf(current, entry)) return undefined;
      const merged = mergeStatus(current.status ?? {}, status);
      if (deepEqual(merged, current.status)) return current;
      try {
        return await via.updateStatus({ ...current, status: merged }, { signal: lifetime.signal });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        if (!isConflict(error)) throw error;
      }
    }
  }

  return {
    get: (uid) => entries.get(uid)?.status,
    set(pod, status) {
      const entry = entryOf(pod);
      const timed = withTimes(entry.status, status, rfc3339(world.clock.nowMs()));
      if (deepEqual(timed, entry.status) && entry.written !== undefined) return;
      entry.status = timed;
      void drain(entry);
    },
    finish(pod) {
      const entry = entryOf(pod);
      entry.finished = true;
      // A Pod may be deleted long after it has ended: then only the object is left to remove.
      if (pod.metadata?.deletionTimestamp !== undefined) entry.written = undefined;
      void drain(entry);
    },
    rewrite(uid) {
      const entry = entries.get(uid);
      if (entry === undefined) return;
      entry.written = undefined;
      void drain(entry);
    },
    forget(uid) {
      const entry = entries.get(uid);
      if (entry !== undefined) entry.gone = true;
      entries.delete(uid);
    },
  };
}

function isOf(object: Pod, { uid, hash }: Entry): boolean {
  if (uidOf(object) === uid) return true;
  return (
    hash !== undefined && object.metadata?.annotations?.["kubernetes.io/config.mirror"] === hash
  );
}

function needsWork(entry: Entry): boolean {
  return entry.written !== entry.status;
}

async function read(key: string, client: ResourceClient<Pod>): Promise<Pod | undefined> {
  try {
    return await client.get(key);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function removeObject({ key, uid }: Entry, client: ResourceClient<Pod>): Promise<void> {
  try {
    await client.delete(key, { gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/** Conditions of others are kept as they are in the API. */
function mergeStatus(current: PodStatus, ours: PodStatus): PodStatus {
  const foreign = (current.conditions ?? []).filter(
    ({ type }) => !isKubeletCondition(type) && type !== "DisruptionTarget",
  );
  const own = (ours.conditions ?? []).filter(
    ({ type }) => isKubeletCondition(type) || type === "DisruptionTarget",
  );
  return { ...ours, conditions: [...foreign, ...own] };
}

/** A condition's time changes with its status only; the start time never. */
function withTimes(old: PodStatus, next: PodStatus, now: string): PodStatus {
  const conditions = (next.conditions ?? []).map((condition): PodCondition => {
    const before = old.conditions?.find(({ type }) => type === condition.type);
    const same = before?.status === condition.status;
    const lastTransitionTime = same ? before.lastTransitionTime : now;
    return {
      ...condition,
      ...(lastTransitionTime !== undefined && { lastTransitionTime }),
    };
  });
  return { ...next, conditions, startTime: old.startTime ?? now };
}
