import type { Pod } from "#api/core/v1/pod.ts";
import { quantityMilliValue } from "#apimachinery/quantity.ts";
import type { PodMetric, PodMetrics } from "./metrics.ts";

/** Within these ratios of wanted to seen nothing is done. */
export interface Tolerance {
  readonly down: number;
  readonly up: number;
}

/** A young Pod's CPU says little: it may be starting. */
const cpuInitializationMs = 5 * 60_000;
const initialReadinessMs = 30_000;

function isTolerated(ratio: number, { down, up }: Tolerance): boolean {
  return ratio >= 1 - down && ratio <= 1 + up;
}

interface Groups {
  readonly readyCount: number;
  /** Running, but not to be measured yet. */
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  /** On the way out: they count for nothing. */
  readonly ignored: ReadonlySet<string>;
}

function groupPods(pods: readonly Pod[], metrics: PodMetrics, options: { resource: string | undefined; nowMs: number }): Groups {
  const [unready, missing, ignored] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let readyCount = 0;
  for (const pod of pods) {
    const name = pod.metadata.name ?? "";
    const metric = metrics.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === "Failed") ignored.add(name);
    else if (pod.status?.phase === "Pending") unready.add(name);
    else if (metric === undefined) missing.add(name);
    else if (options.resource === "cpu" && isStarting(pod, metric, options.nowMs)) unready.add(name);
    else readyCount += 1;
  }
  return { readyCount, unready, missing, ignored };
}

function isStarting({ status }: Pod, metric: PodMetric, nowMs: number): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready === undefined || !status?.startTime) return true;
  const startMs = Date.parse(status.startTime);
  const changedMs = Date.parse(ready.lastTransitionTime ?? status.startTime);
  if (startMs + cpuInitializationMs > nowMs) return ready.status === "False" || metric.timestampMs < changedMs + metric.windowMs;
  return ready.status === "False" && startMs + initialReadinessMs > changedMs;
}

