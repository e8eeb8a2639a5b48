import type { Clock } from "#base/clock.ts";
import type { ExtensionPoint, PointStatus, SchedulerMetrics } from "./metrics.ts";

/** Tells how long the plugins of each point took, one point after the other. */
export interface Stopwatch {
  readonly startMs: number;
  /** The time since the last lap, or the start, was spent at `point`. */
  lap(point: ExtensionPoint, status: PointStatus): void;
}

export function startStopwatch(clock: Clock, metrics: SchedulerMetrics | undefined, profile: string): Stopwatch {
  const startMs = clock.monotonicMs();
  let lastMs = startMs;
  return {
    startMs,
    lap(point, status) {
      if (metrics === undefined) return;
      const nowMs = clock.monotonicMs();
      metrics.ran(point, profile, { status, durationMs: nowMs - lastMs });
      lastMs = nowMs;
    },
  };
}
