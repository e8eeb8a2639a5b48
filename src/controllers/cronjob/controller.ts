import { errorMessage } from "#base/error-message.ts";
import { type CronJob, cronJobs } from "#api/batch/v1/cron-job.ts";
import { type Job, jobs } from "#api/batch/v1/job.ts";
import type { ObjectReference } from "#api/core/v1/object-reference.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject, objectKey } from "#apimachinery/object.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";
import { type Context, defineController, done, type Outcome } from "../framework/controller.ts";
import { controllerRef, isControlledBy, owned } from "../framework/owners.ts";
import { isNamespaceTerminating } from "../framework/pods.ts";
import { type Due, dueTimes, endingOf, surplusJobs, tooManyMissed } from "./plan.ts";
import { parseSchedule, type Schedule } from "#apimachinery/cron/schedule.ts";
import { isTimeZone, rfc3339InZone } from "#apimachinery/cron/time-zone.ts";

const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** A little after the moment, so that the clock has surely passed it. */
const slackMs = 100;

type CronContext = Context<CronJob, undefined>;

/** Makes Jobs by schedule. Source: pkg/controller/cronjob. */
export const cronJobController = defineController<CronJob>({
  name: "cronjob-controller",
  for: cronJobs,
  workers: 5,
  watches: [owned(cronJobs, jobs)],
  async reconcile(context) {
    const cronJob = context.get();
    if (cronJob === undefined || cronJob.metadata.deletionTimestamp !== undefined) return done;
    const children = context.lister(jobs).ownedBy(cronJob.metadata.uid);
    let status = await surveyed(context, cronJob, children);
    const run = await serve(context, { ...cronJob, status });
    status = run.status;
    if (!semanticEqual(status, cronJob.status ?? {})) {
      await context.resource(cronJobs).updateStatus({ ...cronJob, status });
    }
    for (const job of surplusJobs(cronJob, children)) await removeJob(context, cronJob, job);
    return run.outcome;
  },
});

type CronStatus = NonNullable<CronJob["status"]>;

/** The status with what became of the Jobs: finished and vanished ones are no longer active. */
async function surveyed(
  context: CronContext,
  cronJob: CronJob,
  children: readonly Job[],
): Promise<CronStatus> {
  const status: CronStatus = { ...cronJob.status };
  let active = [...(status.active ?? [])];
  for (const job of children) {
    const { uid, name } = job.metadata;
    const ending = endingOf(job);
    const listed = active.some((reference) => reference.uid === uid);
    if (!listed && ending === undefined) {
      const message = `Saw a job that the controller did not create or forgot: ${name}`;
      if (!(await justCreated(context, uid)))
        context.events.warning(cronJob, "UnexpectedJob", message);
    } else if (listed && ending !== undefined) {
      active = active.filter((reference) => reference.uid !== uid);
      context.events.normal(
        cronJob,
        "SawCompletedJob",
        `Saw completed job: ${name}, condition: ${ending}`,
      );
    }
    if (ending === "Complete" && isLater(job.status?.completionTime, status.lastSuccessfulTime)) {
      status.lastSuccessfulTime = job.status?.completionTime;
    }
  }
  for (const reference of active) {
    if (children.some(({ metadata }) => metadata.uid === reference.uid)) continue;
    if (await exists(context, reference)) continue;
    active = active.filter((other) => other !== reference);
    context.events.normal(cronJob, "MissingJob", `Active job went missing: ${reference.name}`);
  }
  return { ...status, active };
}

/** The cached CronJob may be older than its newest Job. */
async function justCreated(context: CronContext, uid: string | undefined): Promise<boolean> {
  const fresh = await context.resource(cronJobs).get(context.key);
  return (fresh.status?.active ?? []).some((reference) => reference.uid === uid);
}

function isLater(time: string | undefined, than: string | undefined): boolean {
  return time !== undefined && (than === undefined || Date.parse(time) > Date.parse(than));
}

