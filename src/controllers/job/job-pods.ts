import { type Job, jobs } from "#api/batch/v1/job.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { controllerRef } from "../framework/owners.ts";
import { podFromTemplate } from "../framework/pods.ts";

/** Holds an ended Pod until the Job has counted it. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";
export const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
export const ignoredFailureCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";

export function isTracked({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) ?? false;
}

export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === "Indexed";
}

/** A Pod that is going is replaced only once it has failed. */
export function replacesOnlyFailed({ spec }: Job): boolean {
  return (
    spec.podReplacementPolicy === "Failed" ||
    (spec.podReplacementPolicy === undefined && spec.podFailurePolicy !== undefined)
  );
}

/** Counts as failed: it failed, or it is going without having succeeded and need not be waited for. */
export function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === "Failed") return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== "Succeeded";
}

export function hasSucceeded(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded";
}

/** Undefined when it has none, or one that is out of range. */
export function completionIndexOf(job: Job, pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation];
  const index = text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  return index !== undefined && index < (job.spec.completions ?? 0) ? index : undefined;
}

export interface IndexFailures {
  readonly counted: number;
  readonly ignored: number;
}

export function failuresOf({ metadata }: Pod): IndexFailures {
  const read = (name: string): number => Number(metadata.annotations?.[name] ?? "0") || 0;
  return { counted: read(failureCountAnnotation), ignored: read(ignoredFailureCountAnnotation) };
}

/** When the Pod ended: its last container's end, else when it was told to go, else now. */
export function finishedMs(pod: Pod, nowMs: number): number {
  const ends = (pod.status?.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state?.terminated?.finishedAt ?? ""),
  );
  const known = ends.filter((end) => !Number.isNaN(end) && end > 0);
  if (known.length > 0) return Math.max(...known);
  const going = Date.parse(pod.metadata.deletionTimestamp ?? "");
  return Number.isNaN(going) ? nowMs : Math.min(nowMs, going);
}

/** A new Pod of the Job; with `index` one that stands for a completion index. */
export function podOfJob(job: Job, index?: number, failures?: IndexFailures): Pod {
  const pod = podFromTemplate(job.spec.template, job, controllerRef(jobs, job));
  const finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const { name = "" } = job.metadata;
  const text = String(index);
  const annotations = {
    ...pod.metadata.annotations,
    [indexAnnotation]: text,
    ...(failures && { [failureCountAnnotation]: String(failures.counted) }),
    ...(failures &&
      failures.ignored > 0 && { [ignoredFailureCountAnnotation]: String(failures.ignored) }),
  };
  const addIndex = (container: Container): Container => withIndexEnv(container);
  const { initContainers } = pod.spec;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${name}-${text}-`,
      labels: { ...pod.metadata.labels, [indexAnnotation]: text },
      annotations,
      finalizers,
    },
    spec: {
      ...pod.spec,
      hostname: pod.spec.hostname || `${name}-${text}`,
      containers: pod.spec.containers.map(addIndex),
      ...(initContainers && { initContainers: initContainers.map(addIndex) }),
    },
  };
}

const indexEnvName = "JOB_COMPLETION_INDEX";

function withIndexEnv(container: Container): Container {
  if (container.env?.some(({ name }) => name === indexEnvName)) return container;
  const fieldPath = `metadata.labels['${indexAnnotation}']`;
  return {
    ...container,
    env: [...(container.env ?? []), { name: indexEnvName, valueFrom: { fieldRef: { fieldPath } } }],
  };
}