/** What the Pods ask of a resource, in thousandths; throws when one of them does not say. */
function requestsOf(pods: readonly Pod[], resource: string, container: string | undefined): Map<string, number> {
  const requests = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
    const measured = [...spec.containers, ...sidecars].filter(({ name }) => container === undefined || name === container);
    let sum = 0;
    for (const { name, resources } of measured) {
      const request = resources?.requests?.[resource];
      if (request === undefined) throw new Error(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`);
      sum += quantityMilliValue(request);
    }
    requests.set(metadata.name ?? "", sum);
  }
  return requests;
}

export interface Proposal {
  readonly replicas: number;
  /** Thousandths per Pod. */
  readonly averageMilli: number;
  readonly utilization?: number;
}

export interface PodInput {
  readonly pods: readonly Pod[];
  readonly metrics: PodMetrics;
  readonly replicas: number;
  readonly tolerance: Tolerance;
  readonly nowMs: number;
  readonly resource?: string;
  readonly container?: string;
}

/** What is wanted: so much of the request in percent, or so many thousandths per Pod. */
export type Target = { readonly utilization: number } | { readonly averageMilli: number };

interface Usage {
  readonly ratio: number;
  readonly averageMilli: number;
  readonly utilization?: number;
}

function usageOf(metrics: PodMetrics, target: Target, requests: ReadonlyMap<string, number>): Usage {
  let [used, requested, count] = [0, 0, 0];
  for (const [name, { value }] of metrics) {
    const request = requests.get(name);
    if ("utilization" in target && request === undefined) continue;
    used += value;
    requested += request ?? 0;
    count += 1;
  }
  const averageMilli = Math.trunc(used / count);
  if ("averageMilli" in target) return { ratio: averageMilli / target.averageMilli, averageMilli };
  if (requested === 0) throw new Error("no metrics returned matched known pods");
  const utilization = Math.trunc((used * 100) / requested);
  return { ratio: utilization / target.utilization, averageMilli, utilization };
}

/**
 * How many replicas bring the Pods' average to the target. Pods that show nothing are taken to be idle when that
 * would add Pods, and busy when that would remove some: an unknown never makes a change larger.
 * Source: replica_calculator.go.
 */
export function proposeByPods(input: PodInput, target: Target): Proposal {
  const { pods, replicas, tolerance, resource } = input;
  if (pods.length === 0) throw new Error("no pods returned by selector while calculating replica count");
  const { readyCount, unready, missing, ignored } = groupPods(pods, input.metrics, { resource, nowMs: input.nowMs });
  const metrics = new Map([...input.metrics].filter(([name]) => !unready.has(name) && !ignored.has(name)));
  const byRequest = "utilization" in target && resource !== undefined;
  const requests = byRequest ? requestsOf(pods, resource, input.container) : new Map<string, number>();
  if (metrics.size === 0) throw new Error("did not receive metrics for any ready pods");
  const seen = usageOf(metrics, target, requests);
  const shown = { averageMilli: seen.averageMilli, ...(seen.utilization !== undefined && { utilization: seen.utilization }) };
  const unchanged = { ...shown, replicas };
  const withUnready = unready.size > 0 && seen.ratio > 1;
  if (!withUnready && missing.size === 0) {
    return isTolerated(seen.ratio, tolerance) ? unchanged : { ...shown, replicas: Math.ceil(seen.ratio * readyCount) };
  }
  const assume = (name: string, value: number): void => void metrics.set(name, { value, timestampMs: 0, windowMs: 0 });
  for (const name of missing) {
    if (seen.ratio > 1) assume(name, 0);
    else if (seen.ratio < 1) assume(name, assumedBusy(name, target, requests));
  }
  if (withUnready) for (const name of unready) assume(name, 0);
  const { ratio } = usageOf(metrics, target, requests);
  const turned = (seen.ratio < 1 && ratio > 1) || (seen.ratio > 1 && ratio < 1);
  if (isTolerated(ratio, tolerance) || turned) return unchanged;
  const next = Math.ceil(ratio * metrics.size);
  const backwards = (ratio < 1 && next > replicas) || (ratio > 1 && next < replicas);
  return backwards ? unchanged : { ...shown, replicas: next };
}

/** A target above the request means that Pods are expected to use more than they ask for. */
function assumedBusy(name: string, target: Target, requests: ReadonlyMap<string, number>): number {
  if ("averageMilli" in target) return target.averageMilli;
  return Math.trunc(((requests.get(name) ?? 0) * Math.max(100, target.utilization)) / 100);
}

export interface ValueInput {
  readonly valueMilli: number;
  readonly replicas: number;
  readonly pods: readonly Pod[];
  readonly tolerance: Tolerance;
}

/** A metric of something else, that the ready Pods share the blame for. */
export function proposeByValue({ valueMilli, replicas, pods, tolerance }: ValueInput, targetMilli: number): Proposal {
  const ratio = valueMilli / targetMilli;
  const averageMilli = valueMilli;
  if (replicas === 0) return { replicas: Math.ceil(ratio), averageMilli };
  if (isTolerated(ratio, tolerance)) return { replicas, averageMilli };
  if (pods.length === 0) throw new Error("unable to calculate ready pods: no pods returned by selector while calculating replica count");
  const ready = pods.filter(
    ({ status }) => status?.phase === "Running" && status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
  );
  return { replicas: Math.ceil(ratio * ready.length), averageMilli };
}

/** A metric that is divided among the replicas. */
export function proposeByShare({ valueMilli, replicas, tolerance }: ValueInput, targetMilli: number): Proposal {
  const averageMilli = replicas === 0 ? 0 : Math.ceil(valueMilli / replicas);
  const tolerated = isTolerated(valueMilli / (targetMilli * replicas), tolerance);
  return { replicas: tolerated ? replicas : Math.ceil(valueMilli / targetMilli), averageMilli };
}
