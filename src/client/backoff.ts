import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Each delay is multiplied by this for the next. */
  readonly factor: number;
  /** Up to this share of the delay is added at random. */
  readonly jitter: number;
  /** Starts over when the last failure is longer ago than this. */
  readonly resetMs: number;
}

export interface Backoff {
  /** The delay before the next attempt. */
  nextMs(): number;
  reset(): void;
}

/** Growing delays of one retried thing. */
export function createBackoff(ports: { clock: Clock; random: Random }, options: BackoffOptions): Backoff {
  let delayMs = options.initialMs;
  let lastMs = -Infinity;
  return {
    nextMs() {
      const nowMs = ports.clock.monotonicMs();
      if (nowMs - lastMs > options.resetMs) delayMs = options.initialMs;
      lastMs = nowMs;
      const current = delayMs;
      delayMs = Math.min(options.maxMs, delayMs * options.factor);
      return current * (1 + options.jitter * ports.random.float());
    },
    reset() {
      delayMs = options.initialMs;
    },
  };
}
