import { type PodSpec } from "#api/core/v1/pod-spec.ts";
import { describeLabelSelector } from "#apimachinery/selectors.ts";
import { statusSubresource } from "#api/strategies.ts";
import { cronJobStrategy } from "./cron-job-strategy.ts";
import { countColumn } from "#api/core/v1/workload-columns.ts";
import {
  ageColumn,
  ageText,
  column,
  containersText,
  imagesText,
  nameColumn,
} from "#apimachinery/columns.ts";
import { ObjectReference } from "#api/core/v1/object-reference.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  type Infer,
  int32,
  int64,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";
import { JobSpec } from "./job-spec.ts";

export const JobTemplateSpec = struct("io.k8s.api.batch.v1.JobTemplateSpec", {
  metadata,
  spec: req(2, JobSpec, { required: false }),
});
export interface JobTemplateSpec extends Infer<typeof JobTemplateSpec> {}

export const CronJobSpec = struct("io.k8s.api.batch.v1.CronJobSpec", {
  schedule: req(1, string),
  timeZone: ptr(8, string),
  startingDeadlineSeconds: ptr(2, int64),
  concurrencyPolicy: opt(3, named("v1.ConcurrencyPolicy", string)),
  suspend: ptr(4, bool),
  jobTemplate: req(5, JobTemplateSpec),
  successfulJobsHistoryLimit: ptr(6, int32),
  failedJobsHistoryLimit: ptr(7, int32),
});
export interface CronJobSpec extends Infer<typeof CronJobSpec> {}

export const CronJobStatus = struct("io.k8s.api.batch.v1.CronJobStatus", {
  active: opt(1, listOf(ObjectReference), { listType: "atomic" }),
  lastScheduleTime: ptr(4, time),
  lastSuccessfulTime: ptr(5, time),
});
export interface CronJobStatus extends Infer<typeof CronJobStatus> {}

export const CronJob = kind("io.k8s.api.batch.v1.CronJob", {
  metadata,
  spec: req(2, CronJobSpec),
  status: opt(3, CronJobStatus),
});
export interface CronJob extends Infer<typeof CronJob> {}

export const cronJobs = defineResource<CronJob>({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  shortNames: ["cj"],
  categories: ["all"],
  scope: "Namespaced",
  schema: CronJob,
  strategy: cronJobStrategy,
  columns: [
    nameColumn,
    column("Schedule", ({ spec }) => spec.schedule, { description: "When Jobs start." }),
    column("Timezone", ({ spec }) => spec.timeZone ?? "<none>", {
      description: "Whose clock the schedule means.",
    }),
    column("Suspend", ({ spec }) => (spec.suspend === true ? "True" : "False"), {
      type: "boolean",
      description: "Whether no further Jobs start.",
    }),
    countColumn("Active", ({ status }) => status?.active?.length, "Jobs that run."),
    column(
      "Last Schedule",
      ({ status }, nowMs) =>
        status?.lastScheduleTime ? ageText(status.lastScheduleTime, nowMs) : "<none>",
      { description: "Time since a Job started." },
    ),
    ageColumn,
    column("Containers", ({ spec }) => containersText(podSpecOf(spec).containers), { description: "Names of the containers.", wide: true }),
    column("Images", ({ spec }) => imagesText(podSpecOf(spec).containers), { description: "Images of the containers.", wide: true }),
    column("Selector", ({ spec }) => describeLabelSelector(spec.jobTemplate.spec.selector), {
      description: "Labels of the Pods that belong to it.",
      wide: true,
    }),
  ],
  subresources: {
    status: statusSubresource(),
  },
});

function podSpecOf({ jobTemplate }: CronJobSpec): PodSpec {
  return jobTemplate.spec.template.spec;
}
