/**
 * Delays between restarts of a container: 10 s, doubled by each crash up to 5 minutes, forgotten
 * when it then ran for twice the longest. Source: client-go flowcontrol.Backoff, kubelet.go.
 */
import type { Clock } from "#base/clock.ts";

export const crashBackoffInitialMs = 10_000;
export const crashBackoffMaxMs = 300_000;

export interface CrashBackoff {
  /**
   * How long a container that ended at `finishedMs` (wall clock) still has to wait; at 0 the
   * restart is counted, so call it when the container is about to be started.
   */
  admit(key: string, finishedMs: number): number;
  /** The whole delay that `key` is in. */
  delayMs(key: string): number;
  /** All keys that begin with `prefix`. */
  forget(prefix: string): void;
}

export function createCrashBackoff(clock: Clock): CrashBackoff {
  const entries = new Map<string, { delayMs: number; readonly sinceMs: number }>();
  return {
    admit(key, finishedMs) {
      const entry = entries.get(key);
      const stale = entry !== undefined && finishedMs - entry.sinceMs > 2 * crashBackoffMaxMs;
      const known = stale ? undefined : entry;
      const nowMs = clock.nowMs();
      const remainingMs = known === undefined ? 0 : finishedMs + known.delayMs - nowMs;
      if (remainingMs > 0) return remainingMs;
      const delayMs =
        known === undefined
          ? crashBackoffInitialMs
          : Math.min(crashBackoffMaxMs, known.delayMs * 2);
      entries.set(key, { delayMs, sinceMs: nowMs });
      return 0;
    },
    delayMs: (key) => entries.get(key)?.delayMs ?? 0,
    forget(prefix) {
      for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
    },
  };
}
