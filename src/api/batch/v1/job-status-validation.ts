import { validateCounts } from "#api/core/v1/workload.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { invalid, omittedValue, required } from "#apimachinery/field-error.ts";
import type { Findings } from "#apimachinery/validation/checks.ts";
import { tryCount } from "./job-policy-validation.ts";
import type { Job, JobStatus } from "./job.ts";

/** Status writes of Jobs. Source: ValidateJobUpdateStatus in pkg/apis/batch/validation. */
export function* validateJobStatus(job: Job, old: Job): Findings {
  const status = job.status ?? {};
  const before = old.status ?? {};
  yield* validateCounts(status, ["active", "succeeded", "failed", "ready", "terminating"]);
  const { active = 0, ready } = status;
  if (ready !== undefined && ready > active && changed(status, before, ["ready", "active"])) {
    yield invalid("status.ready", ready, "cannot set more ready pods than active");
  }
  yield* validateIndexTexts(job, before);
  yield* validateProgress(status, before);
  yield* validateTimes(status, before);
  yield* validateConditions(status, before);
  yield* validateFinished(status, before);
}

type Name = keyof JobStatus;

function changed(status: JobStatus, old: JobStatus, names: readonly Name[]): boolean {
  return names.some((name) => !semanticEqual(status[name], old[name]));
}

function has({ conditions = [] }: JobStatus, wanted: string): boolean {
  return conditions.some(({ type, status }) => type === wanted && status === "True");
}

function isFinished(status: JobStatus): boolean {
  return has(status, "Complete") || has(status, "Failed");
}

function* validateIndexTexts({ spec, status = {} }: Job, old: JobStatus): Findings {
  for (const name of ["completedIndexes", "failedIndexes"] as const) {
    const text = status[name] ?? "";
    if (text === "" || !changed(status, old, [name])) continue;
    const path = `status.${name}`;
    const counted = tryCount(text, spec.completions ?? 0);
    if (typeof counted !== "number") {
      yield invalid(path, text, `error parsing ${name}: ${counted.message}`);
    }
    if (spec.completionMode !== "Indexed") {
      yield invalid(path, text, `cannot set non-empty ${name} when non-indexed completion mode`);
    }
  }
}

function* validateProgress(status: JobStatus, old: JobStatus): Findings {
  for (const name of ["succeeded", "failed"] as const) {
    const count = status[name] ?? 0;
    if (name === "failed" && count < (old[name] ?? 0)) {
      yield invalid(`status.${name}`, count, `cannot decrease the ${name} counter`);
    }
  }
}

function* validateTimes(status: JobStatus, old: JobStatus): Findings {
  const { startTime, completionTime } = status;
  const path = "status.completionTime";
  const isComplete = has(status, "Complete");
  const noted = changed(status, old, ["completionTime", "conditions"]);
  if (noted && isComplete && has(status, "Failed")) {
    const detail = "cannot set Complete=True and Failed=true conditions";
    yield invalid("status.conditions", omittedValue, detail);
  }
  if (noted && isComplete && !completionTime) {
    yield required(path, "completionTime is required for Complete jobs");
  }
  if (noted && !isComplete && completionTime) {
    const detail = "cannot set completionTime when there is no Complete=True condition";
    yield invalid(path, completionTime, detail);
  }
  if (startTime && completionTime && changed(status, old, ["startTime", "completionTime"])) {
    if (Date.parse(completionTime) < Date.parse(startTime)) {
      yield invalid(path, completionTime, "completionTime cannot be set before startTime");
    }
  }
}

const terminalConditions = ["Failed", "Complete", "FailureTarget", "SuccessCriteriaMet"] as const;

function* validateConditions(status: JobStatus, old: JobStatus): Findings {
  if (!changed(status, old, ["conditions"])) return;
  const path = "status.conditions";
  if (has(status, "Failed") && !has(status, "FailureTarget")) {
    const detail = "cannot set Failed=True condition without the FailureTarget=true condition";
    yield invalid(path, omittedValue, detail);
  }
  if (has(status, "Complete") && !has(status, "SuccessCriteriaMet")) {
    const detail = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
    yield invalid(path, omittedValue, detail);
  }
  for (const type of terminalConditions) {
    if (!has(old, type) || has(status, type)) continue;
    const terminal = type === "Failed" || type === "Complete" ? "terminal " : "";
    yield invalid(path, omittedValue, `cannot disable the ${terminal}${type}=True condition`);
  }
  if (has(status, "FailureTarget") && has(status, "SuccessCriteriaMet")) {
    const detail = "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions";
    yield invalid(path, omittedValue, detail);
  }
}

function* validateFinished(status: JobStatus, old: JobStatus): Findings {
  if (!isFinished(status)) return;
  const finishes = !isFinished(old);
  const { active = 0, terminating = 0, uncountedTerminatedPods: uncounted } = status;
  if (active > 0 && (finishes || changed(status, old, ["active"]))) {
    yield invalid("status.active", active, "active>0 is invalid for finished job");
  }
  if (terminating > 0 && (finishes || changed(status, old, ["terminating"]))) {
    yield invalid("status.terminating", terminating, "terminating>0 is invalid for finished job");
  }
  const { succeeded = [], failed = [] } = uncounted ?? {};
  if (succeeded.length + failed.length === 0) return;
  if (!finishes && !changed(status, old, ["uncountedTerminatedPods"])) return;
  const value = { Succeeded: succeeded, Failed: failed };
  yield invalid("status.uncountedTerminatedPods", value, "must be empty for finished job");
}
