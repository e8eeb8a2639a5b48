import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

/** Source: apimachinery `wait.Backoff`, with the same meaning of every field. */
export interface BackoffOptions {
  readonly initialMs: number;
  /** @default 2; 0 or 1 keeps the delay constant */
  readonly factor?: number;
  /** Each delay is longer by up to this share of itself. @default 0 */
  readonly jitter?: number;
  /** How often the delay may grow. @default no limit */
  readonly steps?: number;
  /** Once the delay has grown to it, it stays there. @default no limit */
  readonly capMs?: number;
}

export interface Backoff {
  /** The delay before the next attempt. */
  nextMs(): number;
  reset(): void;
}

export function createBackoff(options: BackoffOptions, random: Random): Backoff {
  const { initialMs, factor = 2, jitter = 0, steps = Infinity, capMs = 0 } = options;
  let delayMs = initialMs;
  let stepsLeft = steps;

  function grow(): void {
    if (stepsLeft < 1) return;
    stepsLeft--;
    if (factor === 0) return;
    delayMs *= factor;
    if (capMs > 0 && delayMs > capMs) {
      delayMs = capMs;
      stepsLeft = 0;
    }
  }

  return {
    nextMs() {
      const currentMs = delayMs;
      grow();
      return jitter > 0 ? currentMs * (1 + random.float() * jitter) : currentMs;
    },
    reset() {
      delayMs = initialMs;
      stepsLeft = steps;
    },
  };
}

/** Least keys before `next` looks for forgotten ones. */
const keyedSweepSize = 64;

/**
 * One growing delay per key, forgotten when the key was quiet for twice the longest delay.
 * Source: client-go `flowcontrol.Backoff`, as the kubelet uses it for images and containers.
 */
export interface KeyedBackoff {
  /** Grows the key's delay and returns it. */
  next(key: string): number;
  /** What `next` returned last; 0 for a key that it does not know. */
  currentMs(key: string): number;
  /** How much of the delay is left since the last `next`. */
  remainingMs(key: string): number;
  forget(key: string): void;
}

interface KeyedEntry {
  readonly delayMs: number;
  readonly sinceMs: number;
}

export function createKeyedBackoff(
  options: { readonly initialMs: number; readonly maxMs: number },
  clock: Clock,
): KeyedBackoff {
  const entries = new Map<string, KeyedEntry>();
  let sweepAtSize = keyedSweepSize;

  function live(key: string): KeyedEntry | undefined {
    const entry = entries.get(key);
    return entry !== undefined && !expired(entry) ? entry : undefined;
  }

  function expired(entry: KeyedEntry): boolean {
    return clock.monotonicMs() - entry.sinceMs > 2 * options.maxMs;
  }

  function sweep(): void {
    for (const [key, entry] of entries) if (expired(entry)) entries.delete(key);
    sweepAtSize = Math.max(keyedSweepSize, 2 * entries.size);
  }

  return {
    next(key) {
      const last = live(key);
      const grownMs = last === undefined ? options.initialMs : last.delayMs * 2;
      const delayMs = Math.min(grownMs, options.maxMs);
      if (entries.size >= sweepAtSize) sweep();
      entries.set(key, { delayMs, sinceMs: clock.monotonicMs() });
      return delayMs;
    },
    currentMs: (key) => live(key)?.delayMs ?? 0,
    remainingMs(key) {
      const entry = live(key);
      if (entry === undefined) return 0;
      return Math.max(0, entry.sinceMs + entry.delayMs - clock.monotonicMs());
    },
    forget: (key) => void entries.delete(key),
  };
}
