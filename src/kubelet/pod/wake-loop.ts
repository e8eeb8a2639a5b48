import type { Clock, Timer } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";

/**
 * Runs a step whenever there is a cause. Invariants: 1. One step at a time. 2. A cause that comes
 * during a step leads to one more. 3. Of several times to wake at, the earliest counts; a step
 * forgets them all, and says anew when it wants to be woken. 4. Nothing runs after the lifetime.
 */
export interface WakeLoop extends Disposable {
  /** In a step. */
  readonly busy: boolean;
  wake(): void;
  wakeAfter(delayMs: number): void;
}

export interface WakeLoopOptions {
  readonly clock: Clock;
  readonly lifetime: Lifetime;
  readonly step: () => Promise<void>;
  /** What to do about a step that failed, given how many failed in a row before it. */
  readonly failed: (error: unknown, failuresBefore: number) => void;
}

export function createWakeLoop({ clock, lifetime, step, failed }: WakeLoopOptions): WakeLoop {
  let busy = false;
  let again = false;
  let timer: Timer | undefined;
  let failures = 0;

  function forgetTime(): void {
    timer?.[Symbol.dispose]();
    timer = undefined;
  }

  async function run(): Promise<void> {
    busy = true;
    while (again && !lifetime.ended) {
      again = false;
      forgetTime();
      try {
        await step();
        failures = 0;
      } catch (error) {
        if (!lifetime.ended) failed(error, failures++);
      }
    }
    busy = false;
  }

  function wake(): void {
    again = true;
    if (!busy && !lifetime.ended) void run();
  }

  return {
    get busy() {
      return busy;
    },
    wake,
    wakeAfter(delayMs) {
      if (lifetime.ended) return;
      const dueMs = clock.monotonicMs() + delayMs;
      if (timer !== undefined && timer.dueMonotonicMs <= dueMs) return;
      forgetTime();
      timer = clock.after(delayMs, wake);
    },
    [Symbol.dispose]: forgetTime,
  };
}
