/**
 * Time that moves only when a test says so.
 *
 * Invariants: 1. Timers fire by due time, then by creation, each at exactly its due time.
 * 2. Before every timer, and before `advance` resolves, all microtasks have run.
 * 3. A timer made during an advance fires in it when it falls due in it.
 * 4. An error thrown by a timer rejects the advance. 5. The wall clock may be set; durations
 * never notice.
 */
import { assert } from "../assert.ts";
import type { Clock, Timer } from "../clock.ts";
import { createHeap } from "../heap.ts";
import { nextTurn } from "../os/turn.ts";

export interface VirtualClock extends Clock {
  /** Moves time forward by `ms`, firing what falls due. Never two at once. */
  advance(ms: number): Promise<void>;
  /** Moves to the next timer and fires those due at that moment; false when there is none. */
  advanceToNext(): Promise<boolean>;
  /** Lets everything run that needs no time to pass. */
  settle(): Promise<void>;
  /** Steps the wall clock alone. */
  setNowMs(epochMs: number): void;
  /** Timers that are armed. */
  readonly pendingCount: number;
}

export interface VirtualClockOptions {
  /** Wall clock at the start; 2026-01-01T00:00:00Z when absent. */
  readonly startMs?: number;
  /** Most timers in one advance, against loops that never end; 1,000,000 when absent. */
  readonly timersMax?: number;
}

interface Entry {
  readonly dueMs: number;
  readonly sequence: number;
  /** Undefined when cancelled. */
  run: (() => void) | undefined;
}

export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const timersMax = options.timersMax ?? 1_000_000;
  const timers = createHeap<Entry>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence),
  );
  let monotonicMs = 0;
  let wallOffsetMs = options.startMs ?? Date.UTC(2026, 0, 1);
  let sequence = 0;
  let pendingCount = 0;
  let advancing = false;

  function after(delayMs: number, run: () => void): Timer {
    const entry: Entry = { dueMs: monotonicMs + Math.max(0, delayMs), sequence: sequence++, run };
    timers.push(entry);
    pendingCount++;
    return {
      dueMonotonicMs: entry.dueMs,
      [Symbol.dispose]() {
        if (entry.run === undefined) return;
        entry.run = undefined;
        pendingCount--;
      },
    };
  }

  /** The earliest armed timer; drops cancelled ones on the way. */
  function next(): Entry | undefined {
    let entry = timers.peek();
    while (entry !== undefined && entry.run === undefined) {
      timers.pop();
      entry = timers.peek();
    }
    return entry;
  }

  async function fireUntil(endMs: number): Promise<void> {
    assert(!advancing, "virtual clock: two advances at once");
    advancing = true;
    try {
      await nextTurn();
      let fired = 0;
      for (let entry = next(); entry !== undefined && entry.dueMs <= endMs; entry = next()) {
        assert(fired++ < timersMax, `virtual clock: more than ${timersMax} timers in one advance`);
        timers.pop();
        pendingCount--;
        monotonicMs = Math.max(monotonicMs, entry.dueMs);
        const run = entry.run;
        entry.run = undefined;
        run?.();
        await nextTurn();
      }
      monotonicMs = Math.max(monotonicMs, endMs);
    } finally {
      advancing = false;
    }
  }

  return {
    nowMs: () => wallOffsetMs + monotonicMs,
    monotonicMs: () => monotonicMs,
    after,
    sleep: (delayMs, signal) => sleepOn(after, delayMs, signal),
    advance: (ms) => fireUntil(monotonicMs + ms),
    async advanceToNext() {
      await nextTurn();
      const entry = next();
      if (entry === undefined) return false;
      await fireUntil(entry.dueMs);
      return true;
    },
    settle: nextTurn,
    setNowMs(epochMs) {
      wallOffsetMs = epochMs - monotonicMs;
    },
    get pendingCount() {
      return pendingCount;
    },
  };
}

function sleepOn(after: Clock["after"], delayMs: number, signal?: AbortSignal): Promise<void> {
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
