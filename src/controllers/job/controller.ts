import { type Job, type JobCondition, jobs, type JobStatus } from "#api/batch/v1/job.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject, objectKey } from "#apimachinery/object.ts";
import { labelSelectorOf } from "#apimachinery/selectors.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";
import type { Index } from "#client/indexer.ts";
import {
  type Context,
  defineController,
  done,
  indexOf,
  type Outcome,
} from "../framework/controller.ts";
import { claim, controllerRefOf, orphans, owned, refersTo } from "../framework/owners.ts";
import {
  all,
  createPod,
  deletePod,
  isActive,
  isNamespaceTerminating,
  slowStart,
} from "../framework/pods.ts";
import { assess, type Assessment } from "./assess.ts";
import { isTracked, podOfJob, trackingFinalizer } from "./job-pods.ts";
import { backoffLeftMs, type BackoffRecord, type JobPlan, nextBackoff, planPods } from "./plan.ts";
import { conditionOf, deadlineLeftMs, type Ending, endingOf, isFinished } from "./verdict.ts";

const managerName = "kubernetes.io/job-controller";

interface JobState {
  /** Job key -> failures in a row; lost with the process, as upstream's. */
  readonly backoff: Map<string, BackoffRecord>;
}

type JobContext = Context<Job, JobState>;

/** Tracked Pods by `namespace/name` of the Job that they name. */
const byJobKey: Index<Pod> = {
  name: "job-key",
  valuesOf(pod) {
    const reference = isTracked(pod) ? controllerRefOf(pod) : undefined;
    return reference && refersTo(reference, jobs)
      ? [objectKey(pod.metadata.namespace, reference.name)]
      : [];
  },
};

/** Runs Pods until enough of them have succeeded. Source: pkg/controller/job. */
export const jobController = defineController<Job, JobState>({
  name: "job-controller",
  for: jobs,
  workers: 5,
  indexes: [indexOf(pods, orphans), indexOf(pods, byJobKey)],
  watches: [owned(jobs, pods, { selectorOf: ({ spec }) => labelSelectorOf(spec.selector) })],
  state: () => ({ backoff: new Map() }),
  async reconcile(context) {
    const job = context.get();
    if (job === undefined || isFinished(job)) {
      context.state.backoff.delete(context.key);
      return releasePods(context, job);
    }
    const { managedBy } = job.spec;
    if (
      (managedBy !== undefined && managedBy !== managerName) ||
      job.metadata.deletionTimestamp !== undefined
    )
      return done;
    const claimed = await claim(context, {
      owners: jobs,
      owner: job,
      children: pods,
      selector: labelSelectorOf(job.spec.selector),
      finalizers: [trackingFinalizer],
      adoptable: isActive,
    });
    return sync(context, job, claimed);
  },
});

/** Nothing counts the Pods of a Job that is gone or finished: they must not be held. */
async function releasePods(context: JobContext, job: Job | undefined): Promise<Outcome> {
  const held = context.lister(pods).by(byJobKey, context.key);
  if (held.length === 0) return done;
  if (job === undefined && (await isThere(context)))
    throw new Error("the cache does not show the Job yet");
  await all(held.map((pod) => removeFinalizer(context, pod)));
  return done;
}

