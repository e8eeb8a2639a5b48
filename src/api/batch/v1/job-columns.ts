import { selectorColumn, templateColumns } from "#api/core/v1/workload-columns.ts";
import { ageColumn, column, humanDuration, nameColumn } from "#apimachinery/columns.ts";
import type { Column } from "#apimachinery/resource.ts";
import type { Job } from "./job.ts";

/** Source: printJob in pkg/printers/internalversion. */
export const jobColumns: readonly Column<Job>[] = [
  nameColumn,
  column("Status", statusText, { description: "How far the Job is." }),
  column("Completions", completionsText, { description: "Pods that succeeded, and those wanted." }),
  column("Duration", durationText, { description: "From the start to the end, or until now." }),
  ageColumn,
  ...templateColumns,
  selectorColumn,
];

function statusText({ metadata: meta, status }: Job): string {
  const has = (wanted: string): boolean =>
    (status?.conditions ?? []).some((it) => it.type === wanted && it.status === "True");
  if (has("Complete")) return "Complete";
  if (has("Failed")) return "Failed";
  if (meta.deletionTimestamp) return "Terminating";
  const shown = ["Suspended", "FailureTarget", "SuccessCriteriaMet"];
  return shown.find(has) ?? "Running";
}

function completionsText({ spec, status }: Job): string {
  const { completions, parallelism = 0 } = spec;
  const succeeded = status?.succeeded ?? 0;
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  const { startTime, completionTime } = status ?? {};
  if (!startTime) return "";
  const endMs = completionTime ? Date.parse(completionTime) : nowMs;
  return humanDuration(endMs - Date.parse(startTime));
}
