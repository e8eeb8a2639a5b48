import { templateRules } from "#api/core/v1/pod-rules.ts";
import { dropDisabledPodFields } from "#api/core/v1/pod-strategy.ts";
import { podTemplateWarnings } from "#api/core/v1/pod-warnings.ts";
import { podNameWarnings } from "#api/core/v1/workload.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import type { CronJob } from "./cron-job.ts";
import { jobTemplatePath, validateCronJob, validateCronJobUpdate } from "./cron-job-validation.ts";
import { defaultJobTemplate } from "./job-strategy.ts";

/** Source: pkg/apis/batch/v1/defaults.go. */
const successfulJobsHistoryLimitDefault = 3;
const failedJobsHistoryLimitDefault = 1;

export const cronJobStrategy: Strategy<CronJob> = {
  generation: true,
  default({ spec }) {
    defaultJobTemplate(spec.jobTemplate.spec);
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= successfulJobsHistoryLimitDefault;
    spec.failedJobsHistoryLimit ??= failedJobsHistoryLimitDefault;
  },
  prepareForCreate(job, { features }) {
    job.status = {};
    dropDisabledPodFields(job.spec.jobTemplate.spec.template.spec, undefined, features);
  },
  prepareForUpdate(job, { old, features }) {
    job.status = old.status;
    const oldSpec = old.spec.jobTemplate.spec.template.spec;
    dropDisabledPodFields(job.spec.jobTemplate.spec.template.spec, oldSpec, features);
  },
  validate: (job, context) => [...validateCronJob(job, templateRules(context))],
  validateUpdate(job, context) {
    const { old } = context;
    const rules = templateRules(context, old.spec.jobTemplate.spec.template);
    return [...validateCronJobUpdate(job, old, rules)];
  },
  warnings({ metadata: meta, spec }, { old }) {
    const warnings = old === undefined ? podNameWarnings(meta.name) : [];
    if (old === undefined || meta.generation !== old.metadata.generation) {
      warnings.push(
        ...podTemplateWarnings(spec.jobTemplate.spec.template, `${jobTemplatePath}.spec.template`),
      );
    }
    if (spec.schedule.includes("TZ")) {
      warnings.push(
        "cannot use TZ or CRON_TZ in spec.schedule, use timeZone instead, see " +
          "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
      );
    }
    return warnings;
  },
};
