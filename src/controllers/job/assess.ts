/**
 * What a Job's Pods amount to. Pure; the counting survives crashes because each ended Pod carries a
 * finalizer until its uid stands in `uncountedTerminatedPods`, and leaves that list for a counter
 * only once the finalizer is off. Source: pkg/controller/job/job_controller.go.
 */
import type { Job, JobStatus } from "#api/batch/v1/job.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { isActive, isReady, isTerminating } from "../framework/pods.ts";
import { judgeFailure, type PolicyVerdict } from "./failure-policy.ts";
import { formatIndexes, parseIndexes } from "./indexes.ts";
import {
  completionIndexOf,
  failuresOf,
  hasFailed,
  hasSucceeded,
  type IndexFailures,
  isIndexed,
  isTracked,
} from "./job-pods.ts";

/** Most Pods counted in one go. */
const countedMax = 500;

export interface Assessment {
  readonly active: readonly Pod[];
  readonly ready: number;
  readonly terminating: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Indexed Jobs only. */
  readonly succeededIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** Index -> failures so far, of indexes whose next Pod is to know them. */
  readonly indexFailures: ReadonlyMap<number, IndexFailures & { readonly pod: Pod }>;
  /** Ended since the last look. */
  readonly newlySucceeded: readonly Pod[];
  readonly newlyFailed: readonly Pod[];
  /** Pods whose end is on record with `counters`: their finalizer can go. */
  readonly finalize: readonly Pod[];
  /** The fields that keep count, for the next status. */
  readonly counters: Pick<
    JobStatus,
    "succeeded" | "failed" | "completedIndexes" | "failedIndexes" | "uncountedTerminatedPods"
  >;
  /** Everything that ended is in the counters. */
  readonly settled: boolean;
  /** Why a rule of the Pod failure policy fails the Job. */
  readonly policyFailure: string | undefined;
}

export interface AssessOptions {
  /** The Job ends: no Pod is held back to hand its count of failures on. */
  readonly finishing: boolean;
}

export function assess(job: Job, pods: readonly Pod[], options: AssessOptions): Assessment {
  const completions = job.spec.completions ?? 0;
  const status = fold(job, pods);
  const uncounted = {
    succeeded: [...(status.uncountedTerminatedPods?.succeeded ?? [])],
    failed: [...(status.uncountedTerminatedPods?.failed ?? [])],
  };
  const listed = new Set([...uncounted.succeeded, ...uncounted.failed]);
  const fresh = pods.filter((pod) => isTracked(pod) && !listed.has(pod.metadata.uid ?? ""));
  const newlySucceeded = fresh.filter(hasSucceeded);
  const newlyFailed = fresh.filter((pod) => hasFailed(job, pod));
  const verdicts = new Map(
    newlyFailed.map((pod) => [pod, judgeFailure(job.spec.podFailurePolicy, pod)]),
  );
  const indexed = isIndexed(job);
  const succeededIndexes = indexed
    ? parseIndexes(status.completedIndexes, completions)
    : new Set<number>();
  for (const pod of indexed ? newlySucceeded : []) {
    const index = completionIndexOf(job, pod);
    if (index !== undefined) succeededIndexes.add(index);
  }
  const indexFailures = indexed
    ? countIndexFailures(job, pods, verdicts)
    : new Map<number, IndexFailures & { pod: Pod }>();
  const failedIndexes = findFailedIndexes(job, {
    indexFailures,
    verdicts,
    before: status.failedIndexes,
  });
  const heldBack = options.finishing
    ? new Set<Pod>()
    : lastOfTheirIndex(job, { indexFailures, pods, failedIndexes });
  const counts = (pod: Pod): boolean => verdicts.get(pod)?.action !== "Ignore";
  const ended = [...newlySucceeded, ...newlyFailed.filter((pod) => !heldBack.has(pod))].slice(
    0,
    countedMax,
  );
  const failedNow = newlyFailed.filter(counts).length + uncounted.failed.length;
  const failed = (status.failed ?? 0) + failedNow;
  const succeeded = indexed
    ? succeededIndexes.size
    : (status.succeeded ?? 0) + uncounted.succeeded.length + newlySucceeded.length;
  for (const pod of ended) {
    const uid = pod.metadata.uid ?? "";
    if (hasSucceeded(pod)) {
      if (!indexed) uncounted.succeeded.push(uid);
    } else if (counts(pod)) uncounted.failed.push(uid);
  }
  const recorded = new Set([...uncounted.succeeded, ...uncounted.failed]);
  return {
    active: pods.filter(isActive),
    ready: pods.filter((pod) => isActive(pod) && isReady(pod)).length,
    terminating: pods.filter(isTerminating).length,
    succeeded,
    failed,
    succeededIndexes,
    failedIndexes,
    indexFailures,
    newlySucceeded,
    newlyFailed,
    finalize: pods.filter(
      (pod) => isTracked(pod) && (recorded.has(pod.metadata.uid ?? "") || ended.includes(pod)),
    ),
    counters: {
      succeeded: indexed ? succeededIndexes.size : (status.succeeded ?? 0),
      failed: status.failed ?? 0,
      ...(indexed && { completedIndexes: formatIndexes(succeededIndexes) }),
      ...(job.spec.backoffLimitPerIndex !== undefined && {
        failedIndexes: formatIndexes(failedIndexes),
      }),
      uncountedTerminatedPods: uncounted,
    },
    settled:
      recorded.size === 0 &&
      ended.length === newlySucceeded.length + newlyFailed.length - heldBack.size &&
      pods.every((pod) => !isTracked(pod) || isActive(pod) || isTerminating(pod)),
    policyFailure: [...verdicts.values()].find(({ action }) => action === "FailJob")?.message,
  };
}

