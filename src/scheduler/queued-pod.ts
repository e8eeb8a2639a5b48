import type { PodInfo } from "./pod-info.ts";

export interface QueuedPod {
  info: PodInfo;
  attempts: number;
  /** Since when it is due: decides among equal priorities. */
  queuedAtMs: number;
  readonly addedAtMs: number;
  /** When no gate held it any more, the first time. */
  firstActiveMs: number | undefined;
  /** Names of the plugins that refused it last. */
  refusedBy: ReadonlySet<string>;
  /** Failed for reasons of ours: its backoff is waited for. */
  failedByError: boolean;
  backoffUntilMs: number;
  place: "gated" | "active" | "backoff" | "unschedulable" | "inFlight" | "gone";
  sequence: number;
}

/** In no place yet. */
export function createQueuedPod(info: PodInfo, nowMs: number): QueuedPod {
  return {
    info,
    attempts: 0,
    queuedAtMs: nowMs,
    addedAtMs: nowMs,
    refusedBy: new Set(),
    failedByError: false,
    backoffUntilMs: 0,
    firstActiveMs: undefined,
    place: "gone",
    sequence: 0,
  };
}

/** Whether `a` is to be tried before `b`. */
export function byPriority(a: QueuedPod, b: QueuedPod): boolean {
  if (a.info.priority !== b.info.priority) return a.info.priority > b.info.priority;
  if (a.queuedAtMs !== b.queuedAtMs) return a.queuedAtMs < b.queuedAtMs;
  return a.sequence < b.sequence;
}

/** Whether the backoff of `a` ends before that of `b`. */
export function byBackoff(a: QueuedPod, b: QueuedPod): boolean {
  if (a.backoffUntilMs !== b.backoffUntilMs) return a.backoffUntilMs < b.backoffUntilMs;
  return a.sequence < b.sequence;
}
