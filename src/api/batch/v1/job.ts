import { statusSubresource } from "#api/strategies.ts";
import { validateJobStatus } from "./job-status-validation.ts";
import { jobColumns } from "./job-columns.ts";
import { jobStrategy } from "./job-strategy.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, int32, kind, listOf, named, opt, ptr, req, string, struct, time } from "#apimachinery/schema.ts";
import { JobSpec } from "./job-spec.ts";

export const JobCondition = struct("io.k8s.api.batch.v1.JobCondition", {
  type: req(1, named("v1.JobConditionType", string)),
  status: req(2, named("v1.ConditionStatus", string)),
  lastProbeTime: opt(3, time),
  lastTransitionTime: opt(4, time),
  reason: opt(5, string),
  message: opt(6, string),
});
export interface JobCondition extends Infer<typeof JobCondition> {}

export const UncountedTerminatedPods = struct("io.k8s.api.batch.v1.UncountedTerminatedPods", {
  succeeded: opt(1, listOf(named("types.UID", string)), { listType: "set" }),
  failed: opt(2, listOf(named("types.UID", string)), { listType: "set" }),
});
export interface UncountedTerminatedPods extends Infer<typeof UncountedTerminatedPods> {}

export const JobStatus = struct("io.k8s.api.batch.v1.JobStatus", {
  conditions: opt(1, listOf(JobCondition), {
    listType: "atomic",
    patch: "merge",
    mergeKey: "type",
  }),
  startTime: ptr(2, time),
  completionTime: ptr(3, time),
  active: opt(4, int32),
  succeeded: opt(5, int32),
  failed: opt(6, int32),
  terminating: ptr(11, int32),
  completedIndexes: opt(7, string),
  failedIndexes: ptr(10, string),
  uncountedTerminatedPods: ptr(8, UncountedTerminatedPods),
  ready: ptr(9, int32),
});
export interface JobStatus extends Infer<typeof JobStatus> {}

export const Job = kind("io.k8s.api.batch.v1.Job", {
  metadata,
  spec: req(2, JobSpec, { required: false }),
  status: opt(3, JobStatus),
});
export interface Job extends Infer<typeof Job> {}

export const jobs = defineResource<Job>({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  categories: ["all"],
  scope: "Namespaced",
  schema: Job,
  strategy: jobStrategy,
  fieldSelectors: { "status.successful": ({ status }) => `${status?.succeeded ?? 0}` },
  unsupportedField: (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  columns: jobColumns,
  subresources: {
    status: statusSubresource({ validate: (job, { old }) => [...validateJobStatus(job, old)] }),
  },
});
