import type { Job } from "#api/batch/v1/job.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { byDeletionPreference } from "../framework/pods.ts";
import type { Assessment } from "./assess.ts";
import { completionIndexOf, finishedMs, isIndexed, replacesOnlyFailed } from "./job-pods.ts";

/** Most Pods created or deleted in one go. Source: MaxPodCreateDeletePerSync. */
const burstMax = 500;

const backoffMs = 10_000;
const backoffMsMax = 600_000;

export interface JobPlan {
  readonly remove: readonly Pod[];
  /** How many Pods to make; for an indexed Job their indexes. */
  readonly create: number | readonly number[];
  /** When Pods that wait for their backoff may be made. */
  readonly retryInMs: number | undefined;
}

export interface PlanInput {
  readonly found: Assessment;
  readonly nowMs: number;
  /** Of the whole Job, since the last success. */
  readonly backoffLeftMs: number;
}

/** What brings the number of active Pods to what the Job wants now. */
export function planPods(job: Job, { found, nowMs, backoffLeftMs }: PlanInput): JobPlan {
  const idle: JobPlan = { remove: [], create: 0, retryInMs: undefined };
  if (job.spec.suspend === true) return { ...idle, remove: found.active.slice(0, burstMax) };
  const wanted = wantedActive(job, found);
  const surplus = found.active.length - wanted;
  if (surplus > 0)
    return { ...idle, remove: forRemoval(job, found.active).slice(0, Math.min(surplus, burstMax)) };
  const missing = Math.min(burstMax, -surplus - (replacesOnlyFailed(job) ? found.terminating : 0));
  if (missing <= 0) return idle;
  if (isIndexed(job) && job.spec.backoffLimitPerIndex !== undefined)
    return planIndexes(job, found, { missing, nowMs });
  if (backoffLeftMs > 0) return { ...idle, retryInMs: backoffLeftMs };
  return {
    ...idle,
    create: isIndexed(job) ? pendingIndexes(job, found).slice(0, missing) : missing,
  };
}

function wantedActive({ spec }: Job, { active, succeeded, failedIndexes }: Assessment): number {
  const { parallelism = 1, completions } = spec;
  if (completions === undefined)
    return succeeded > 0 ? Math.min(active.length, parallelism) : parallelism;
  return Math.max(0, Math.min(parallelism, completions - succeeded - failedIndexes.size));
}

/** Pods that share an index or have none go first, then as everywhere. */
function forRemoval(job: Job, active: readonly Pod[]): Pod[] {
  const sorted = active.toSorted(byDeletionPreference());
  if (!isIndexed(job)) return sorted;
  const seen = new Set<number>();
  const spare = new Set<Pod>();
  for (const pod of sorted.toReversed()) {
    const index = completionIndexOf(job, pod);
    if (index === undefined || seen.has(index)) spare.add(pod);
    else seen.add(index);
  }
  return sorted.toSorted((a, b) => Number(spare.has(b)) - Number(spare.has(a)));
}

/** Ascending: neither done, nor failed for good, nor being worked on. */
function pendingIndexes(job: Job, found: Assessment): number[] {
  const busy = new Set(found.active.map((pod) => completionIndexOf(job, pod)));
  const pending: number[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && pending.length < burstMax; index++) {
    if (!busy.has(index) && !found.succeededIndexes.has(index) && !found.failedIndexes.has(index))
      pending.push(index);
  }
  return pending;
}

/** With a limit per index each index has its own backoff. */
function planIndexes(
  job: Job,
  found: Assessment,
  { missing, nowMs }: { missing: number; nowMs: number },
): JobPlan {
  const create: number[] = [];
  let retryInMs: number | undefined;
  for (const index of pendingIndexes(job, found)) {
    const last = found.indexFailures.get(index);
    const leftMs =
      last === undefined
        ? 0
        : finishedMs(last.pod, nowMs) + delayMs(last.counted + last.ignored) - nowMs;
    if (leftMs > 0) retryInMs = Math.min(retryInMs ?? Infinity, leftMs);
    else if (create.length < missing) create.push(index);
  }
  return { remove: [], create, retryInMs };
}

export interface BackoffRecord {
  readonly failures: number;
  readonly lastMs: number;
}

/** The record with Pods that ended since: failures in a row, as they ended. */
export function nextBackoff(
  before: BackoffRecord | undefined,
  ended: readonly { readonly pod: Pod; readonly ok: boolean }[],
  nowMs: number,
): BackoffRecord {
  let { failures, lastMs } = before ?? { failures: 0, lastMs: 0 };
  const inOrder = ended
    .map(({ pod, ok }) => ({ ok, atMs: finishedMs(pod, nowMs) }))
    .toSorted((a, b) => a.atMs - b.atMs);
  for (const { ok, atMs } of inOrder) {
    failures = ok ? 0 : failures + 1;
    if (!ok) lastMs = atMs;
  }
  return { failures, lastMs };
}

export function backoffLeftMs(record: BackoffRecord, nowMs: number): number {
  return record.failures === 0 ? 0 : Math.max(0, record.lastMs + delayMs(record.failures) - nowMs);
}

function delayMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(backoffMsMax, backoffMs * 2 ** (failures - 1));
}
