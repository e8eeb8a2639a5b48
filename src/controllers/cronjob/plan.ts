import type { CronJob } from "#api/batch/v1/cron-job.ts";
import type { Job } from "#api/batch/v1/job.ts";
import { createdMs } from "../framework/pods.ts";
import type { Schedule } from "#apimachinery/cron/schedule.ts";

/** More missed times than this are told as a problem. */
const missedMax = 100;

export interface Due {
  /** The newest moment that has passed and was not served; undefined when there is none. */
  readonly dueMs: number | undefined;
  readonly missed: number;
  /** The next moment to come. */
  readonly nextMs: number | undefined;
}

/** Which moments of the schedule have passed since the last run. Source: cronjob/utils.go. */
export function dueTimes(cronJob: CronJob, schedule: Schedule, nowMs: number): Due {
  const { lastScheduleTime } = cronJob.status ?? {};
  const { startingDeadlineSeconds } = cronJob.spec;
  let fromMs = lastScheduleTime === undefined ? createdMs(cronJob) : Date.parse(lastScheduleTime);
  if (startingDeadlineSeconds !== undefined)
    fromMs = Math.max(fromMs, nowMs - startingDeadlineSeconds * 1000);
  const nextMs = schedule.next(nowMs);
  let dueMs: number | undefined;
  let missed = 0;
  for (
    let atMs = schedule.next(fromMs);
    atMs !== undefined && atMs <= nowMs;
    atMs = schedule.next(atMs)
  ) {
    dueMs = atMs;
    missed++;
    if (missed > missedMax) {
      dueMs = newestBefore(schedule, atMs, nowMs);
      break;
    }
  }
  return { dueMs, missed, nextMs };
}

export function tooManyMissed({ missed }: Due): boolean {
  return missed > missedMax;
}

/** Halves its way to the last moment up to `nowMs`, since there may be millions before it. */
function newestBefore(schedule: Schedule, knownMs: number, nowMs: number): number {
  let [low, high] = [knownMs, nowMs];
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2);
    const next = schedule.next(middle);
    if (next !== undefined && next <= nowMs) low = next;
    else high = middle;
  }
  return low;
}

export function endingOf(job: Job): "Complete" | "Failed" | undefined {
  const end = job.status?.conditions?.find(
    ({ type, status }) => status === "True" && (type === "Complete" || type === "Failed"),
  );
  return end?.type as "Complete" | "Failed" | undefined;
}

/** Finished Jobs beyond the limits, the oldest first. */
export function surplusJobs(cronJob: CronJob, owned: readonly Job[]): Job[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec;
  const of = (ending: string, limit: number | undefined): Job[] => {
    if (limit === undefined) return [];
    const ended = owned.filter((job) => endingOf(job) === ending).toSorted(byStart);
    return ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [...of("Complete", successfulJobsHistoryLimit), ...of("Failed", failedJobsHistoryLimit)];
}

function byStart(a: Job, b: Job): number {
  const start = ({ status }: Job): number =>
    status?.startTime === undefined ? Infinity : Date.parse(status.startTime);
  return start(a) - start(b) || (a.metadata.name ?? "").localeCompare(b.metadata.name ?? "");
}
