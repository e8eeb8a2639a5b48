import { performance } from "node:perf_hooks";
import type { Clock, Timer } from "../clock.ts";

/** Longest delay that one Node timer takes; longer ones would fire at once. */
const nodeTimerMsMax = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after,
  sleep,
};

function after(delayMs: number, run: () => void): Timer {
  const dueMonotonicMs = performance.now() + Math.max(0, delayMs);
  if (delayMs <= nodeTimerMsMax) {
    const handle = setTimeout(run, Math.max(0, delayMs));
    return { dueMonotonicMs, [Symbol.dispose]: () => clearTimeout(handle) };
  }
  let handle: NodeJS.Timeout;
  const arm = (): void => {
    const leftMs = dueMonotonicMs - performance.now();
    handle =
      leftMs > nodeTimerMsMax
        ? setTimeout(arm, nodeTimerMsMax)
        : setTimeout(run, Math.max(0, leftMs));
  };
  arm();
  return { dueMonotonicMs, [Symbol.dispose]: () => clearTimeout(handle) };
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = (): void => {
      timer[Symbol.dispose]();
      reject(signal?.reason);
    };
    const timer = after(delayMs, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}
