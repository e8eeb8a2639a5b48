import type { PodRules } from "#api/core/v1/pod-rules.ts";
import type { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import { internalPodSpec, internalTemplate } from "#api/core/v1/pod-internal-value.ts";
import { validatePodTemplateSpec } from "#api/core/v1/pod-validation.ts";
import { compiledSelector } from "#api/core/v1/workload.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { invalid, notSupported, required, tooLong } from "#apimachinery/field-error.ts";
import { formatSelector, matches } from "#apimachinery/selectors.ts";
import {
  type Findings,
  immutableText,
  invalidTexts,
  validateImmutable,
  validateNonNegative,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import { checkDnsLabel } from "#apimachinery/validation/names.ts";
import { checkDomainPrefixedPath } from "#apimachinery/validation/syntax.ts";
import { validatePodFailurePolicy, validateSuccessPolicy } from "./job-policy-validation.ts";
import { controllerUidLabel, generatedLabels } from "./job-selector.ts";
import { type JobSpec, PodFailurePolicy, SuccessPolicy } from "./job-spec.ts";
import type { Job } from "./job.ts";

/** Source: pkg/apis/batch/validation/validation.go. */
const parallelismMax = 100_000;
const failedIndexesMax = 100_000;
/** From here on completions have tighter limits. */
const manyCompletions = 100_000;
const parallelismMaxOfMany = 10_000;
const failedIndexesMaxOfMany = 10_000;
const managedByMax = 63;

export function* validateJob(job: Job, rules: PodRules): Findings {
  const { spec, metadata: meta } = job;
  yield* validateGeneratedSelector(job);
  yield* validateSelectingSpec(spec, rules);
  const { completionMode, completions = 0 } = spec;
  if (completionMode !== "Indexed" || completions <= 0) return;
  const podName = `${meta.name}-${completions - 1}`;
  if (checkDnsLabel(podName).length > 0) {
    const detail = `will not able to create pod with invalid DNS label: ${podName}`;
    yield invalid("metadata.name", meta.name, detail);
  }
}

function* validateGeneratedSelector({ metadata: meta, spec }: Job): Findings {
  const { selector, manualSelector, template } = spec;
  if (manualSelector === true || selector === undefined) return;
  const uid = meta.uid ?? "";
  if (uid === "") yield required("metadata.uid", "");
  const labels = template.metadata.labels ?? {};
  for (const [key, value] of Object.entries(generatedLabels(meta.name ?? "", uid))) {
    const path = `spec.template.metadata.labels`;
    const own = labels[key];
    if (own === undefined) yield required(`${path}[${key}]`, `must be '${value}'`);
    else if (own !== value) yield invalid(`${path}[${key}]`, labels, `must be '${value}'`);
  }
  const compiled = compiledSelector(selector);
  if (compiled !== undefined && formatSelector(compiled) !== `${controllerUidLabel}=${uid}`) {
    yield invalid("spec.selector", selector, "`selector` not auto-generated");
  }
}

function* validateSelectingSpec(spec: JobSpec, rules: PodRules): Findings {
  yield* validateJobSpec(spec, "spec", rules);
  const { selector, template } = spec;
  if (selector === undefined) yield required("spec.selector", "");
  else yield* validateLabelSelector(selector, "spec.selector");
  const compiled = compiledSelector(selector);
  if (compiled === undefined || matches(compiled, template.metadata.labels)) return;
  const detail = "`selector` does not match template `labels`";
  yield invalid("spec.template.metadata.labels", template.metadata.labels ?? null, detail);
}

const counts = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

/** All but the selector; also for templates in CronJobs. */
export function* validateJobSpec(spec: JobSpec, path: string, rules: PodRules): Findings {
  for (const name of counts) yield* validateNonNegative(spec[name], `${path}.${name}`);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    yield required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified");
  }
  if (spec.managedBy !== undefined) {
    const at = `${path}.managedBy`;
    yield* invalidTexts(at, spec.managedBy, checkDomainPrefixedPath(spec.managedBy));
    if (Buffer.byteLength(spec.managedBy) > managedByMax) yield tooLong(at, managedByMax);
  }
  yield* validateCompletionMode(spec, path);
  if (spec.podFailurePolicy !== undefined) {
    yield* validatePodFailurePolicy(spec, `${path}.podFailurePolicy`);
  }
  yield* validateSuccessPolicy(spec, `${path}.successPolicy`);
  const { podReplacementPolicy: replacement } = spec;
  if (replacement !== undefined) {
    const hasFailurePolicy = spec.podFailurePolicy !== undefined;
    const supported = hasFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
    if (!supported.includes(replacement)) {
      yield notSupported(`${path}.podReplacementPolicy`, replacement, supported);
    }
  }
  yield* validatePodTemplateSpec(spec.template, `${path}.template`, rules);
  const { restartPolicy } = spec.template.spec;
  const at = `${path}.template.spec.restartPolicy`;
  if (restartPolicy !== "OnFailure" && restartPolicy !== "Never") {
    yield required(at, 'valid values: "OnFailure", "Never"');
  } else if (spec.podFailurePolicy !== undefined && restartPolicy !== "Never") {
    const detail = 'only "Never" is supported when podFailurePolicy is specified';
    yield invalid(at, restartPolicy, detail);
  }
}

function* validateCompletionMode(spec: JobSpec, path: string): Findings {
  const { completionMode: mode } = spec;
  if (mode !== undefined && mode !== "NonIndexed" && mode !== "Indexed") {
    yield notSupported(`${path}.completionMode`, mode, ["NonIndexed", "Indexed"]);
  }
  if (mode === "Indexed") yield* validateIndexed(spec, path);
  if (mode !== undefined && mode !== "NonIndexed") return;
  for (const name of ["backoffLimitPerIndex", "maxFailedIndexes"] as const) {
    const value = spec[name];
    if (value !== undefined) {
      yield invalid(`${path}.${name}`, value, "requires indexed completion mode");
    }
  }
}

function* validateIndexed(spec: JobSpec, path: string): Findings {
  const { completions, parallelism = 0, maxFailedIndexes: failed } = spec;
  if (completions === undefined) {
    yield required(`${path}.completions`, "when completion mode is Indexed");
  }
  if (parallelism > parallelismMax) {
    const detail = `must be less than or equal to ${parallelismMax} when completion mode is Indexed`;
    yield invalid(`${path}.parallelism`, parallelism, detail);
  }
  const at = `${path}.maxFailedIndexes`;
  if (completions !== undefined && failed !== undefined && failed > completions) {
    yield invalid(at, failed, "must be less than or equal to completions");
  }
  if (failed !== undefined && failed > failedIndexesMax) {
    yield invalid(at, failed, `must be less than or equal to ${failedIndexesMax}`);
  }
  if ((completions ?? 0) <= manyCompletions || spec.backoffLimitPerIndex === undefined) return;
  const above = `are above ${manyCompletions}`;
  if (failed === undefined) {
    yield required(at, `must be specified when completions is above ${manyCompletions}`);
  } else if (failed > failedIndexesMaxOfMany) {
    const limit = `must be less than or equal to ${failedIndexesMaxOfMany}`;
    yield invalid(at, failed, `${limit} when completions ${above}`);
  }
  if (parallelism > parallelismMaxOfMany) {
    const limit = `must be less than or equal to ${parallelismMaxOfMany}`;
    const detail = `${limit} when completions ${above} and used with backoff limit per index`;
    yield invalid(`${path}.parallelism`, parallelism, detail);
  }
}

export function* validateJobUpdate(job: Job, old: Job, rules: PodRules): Findings {
  const { spec } = job;
  yield* validateJob(job, rules);
  // Upstream looks at the spec once more.
  yield* validateSelectingSpec(spec, rules);
  yield* validateCompletionsChange(spec, old.spec);
  yield* validateImmutable(spec.selector, old.spec.selector, "spec.selector");
  yield* validateTemplateChange(job, old, rules);
  yield* validateImmutable(spec.completionMode, old.spec.completionMode, "spec.completionMode");
  const failurePolicy = spec.podFailurePolicy;
  if (!samePolicy(failurePolicy, old.spec.podFailurePolicy)) {
    const value = failurePolicy === undefined ? null : internalPolicy(failurePolicy);
    yield invalid("spec.podFailurePolicy", value, immutableText);
  }
  const perIndex = spec.backoffLimitPerIndex;
  yield* validateImmutable(perIndex, old.spec.backoffLimitPerIndex, "spec.backoffLimitPerIndex");
  yield* validateImmutable(spec.managedBy, old.spec.managedBy, "spec.managedBy");
  if (!samePolicy(spec.successPolicy, old.spec.successPolicy)) {
    const value = spec.successPolicy && internalValue(SuccessPolicy, spec.successPolicy);
    yield invalid("spec.successPolicy", value ?? null, immutableText);
  }
}

/** Here a policy without rules is not the same as none. */
function samePolicy(policy: object | undefined, old: object | undefined): boolean {
  return (policy === undefined) === (old === undefined) && semanticEqual(policy, old);
}

function internalPolicy(policy: PodFailurePolicy): unknown {
  return policy.rules.length === 0 ? { Rules: [] } : internalValue(PodFailurePolicy, policy);
}

/** Indexed Jobs may grow and shrink, when parallelism does the same. */
function* validateCompletionsChange(spec: JobSpec, old: JobSpec): Findings {
  const { completions, parallelism } = spec;
  if (semanticEqual(completions, old.completions)) return;
  const isElastic = spec.completionMode === "Indexed" && completions !== undefined;
  if (!isElastic || old.completions === undefined) {
    yield invalid("spec.completions", completions ?? null, immutableText);
  } else if (completions !== parallelism) {
    const detail = "can only be modified in tandem with spec.parallelism";
    yield invalid("spec.completions", completions, detail);
  }
}

/** While a Job is suspended, where its Pods will run may change, and what they ask for. */
function* validateTemplateChange(job: Job, old: Job, rules: PodRules): Findings {
  const template = job.spec.template;
  const before = old.spec.template;
  const isHeld = old.spec.suspend === true && old.status?.startTime === undefined;
  if (!isHeld) {
    if (semanticEqual(template, before)) return;
    yield invalid("spec.template", internalTemplate(template), immutableText);
    return;
  }
  const masked = { ...template.spec };
  for (const name of ["affinity", "nodeSelector", "tolerations", "schedulingGates"] as const) {
    Object.assign(masked, { [name]: before.spec[name] });
  }
  if (rules.features.enabled("MutablePodResourcesForSuspendedJobs")) {
    masked.containers = withResources(template.spec.containers, before.spec.containers);
    const inits = withResources(template.spec.initContainers ?? [], before.spec.initContainers ?? []);
    if (template.spec.initContainers !== undefined) masked.initContainers = inits;
  }
  if (semanticEqual(masked, before.spec)) return;
  yield invalid("spec.template.spec", internalPodSpec(masked), immutableText);
}

type Containers = PodTemplateSpec["spec"]["containers"];

function withResources(containers: Containers, old: Containers): Containers {
  return containers.map((container, i) => {
    const resources = old[i]?.resources;
    return { ...container, ...(resources !== undefined && { resources }) };
  });
}