async function exists(
  context: CronContext,
  { namespace, name = "", uid }: ObjectReference,
): Promise<boolean> {
  try {
    const job = await context.resource(jobs).get(objectKey(namespace, name));
    return job.metadata.uid === uid;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

interface Run {
  readonly status: CronStatus;
  readonly outcome: Outcome;
}

/** Starts the Job that is due, if one is, and says when to look again. */
async function serve(context: CronContext, cronJob: CronJob): Promise<Run> {
  const status = cronJob.status ?? {};
  const schedule = readSchedule(context, cronJob);
  if (schedule === undefined || cronJob.spec.suspend === true) return { status, outcome: done };
  const nowMs = context.clock.nowMs();
  const due = dueTimes(cronJob, schedule, nowMs);
  const outcome: Outcome =
    due.nextMs === undefined ? done : { requeueAfterMs: due.nextMs - nowMs + slackMs };
  if (due.dueMs === undefined) return { status, outcome };
  if (tooManyMissed(due)) {
    const message =
      "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
    context.events.warning(cronJob, "TooManyMissedTimes", message);
  }
  if (!(await mayStart(context, cronJob, { due, dueMs: due.dueMs, nowMs })))
    return { status, outcome };
  const cleared =
    cronJob.spec.concurrencyPolicy === "Replace"
      ? await replaceActive(context, cronJob)
      : (status.active ?? []);
  const job = await startJob(context, cronJob, due.dueMs);
  if (job === undefined) return { status: { ...status, active: cleared }, outcome };
  const active = [...cleared, referenceTo(job)];
  return { status: { ...status, active, lastScheduleTime: rfc3339(due.dueMs) }, outcome };
}

function readSchedule(context: CronContext, cronJob: CronJob): Schedule | undefined {
  const { schedule, timeZone } = cronJob.spec;
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    context.events.warning(
      cronJob,
      "UnknownTimeZone",
      `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`,
    );
    return undefined;
  }
  if (schedule.includes("TZ")) {
    const message =
      `CRON_TZ or TZ used in schedule ${JSON.stringify(schedule)} is not officially supported, ` +
      "see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details";
    context.events.warning(cronJob, "UnsupportedSchedule", message);
  }
  try {
    return parseSchedule(schedule, timeZone);
  } catch (error) {
    context.events.warning(
      cronJob,
      "UnparseableSchedule",
      `unparseable schedule: ${JSON.stringify(schedule)} : ${errorMessage(error)}`,
    );
    return undefined;
  }
}

async function mayStart(
  context: CronContext,
  cronJob: CronJob,
  at: { due: Due; dueMs: number; nowMs: number },
): Promise<boolean> {
  const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec;
  const { active = [], lastScheduleTime } = cronJob.status ?? {};
  if (
    startingDeadlineSeconds !== undefined &&
    at.dueMs + startingDeadlineSeconds * 1000 < at.nowMs
  ) {
    context.events.warning(
      cronJob,
      "MissSchedule",
      `Missed scheduled time to start a job: ${new Date(at.dueMs).toUTCString().replace("GMT", "+0000")}`,
    );
    return false;
  }
  const name = jobName(cronJob, at.dueMs);
  if (active.some((reference) => reference.name === name) || lastScheduleTime === rfc3339(at.dueMs))
    return false;
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    context.events.normal(
      cronJob,
      "JobAlreadyActive",
      "Not starting job because prior execution is running and concurrency policy is Forbid",
    );
    return false;
  }
  return true;
}

async function replaceActive(context: CronContext, cronJob: CronJob): Promise<ObjectReference[]> {
  for (const reference of cronJob.status?.active ?? []) {
    const job = context.lister(jobs).get(objectKey(reference.namespace, reference.name ?? ""));
    if (job) await removeJob(context, cronJob, job);
  }
  return [];
}

function jobName(cronJob: CronJob, dueMs: number): string {
  return `${cronJob.metadata.name}-${Math.floor(dueMs / 60_000)}`;
}

async function startJob(
  context: CronContext,
  cronJob: CronJob,
  dueMs: number,
): Promise<Job | undefined> {
  const { metadata, spec } = cronJob.spec.jobTemplate;
  const scheduled = rfc3339InZone(cronJob.spec.timeZone ?? "UTC", dueMs);
  const wanted: Job = {
    kind: "Job",
    apiVersion: "batch/v1",
    metadata: {
      name: jobName(cronJob, dueMs),
      namespace: cronJob.metadata.namespace,
      labels: { ...metadata.labels },
      annotations: { ...metadata.annotations, [scheduledAnnotation]: scheduled },
      ownerReferences: [controllerRef(cronJobs, cronJob)],
    },
    spec,
  };
  try {
    const job = await context.resource(jobs).create(wanted);
    context.events.normal(cronJob, "SuccessfulCreate", `Created job ${job.metadata.name}`);
    return job;
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined;
    if (isAlreadyExists(error)) {
      const existing = await context.resource(jobs).get(keyOfObject(wanted));
      return isControlledBy(existing, cronJob) && endingOf(existing) === undefined
        ? existing
        : undefined;
    }
    context.events.warning(cronJob, "FailedCreate", `Error creating job: ${errorMessage(error)}`);
    throw error;
  }
}

function referenceTo({ metadata }: Job): ObjectReference {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { kind: "Job", apiVersion: "batch/v1", name, namespace, uid, resourceVersion };
}

async function removeJob(context: CronContext, cronJob: CronJob, job: Job): Promise<void> {
  const { name, uid = "" } = job.metadata;
  try {
    await context
      .resource(jobs)
      .delete(keyOfObject(job), { propagationPolicy: "Background", preconditions: { uid } });
    context.events.normal(cronJob, "SuccessfulDelete", `Deleted job ${name}`);
  } catch (error) {
    if (isNotFound(error)) return;
    context.events.warning(cronJob, "FailedDelete", `Deleted job: ${errorMessage(error)}`);
    throw error;
  }
}