async function isThere(context: JobContext): Promise<boolean> {
  try {
    await context.resource(jobs).get(context.key);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function sync(context: JobContext, job: Job, claimed: readonly Pod[]): Promise<Outcome> {
  const nowMs = context.clock.nowMs();
  const started = withStart(context, job);
  const first = assess(started, claimed, { finishing: false });
  const ending = endingOf(started, first, nowMs);
  const found = ending ? assess(started, claimed, { finishing: true }) : first;
  const record = noteFailures(context, found);
  const plan: JobPlan = ending
    ? { remove: found.active, create: 0, retryInMs: undefined }
    : planPods(started, { found, nowMs, backoffLeftMs: backoffLeftMs(record, nowMs) });
  const { change, failure } = await carryOut(context, started, {
    plan,
    found,
    keepTracked: ending !== undefined,
  });
  const status = statusOf(started, { found, ending, change, nowMs });
  if (!semanticEqual(status, job.status ?? {}))
    await context.resource(jobs).updateStatus({ ...started, status });
  announce(context, job, status);
  await all(found.finalize.map((pod) => removeFinalizer(context, pod)));
  if (failure !== undefined) throw failure;
  const waits = [
    plan.retryInMs,
    ending ? undefined : deadlineLeftMs({ ...started, status }, nowMs),
  ];
  const known = waits.filter((waitMs): waitMs is number => waitMs !== undefined);
  return known.length > 0 ? { requeueAfterMs: Math.max(1, Math.min(...known)) } : done;
}

/** With the start time, and the condition that says whether it is suspended. */
function withStart(context: JobContext, job: Job): Job {
  const now = rfc3339(context.clock.nowMs());
  const suspended = job.spec.suspend === true;
  const current = job.status?.conditions?.find(({ type }) => type === "Suspended");
  const status: JobStatus = { ...job.status };
  if (status.startTime === undefined && !suspended) status.startTime = now;
  if ((current?.status === "True") !== suspended) {
    const [reason, message] = suspended
      ? ["JobSuspended", "Job suspended"]
      : ["JobResumed", "Job resumed"];
    const condition: JobCondition = {
      type: "Suspended",
      status: suspended ? "True" : "False",
      lastProbeTime: now,
      lastTransitionTime: now,
      reason,
      message,
    };
    status.conditions = [
      ...(status.conditions ?? []).filter(({ type }) => type !== "Suspended"),
      condition,
    ];
    if (suspended) delete status.startTime;
    else status.startTime = now;
    context.events.normal(job, suspended ? "Suspended" : "Resumed", message);
  }
  return { ...job, status };
}

function noteFailures(
  context: JobContext,
  { newlySucceeded, newlyFailed }: Assessment,
): BackoffRecord {
  const ended = [
    ...newlySucceeded.map((pod) => ({ pod, ok: true })),
    ...newlyFailed.map((pod) => ({ pod, ok: false })),
  ];
  const record = nextBackoff(context.state.backoff.get(context.key), ended, context.clock.nowMs());
  context.state.backoff.set(context.key, record);
  return record;
}

interface Change {
  readonly created: number;
  readonly removed: number;
}

async function carryOut(
  context: JobContext,
  job: Job,
  { plan, found, keepTracked }: { plan: JobPlan; found: Assessment; keepTracked: boolean },
): Promise<{ change: Change; failure: unknown }> {
  let [created, removed] = [0, 0];
  let failure: unknown;
  try {
    await all(
      plan.remove.map(async (pod) => {
        // A Pod that is taken away on purpose is no failure: nobody is to count it.
        if (!keepTracked) await removeFinalizer(context, pod);
        await deletePod(context, job, pod);
        removed++;
      }),
    );
    const blueprints =
      typeof plan.create === "number"
        ? Array.from({ length: plan.create }, () => podOfJob(job))
        : plan.create.map((index) => podOfJob(job, index, failuresFor(job, found, index)));
    await slowStart(blueprints.length, async (i) => {
      const blueprint = blueprints[i];
      if (blueprint) await createPod(context, job, blueprint);
      created++;
    });
  } catch (error) {
    if (!isNamespaceTerminating(error)) failure = error;
  }
  return { change: { created, removed }, failure };
}

function failuresFor(job: Job, { indexFailures }: Assessment, index: number) {
  if (job.spec.backoffLimitPerIndex === undefined) return undefined;
  return indexFailures.get(index) ?? { counted: 0, ignored: 0 };
}

interface StatusInput {
  readonly found: Assessment;
  readonly ending: Ending | undefined;
  readonly change: Change;
  readonly nowMs: number;
}

function statusOf(job: Job, { found, ending, change, nowMs }: StatusInput): JobStatus {
  const active = found.active.length + change.created - change.removed;
  const terminating = found.terminating + change.removed;
  const status: JobStatus = {
    ...job.status,
    ...found.counters,
    active,
    terminating,
    ready: ending ? 0 : found.ready,
  };
  if (ending === undefined) return status;
  const over = found.settled && active === 0 && terminating === 0;
  const target = ending.type === "Failed" ? "FailureTarget" : "SuccessCriteriaMet";
  const now = rfc3339(nowMs);
  let conditions = withCondition(job, status.conditions ?? [], { ...ending, type: target, now });
  if (over) conditions = withCondition(job, conditions, { ...ending, now });
  return {
    ...status,
    conditions,
    ...(over && ending.type === "Complete" && { completionTime: now }),
  };
}

function withCondition(
  job: Job,
  conditions: readonly JobCondition[],
  made: { type: string; reason: string; message: string; now: string },
): JobCondition[] {
  if (conditionOf({ ...job, status: { conditions: [...conditions] } }, made.type))
    return [...conditions];
  const { type, reason, message, now } = made;
  return [
    ...conditions,
    { type, status: "True", lastProbeTime: now, lastTransitionTime: now, reason, message },
  ];
}

function announce(context: JobContext, before: Job, status: JobStatus): void {
  const after: Job = { ...before, status };
  if (isFinished(before)) return;
  const failedWith = conditionOf(after, "Failed");
  if (failedWith) context.events.warning(before, failedWith.reason ?? "", failedWith.message ?? "");
  else if (conditionOf(after, "Complete"))
    context.events.normal(before, "Completed", "Job completed");
}

async function removeFinalizer(context: JobContext, pod: Pod): Promise<void> {
  const { uid, resourceVersion, finalizers = [] } = pod.metadata;
  if (!isTracked(pod)) return;
  const body = {
    metadata: {
      uid,
      resourceVersion,
      finalizers: finalizers.filter((name) => name !== trackingFinalizer),
    },
  };
  await context
    .resource(pods)
    .patch(keyOfObject(pod), { type: "merge", body })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}
