import type { Job, JobCondition } from "#api/batch/v1/job.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Assessment } from "./assess.ts";
import { parseIndexes } from "./indexes.ts";
import { isIndexed } from "./job-pods.ts";

export interface Ending {
  readonly type: "Failed" | "Complete";
  readonly reason: string;
  readonly message: string;
}

export function conditionOf(job: Job, type: string): JobCondition | undefined {
  return job.status?.conditions?.find(
    (condition) => condition.type === type && condition.status === "True",
  );
}

export function isFinished(job: Job): boolean {
  return conditionOf(job, "Complete") !== undefined || conditionOf(job, "Failed") !== undefined;
}

/** Whether and how the Job ends, decided before or now. */
export function endingOf(job: Job, found: Assessment, nowMs: number): Ending | undefined {
  return (
    decidedBefore(job) ??
    (found.policyFailure === undefined
      ? undefined
      : failed("PodFailurePolicy", found.policyFailure)) ??
    limitExceeded(job, found, nowMs) ??
    indexesFailed(job, found) ??
    succeeded(job, found)
  );
}

function failed(reason: string, message: string): Ending {
  return { type: "Failed", reason, message };
}

/** A decision stands while the last Pods end. */
function decidedBefore(job: Job): Ending | undefined {
  const target = conditionOf(job, "FailureTarget");
  if (target) return failed(target.reason ?? "", target.message ?? "");
  const met = conditionOf(job, "SuccessCriteriaMet");
  return met && { type: "Complete", reason: met.reason ?? "", message: met.message ?? "" };
}

function limitExceeded(job: Job, found: Assessment, nowMs: number): Ending | undefined {
  const { backoffLimit = 6 } = job.spec;
  if (found.failed > backoffLimit || restartsExceed(job, found.active)) {
    return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  const leftMs = deadlineLeftMs(job, nowMs);
  return leftMs !== undefined && leftMs <= 0
    ? failed("DeadlineExceeded", "Job was active longer than specified deadline")
    : undefined;
}

/** With restartPolicy OnFailure, containers start again in their Pods: those count too. */
function restartsExceed({ spec }: Job, active: readonly Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== "OnFailure") return false;
  const { backoffLimit = 6 } = spec;
  let restarts = 0;
  for (const { status } of active) {
    if (status?.phase !== "Running" && status?.phase !== "Pending") continue;
    for (const each of [
      ...(status.initContainerStatuses ?? []),
      ...(status.containerStatuses ?? []),
    ])
      restarts += each.restartCount;
  }
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

/** Until `activeDeadlineSeconds` are over; undefined without one, and while suspended. */
export function deadlineLeftMs({ spec, status }: Job, nowMs: number): number | undefined {
  if (
    spec.activeDeadlineSeconds === undefined ||
    status?.startTime === undefined ||
    spec.suspend === true
  )
    return undefined;
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - nowMs;
}

function indexesFailed(
  job: Job,
  { failedIndexes, succeededIndexes }: Assessment,
): Ending | undefined {
  const { maxFailedIndexes, completions = 0 } = job.spec;
  if (failedIndexes.size === 0) return undefined;
  if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
    return failed(
      "MaxFailedIndexesExceeded",
      "Job has exceeded the specified maximal number of failed indexes",
    );
  }
  const all = failedIndexes.size + succeededIndexes.size >= completions;
  return all ? failed("FailedIndexes", "Job has failed indexes") : undefined;
}

function succeeded(job: Job, found: Assessment): Ending | undefined {
  const rule = matchedRule(job, found);
  if (rule !== undefined) {
    return { type: "Complete", reason: "SuccessPolicy", message: `Matched rules at index ${rule}` };
  }
  const { completions } = job.spec;
  const reached =
    completions === undefined
      ? found.succeeded > 0 && found.active.length === 0
      : found.succeeded >= completions && found.active.length === 0;
  return reached
    ? {
        type: "Complete",
        reason: "CompletionsReached",
        message: "Reached expected number of succeeded pods",
      }
    : undefined;
}

function matchedRule(job: Job, { succeededIndexes }: Assessment): number | undefined {
  if (!isIndexed(job)) return undefined;
  const index = (job.spec.successPolicy?.rules ?? []).findIndex((rule) => {
    const wanted =
      rule.succeededIndexes === undefined
        ? undefined
        : parseIndexes(rule.succeededIndexes, job.spec.completions ?? 0);
    const have =
      wanted === undefined
        ? succeededIndexes.size
        : [...wanted].filter((each) => succeededIndexes.has(each)).length;
    return have >= (rule.succeededCount ?? wanted?.size ?? Infinity);
  });
  return index < 0 ? undefined : index;
}
