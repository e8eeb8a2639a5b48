import type { Probe } from "#api/core/v1/probe.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { ProbeResult } from "../pod/plan-pod.ts";
import { type ProbeOutcome, type ProbePorts, type ProbeTarget, runProbe } from "./run-probe.ts";

export interface ProbeLoopOptions {
  readonly kind: "startup" | "liveness" | "readiness";
  readonly probe: Probe;
  readonly clock: Clock;
  readonly ports: ProbePorts;
  readonly target: ProbeTarget;
  /** Wall clock. */
  readonly startedMs: number;
  /** False while the startup probe has not passed. */
  readonly mayRun: () => boolean;
  readonly tell: {
    readonly warning: (reason: string, message: string) => void;
    readonly changed: () => void;
  };
}

/** One probe of one instance of a container. Source: kubelet/prober/worker.go. */
export interface ProbeLoop extends Disposable {
  /** Undefined until a threshold was reached for the first time. */
  readonly result: ProbeResult | undefined;
  /** Probes now, or when the one under way has answered, if it is time to; else when it is. */
  nudge(): void;
}

/** A probe that could not be carried out is tried again at once. Source: prober.go maxProbeRetries. */
const attemptsMax = 3;
/**
 * A container is asked the moment it runs, which is before most servers listen; upstream's first question comes with the
 * relist, up to this much later. Whoever was not ready at first is asked again then, and not a period later.
 */
const secondLookMs = 1000;

export function createProbeLoop(options: ProbeLoopOptions): ProbeLoop {
  const { probe, clock, kind, tell } = options;
  const { periodSeconds = 10, initialDelaySeconds = 0 } = probe;
  const { failureThreshold = 3, successThreshold = 1 } = probe;
  let result: ProbeResult | undefined;
  let last: ProbeResult | undefined;
  let inARow = 0;
  let running = false;
  /** Its time came while the probe before it had not answered yet. */
  let late = false;
  let timer: Timer | undefined;
  let over = false;

  function schedule(delayMs: number): void {
    timer?.[Symbol.dispose]();
    if (!over) timer = clock.after(delayMs, () => void turn());
  }

  async function turn(): Promise<void> {
    if (over) return;
    if (running) {
      late = true;
      return;
    }
    const earlyMs = options.startedMs + initialDelaySeconds * 1000 - clock.nowMs();
    if (earlyMs > 0) return schedule(earlyMs);
    if (!options.mayRun()) return schedule(periodSeconds * 1000);
    running = true;
    schedule(periodSeconds * 1000);
    const outcome = await attempt();
    running = false;
    if (over) return;
    const first = last === undefined;
    settle(outcome);
    if (late) {
      late = false;
      void turn();
    } else if (first && kind === "readiness" && outcome.result === "failure") {
      schedule(Math.min(secondLookMs, periodSeconds * 1000));
    }
  }

  async function attempt(): Promise<ProbeOutcome> {
    let outcome = await runProbe(probe, options.target, options.ports);
    for (let i = 1; i < attemptsMax && outcome.result === "error"; i++) {
      outcome = await runProbe(probe, options.target, options.ports);
    }
    return outcome;
  }

  function settle(outcome: ProbeOutcome): void {
    const named = kind.slice(0, 1).toUpperCase() + kind.slice(1);
    if (outcome.result === "failure")
      tell.warning("Unhealthy", `${named} probe failed: ${outcome.output}`);
    else if (outcome.result === "error") {
      tell.warning(
        "Unhealthy",
        `${named} probe errored and resulted in unknown state: ${outcome.output}`,
      );
      return;
    } else if (outcome.warning === true) {
      tell.warning("ProbeWarning", `${named} probe warning: ${outcome.output}`);
    }
    inARow = outcome.result === last ? inARow + 1 : 1;
    last = outcome.result;
    const needed = outcome.result === "failure" ? failureThreshold : successThreshold;
    if (inARow < needed) return;
    const decided = outcome.result === "failure" && kind !== "readiness";
    // A container that failed is going to be replaced, one that has started stays started.
    if (decided || (kind === "startup" && outcome.result === "success")) end();
    if (result === outcome.result) return;
    result = outcome.result;
    tell.changed();
  }

  function end(): void {
    over = true;
    timer?.[Symbol.dispose]();
  }

  return {
    get result() {
      return result;
    },
    nudge: () => void turn(),
    [Symbol.dispose]: end,
  };
}
