/** Time as a port: the real one is in `os/clock.ts`, the one tests move in `virtual/clock.ts`. */

/** A pending call; disposing it cancels. Never keeps the process alive by itself when unref'd. */
export interface Timer extends Disposable {
  readonly dueMonotonicMs: number;
}

export interface Clock {
  /** Wall clock, milliseconds since 1970, may jump. For timestamps only, never for durations. */
  nowMs(): number;
  /** Milliseconds that only grow, from an arbitrary origin. For every duration and deadline. */
  monotonicMs(): number;
  /**
   * Calls `run` once after `delayMs` (clamped to 0 and above, any size: chained beyond 2^31 - 1).
   * Timers fire by due time, then by creation.
   */
  after(delayMs: number, run: () => void): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** RFC 3339 in whole seconds, as `metav1.Time` is written. */
export function rfc3339(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = new Date(second * 1000).toISOString().replace(".000Z", "Z");
  }
  return lastText;
}

/** Many ask within a second. */
let lastSecond = Number.NaN;
let lastText = "";

/** RFC 3339 with six decimals, as `metav1.MicroTime` is written. */
export function rfc3339Micro(epochMs: number): string {
  return new Date(Math.floor(epochMs)).toISOString().replace("Z", "000Z");
}
