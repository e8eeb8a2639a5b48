/**
 * The loop: scheduling cycles one after the other, binding cycles beside them.
 * Source: pkg/scheduler/schedule_one.go.
 *
 * Invariants: 1. One scheduling cycle at a time. 2. At most `bindingsMax` bindings are under way;
 * the loop waits for one to end. 3. A pod whose binding fails is taken off its node, its
 * reservations are undone, and it is queued again with backoff. 4. The loop lets others run after
 * `sliceMsMax`.
 */
import type { Lifetime } from "#base/lifetime.ts";
import type { Random } from "#base/random.ts";
import type { PodInfo } from "./pod-info.ts";
import type { ProfileRuntime } from "./profile-runtime.ts";
import type { QueuedPod } from "./queued-pod.ts";
import { Slots } from "./slots.ts";
import { Trial, type TrialOptions } from "./trial.ts";
import { tellFailure } from "./trial-report.ts";

/** Bindings under way. */
export const bindingsMax = 128;
/** Longest time without letting others run. */
const sliceMsMax = 5;

export interface CyclesOptions extends Omit<TrialOptions, "bindings" | "below" | "signal"> {
  readonly runtimeOf: (pod: PodInfo) => ProfileRuntime | undefined;
  readonly random: Random;
  readonly lifetime: Lifetime;
  readonly nextTurn: () => Promise<void>;
}

export interface Cycles {
  /** Nothing is scheduled before. */
  start(): void;
  wake(): void;
  idle(): Promise<void>;
}

export function createCycles(options: CyclesOptions): Cycles {
  const { queue, clock, log, lifetime, random } = options;
  const bindings = new Slots(bindingsMax);
  const below = (limit: number): number => random.below(limit);
  const trials: TrialOptions = { ...options, bindings, below, signal: lifetime.signal };
  let started = false;
  let running: Promise<void> | undefined;

  function wake(): void {
    if (!started || running !== undefined || lifetime.ended) return;
    running = Promise.resolve()
      .then(run)
      .catch((error: unknown) => log.error("scheduling loop failed", error))
      .finally(() => {
        running = undefined;
        const { active } = queue.counts;
        if (active > 0) wake();
      });
  }

  async function run(): Promise<void> {
    let sliceEndsMs = clock.monotonicMs() + sliceMsMax;
    while (!lifetime.ended) {
      const entry = queue.pop();
      if (entry === undefined) return;
      const pausing = scheduleOne(entry);
      if (pausing !== undefined) await pausing;
      if (bindings.full) await bindings.freed();
      if (clock.monotonicMs() < sliceEndsMs) continue;
      await options.nextTurn();
      sliceEndsMs = clock.monotonicMs() + sliceMsMax;
    }
  }

  /** A promise only when the cycle has to wait for something. */
  function scheduleOne(entry: QueuedPod): Promise<void> | undefined {
    const { info } = entry;
    const runtime = options.runtimeOf(info);
    if (runtime === undefined || options.cluster.pod(info.uid) !== undefined) return void queue.done(entry);
    if (info.terminating) {
      tellFailure(runtime, info.pod, `skip schedule deleting pod: ${info.key}`);
      return void queue.done(entry);
    }
    return new Trial(trials, entry, runtime).run();
  }

  return {
    start() {
      started = true;
      wake();
    },
    wake,
    async idle() {
      for (;;) {
        if (running !== undefined) await running;
        else if (bindings.count > 0) await bindings.freed();
        else return;
      }
    },
  };
}
