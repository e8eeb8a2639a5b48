import type { Clock } from "#base/clock.ts";
import { perObjectMsMax } from "./limits.ts";

/** Time that several evaluations share. What passes between them does not count. */
export interface Stopwatch {
  /** Runs one; `interrupted` turns true when no time is left. */
  run<T>(evaluate: (interrupted: () => boolean) => T): T;
}

export function createStopwatch(clock: Pick<Clock, "monotonicMs">, msMax: number = perObjectMsMax): Stopwatch {
  let msLeft = msMax;
  return {
    run(evaluate) {
      const started = clock.monotonicMs();
      try {
        return evaluate(() => clock.monotonicMs() - started > msLeft);
      } finally {
        msLeft -= clock.monotonicMs() - started;
      }
    },
  };
}
