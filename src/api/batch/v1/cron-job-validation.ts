import type { PodRules } from "#api/core/v1/pod-rules.ts";
import { parseSchedule, ScheduleError } from "#apimachinery/cron/schedule.ts";
import { isTimeZone } from "#apimachinery/cron/time-zone.ts";
import { invalid, notSupported, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateNonNegative,
  validateRequiredSupported,
} from "#apimachinery/validation/checks.ts";
import type { CronJob, CronJobSpec } from "./cron-job.ts";
import { validateJobSpec } from "./job-validation.ts";

/** Source: pkg/apis/batch/validation/validation.go. */
export const jobTemplatePath = "spec.jobTemplate";
/** Names of Jobs append a dash and ten digits. */
const nameMax = 52;

export function* validateCronJob(job: CronJob, rules: PodRules): Findings {
  yield* validateSpec(job.spec, rules, { allowZoneInSchedule: false });
  const { name = "" } = job.metadata;
  if (name.length > nameMax) {
    yield invalid("metadata.name", name, `must be no more than ${nameMax} characters`);
  }
}

export function* validateCronJobUpdate(job: CronJob, old: CronJob, rules: PodRules): Findings {
  yield* validateSpec(job.spec, rules, {
    allowZoneInSchedule: old.spec.schedule.includes("TZ"),
    ...(old.spec.timeZone !== undefined && { oldZone: old.spec.timeZone }),
  });
}

interface ScheduleRules {
  readonly allowZoneInSchedule: boolean;
  readonly oldZone?: string;
}

function* validateSpec(spec: CronJobSpec, rules: PodRules, schedule: ScheduleRules): Findings {
  if (spec.schedule === "") yield required("spec.schedule", "");
  else yield* validateSchedule(spec, schedule);
  yield* validateNonNegative(spec.startingDeadlineSeconds, "spec.startingDeadlineSeconds");
  if (spec.timeZone !== schedule.oldZone) yield* validateTimeZone(spec.timeZone);
  const policies = ["Allow", "Forbid", "Replace"];
  yield* validateRequiredSupported(spec.concurrencyPolicy, policies, "spec.concurrencyPolicy");
  yield* validateJobSpec(spec.jobTemplate.spec, `${jobTemplatePath}.spec`, rules);
  const { selector, manualSelector } = spec.jobTemplate.spec;
  if (selector !== undefined) {
    yield invalid(
      `${jobTemplatePath}.spec.selector`,
      selector,
      "`selector` will be auto-generated",
    );
  }
  if (manualSelector === true) {
    yield notSupported(`${jobTemplatePath}.spec.manualSelector`, true, ["nil", "false"]);
  }
  yield* validateNonNegative(spec.successfulJobsHistoryLimit, "spec.successfulJobsHistoryLimit");
  yield* validateNonNegative(spec.failedJobsHistoryLimit, "spec.failedJobsHistoryLimit");
}

function* validateSchedule(
  { schedule, timeZone }: CronJobSpec,
  { allowZoneInSchedule }: ScheduleRules,
): Findings {
  const path = "spec.schedule";
  try {
    parseSchedule(schedule);
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    yield invalid(path, schedule, error.message);
  }
  if (!schedule.includes("TZ")) return;
  if (timeZone !== undefined) {
    yield invalid(path, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
  } else if (!allowZoneInSchedule) {
    const detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    yield invalid(path, schedule, detail);
  }
}

function* validateTimeZone(zone: string | undefined): Findings {
  if (zone === undefined) return;
  const path = "spec.timeZone";
  if (zone === "") yield invalid(path, zone, "timeZone must be nil or non-empty string");
  else if (zone.toLowerCase() === "local") {
    const detail =
      "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    yield invalid(path, zone, detail);
  } else if (!isTimeZone(zone)) yield invalid(path, zone, `unknown time zone ${zone}`);
}
