import { defaultPodSpec } from "#api/core/v1/pod-defaults.ts";
import { templateRules } from "#api/core/v1/pod-rules.ts";
import { dropDisabledPodFields } from "#api/core/v1/pod-strategy.ts";
import { podTemplateWarnings } from "#api/core/v1/pod-warnings.ts";
import { podNameWarnings, templatePath } from "#api/core/v1/workload.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import { sortedEntries } from "#apimachinery/validation/checks.ts";
import type { Job } from "./job.ts";
import type { JobSpec } from "./job-spec.ts";
import { controllerUidLabel, generatedLabels } from "./job-selector.ts";
import { validateJob, validateJobUpdate } from "./job-validation.ts";

/** Source: pkg/apis/batch/v1/defaults.go. */
const backoffLimitDefault = 6;
const int32Max = 2 ** 31 - 1;

/** Also for the template of a CronJob, which gets less. */
export function defaultJobTemplate(spec: JobSpec): void {
  defaultPodSpec(spec.template.spec);
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
}

function defaultJob({ metadata: meta, spec }: Job): void {
  defaultJobTemplate(spec);
  const { labels } = spec.template.metadata;
  if (Object.keys(meta.labels ?? {}).length === 0 && labels !== undefined) {
    meta.labels = { ...labels };
  }
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? backoffLimitDefault : int32Max;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  spec.manualSelector ??= false;
}

/** Source: pkg/registry/batch/job/strategy.go. */
export const jobStrategy: Strategy<Job> = {
  generation: true,
  defaultGarbageCollection: "Orphan",
  warningWithoutPolicy:
    "child pods are preserved by default when jobs are deleted; " +
    "set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
  default: defaultJob,
  prepareForCreate(job, { features }) {
    const { metadata: meta, spec } = job;
    job.status = {};
    dropDisabledPodFields(spec.template.spec, undefined, features);
    const sharesLabels = semanticEqual(meta.labels ?? {}, spec.template.metadata.labels ?? {});
    if (spec.manualSelector !== true) generateSelector(job);
    const { labels } = spec.template.metadata;
    if (sharesLabels && Object.keys(meta.labels ?? {}).length > 0) meta.labels = labels;
  },
  prepareForUpdate(job, { old, features }) {
    job.status = old.status;
    dropDisabledPodFields(job.spec.template.spec, old.spec.template.spec, features);
  },
  validate: (job, context) => [...validateJob(job, templateRules(context))],
  validateUpdate: (job, context) => [
    ...validateJobUpdate(job, context.old, templateRules(context, context.old.spec.template)),
  ],
  warnings({ metadata: meta, spec }, { old }) {
    if (old !== undefined && meta.generation === old.metadata.generation) return [];
    return [
      ...(old === undefined ? podNameWarnings(meta.name) : []),
      ...podTemplateWarnings(spec.template, templatePath),
    ];
  },
  /** As when a stored Job is read: without labels of its own it has those of its Pods. */
  canonicalize({ metadata: meta, spec }) {
    if (Object.keys(meta.labels ?? {}).length === 0) meta.labels = spec.template.metadata.labels;
  },
};

function generateSelector({ metadata: meta, spec }: Job): void {
  const generated = generatedLabels(meta.name ?? "", meta.uid ?? "");
  const { metadata: template } = spec.template;
  template.labels = sorted({ ...generated, ...template.labels });
  const own = spec.selector?.matchLabels;
  const matchLabels = sorted({ [controllerUidLabel]: meta.uid ?? "", ...own });
  spec.selector = { ...spec.selector, matchLabels };
}

/** Messages show maps in the order of their keys. */
function sorted(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(sortedEntries(labels));
}