/** Takes over into the counters what was uncounted and has lost its finalizer. */
function fold(job: Job, pods: readonly Pod[]): JobStatus {
  const { status = {} } = job;
  const held = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid ?? ""));
  const succeeded = status.uncountedTerminatedPods?.succeeded ?? [];
  const failed = status.uncountedTerminatedPods?.failed ?? [];
  const stay = (uids: readonly string[]): string[] => uids.filter((uid) => held.has(uid));
  return {
    ...status,
    succeeded: (status.succeeded ?? 0) + succeeded.length - stay(succeeded).length,
    failed: (status.failed ?? 0) + failed.length - stay(failed).length,
    uncountedTerminatedPods: { succeeded: stay(succeeded), failed: stay(failed) },
  };
}

/** Per index, the failed Pod that knows of most failures, with its own added. */
function countIndexFailures(
  job: Job,
  pods: readonly Pod[],
  verdicts: ReadonlyMap<Pod, PolicyVerdict>,
) {
  const latest = new Map<number, IndexFailures & { readonly pod: Pod }>();
  if (job.spec.backoffLimitPerIndex === undefined) return latest;
  for (const pod of pods) {
    const index = completionIndexOf(job, pod);
    if (index === undefined || !isTracked(pod) || !hasFailed(job, pod)) continue;
    const before = failuresOf(pod);
    const ignored = verdicts.get(pod)?.action === "Ignore";
    const now = {
      counted: before.counted + (ignored ? 0 : 1),
      ignored: before.ignored + (ignored ? 1 : 0),
      pod,
    };
    const known = latest.get(index);
    if (known === undefined || now.counted + now.ignored > known.counted + known.ignored)
      latest.set(index, now);
  }
  return latest;
}

interface FailedIndexesInput {
  readonly indexFailures: ReadonlyMap<number, IndexFailures & { readonly pod: Pod }>;
  readonly verdicts: ReadonlyMap<Pod, PolicyVerdict>;
  readonly before: string | undefined;
}

function findFailedIndexes(
  job: Job,
  { indexFailures, verdicts, before }: FailedIndexesInput,
): Set<number> {
  const limit = job.spec.backoffLimitPerIndex;
  if (limit === undefined) return new Set();
  const failed = parseIndexes(before, job.spec.completions ?? 0);
  for (const [index, { counted }] of indexFailures) if (counted > limit) failed.add(index);
  for (const [pod, { action }] of verdicts) {
    const index = completionIndexOf(job, pod);
    if (action === "FailIndex" && index !== undefined) failed.add(index);
  }
  return failed;
}

/** Failed Pods that no later Pod of their index has replaced yet: they hold the count of failures. */
function lastOfTheirIndex(
  job: Job,
  {
    indexFailures,
    pods,
    failedIndexes,
  }: {
    indexFailures: FailedIndexesInput["indexFailures"];
    pods: readonly Pod[];
    failedIndexes: ReadonlySet<number>;
  },
): Set<Pod> {
  const held = new Set<Pod>();
  for (const [index, { counted, ignored, pod }] of indexFailures) {
    if (failedIndexes.has(index)) continue;
    const replaced = pods.some((other) => {
      const known = failuresOf(other);
      return (
        completionIndexOf(job, other) === index &&
        known.counted + known.ignored >= counted + ignored
      );
    });
    if (!replaced) held.add(pod);
  }
  return held;
}
