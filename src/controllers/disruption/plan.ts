import type { Pod } from "#api/core/v1/pod.ts";
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from "#api/policy/v1/pod-disruption-budget.ts";
import { scaledValue } from "../deployment/arithmetic.ts";
import { isReady } from "../framework/pods.ts";

/** How long an eviction may take until the Pod counts as staying. Source: DeletionTimeout. */
export const deletionMs = 120_000;

export interface Expectation {
  /** Pods that there should be. */
  readonly expected: number;
  /** Pods that must stay healthy. */
  readonly desired: number;
}

/**
 * What the budget asks for. `scale` is the sum of the sizes of the Pods' controllers; it is not
 * read for a number in `minAvailable`, so that Pods without a controller do there.
 */
export function expectationOf(
  { spec }: PodDisruptionBudget,
  podCount: number,
  scale: () => number,
): Expectation {
  const { minAvailable, maxUnavailable } = spec;
  if (maxUnavailable !== undefined) {
    const expected = scale();
    return {
      expected,
      desired: Math.max(0, expected - scaledValue(maxUnavailable, expected, Math.ceil)),
    };
  }
  if (typeof minAvailable === "number") return { expected: podCount, desired: minAvailable };
  if (minAvailable === undefined) return { expected: 0, desired: 0 };
  const expected = scale();
  return { expected, desired: scaledValue(minAvailable, expected, Math.ceil) };
}

export interface Disrupted {
  /** Evictions on their way, by Pod name. */
  readonly pending: Readonly<Record<string, string>>;
  /** Pods that should be gone and are not. */
  readonly overdue: readonly Pod[];
  /** When the next pending one is overdue; undefined without any. */
  readonly nextMs: number | undefined;
}

/** What is left of `disruptedPods`: Pods that are gone or going need no place in it. */
export function stillDisrupted(
  status: PodDisruptionBudgetStatus | undefined,
  pods: readonly Pod[],
  nowMs: number,
): Disrupted {
  const pending: [string, string][] = [];
  const overdue: Pod[] = [];
  let nextMs: number | undefined;
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata;
    const since = Object.hasOwn(status?.disruptedPods ?? {}, name)
      ? status?.disruptedPods?.[name]
      : undefined;
    if (since === undefined || deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(since) + deletionMs - nowMs;
    if (leftMs <= 0) overdue.push(pod);
    else {
      pending.push([name, since]);
      nextMs = Math.min(nextMs ?? Infinity, leftMs);
    }
  }
  return { pending: Object.fromEntries(pending), overdue, nextMs };
}

export function countHealthy(
  pods: readonly Pod[],
  pending: Readonly<Record<string, string>>,
): number {
  return pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      !Object.hasOwn(pending, pod.metadata.name ?? "") &&
      isReady(pod),
  ).length;
}
