import type { Clock } from "./clock.ts";

export interface TokenBucket {
  /** Takes a token and returns 0, or how many milliseconds there will be none. */
  take(): number;
}

/** Full at first. Source: client-go flowcontrol NewTokenBucketRateLimiter. */
export function createTokenBucket(
  { qps, burst }: { readonly qps: number; readonly burst: number },
  clock: Pick<Clock, "monotonicMs">,
): TokenBucket {
  let tokens = burst;
  let countedMs = clock.monotonicMs();
  return {
    take() {
      const nowMs = clock.monotonicMs();
      tokens = Math.min(burst, tokens + ((nowMs - countedMs) * qps) / 1000);
      countedMs = nowMs;
      if (tokens < 1) return Math.ceil(((1 - tokens) * 1000) / qps);
      tokens--;
      return 0;
    },
  };
}
