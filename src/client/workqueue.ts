/**
 * A queue of keys for workers. Invariants (those of client-go's util/workqueue):
 * 1. Fair: keys are handed out in the order they were added.
 * 2. Stingy: a key added twice before it is handed out is handed out once.
 * 3. A key is with one worker at most; added while it is there, it is queued again when done.
 * 4. After shutdown nothing more is accepted; what is queued is still handed out, then undefined.
 * 5. Of several delays for one key the shortest counts; a key that is delayed is not yet queued.
 */
import { assert } from "#base/assert.ts";
import type { Clock, Timer } from "#base/clock.ts";

export interface Workqueue {
  readonly size: number;
  add(key: string): void;
  addAfter(key: string, delayMs: number): void;
  /** After the delay that the rate limiter gives for the key's failures. */
  addRateLimited(key: string): void;
  /** Ends the key's record of failures: call after success. */
  forget(key: string): void;
  /** Failures on record. */
  requeues(key: string): number;
  /** Waits for a key; undefined after shutdown. Each key got must be given to `done`. */
  get(): Promise<string | undefined>;
  done(key: string): void;
  shutDown(): void;
  /** Resolves when, after a shutdown, every key handed out is done. */
  drained(): Promise<void>;
}

export interface RateLimiter {
  delayMs(key: string): number;
  forget(key: string): void;
  failures(key: string): number;
}

export interface WorkqueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly limiter?: RateLimiter;
  readonly observer?: WorkqueueObserver;
}

/** For metrics; times are monotonic milliseconds. */
export interface WorkqueueObserver {
  added(depth: number): void;
  started(waitedMs: number, depth: number): void;
  finished(workedMs: number): void;
  retried(): void;
}

export function createWorkqueue(options: WorkqueueOptions): Workqueue {
  const { clock, observer } = options;
  const limiter = options.limiter ?? defaultLimiter(clock);
  const queued: string[] = [];
  let head = 0;
  /** Keys that want work: queued, or with a worker and to be queued again. */
  const dirty = new Map<string, number>();
  const processing = new Map<string, number>();
  const delayed = new Map<string, Timer>();
  const waiting: ((key: string | undefined) => void)[] = [];
  const drains: (() => void)[] = [];
  let closed = false;

  const depth = (): number => queued.length - head;

  function enqueue(key: string): void {
    queued.push(key);
    const taker = waiting.shift();
    if (taker) taker(take());
  }

  function take(): string | undefined {
    const key = queued[head];
    if (key === undefined) return undefined;
    queued[head++] = "";
    if (head > 1024 && head * 2 > queued.length) {
      queued.splice(0, head);
      head = 0;
    }
    const nowMs = clock.monotonicMs();
    observer?.started(nowMs - (dirty.get(key) ?? nowMs), depth());
    dirty.delete(key);
    processing.set(key, nowMs);
    return key;
  }

  function add(key: string): void {
    if (closed || dirty.has(key)) return;
    dirty.set(key, clock.monotonicMs());
    observer?.added(depth() + 1);
    if (!processing.has(key)) enqueue(key);
  }

  function addAfter(key: string, wantedMs: number): void {
    if (closed) return;
    // Whole milliseconds: a remainder of 1e-12 ms would come due before its time, again and again.
    const delayMs = Math.ceil(wantedMs);
    if (delayMs <= 0) return add(key);
    const earlier = delayed.get(key);
    if (earlier && earlier.dueMonotonicMs <= clock.monotonicMs() + delayMs) return;
    earlier?.[Symbol.dispose]();
    delayed.set(
      key,
      clock.after(delayMs, () => {
        delayed.delete(key);
        add(key);
      }),
    );
  }

  function done(key: string): void {
    const startedMs = processing.get(key);
    assert(startedMs !== undefined, `workqueue ${options.name}: done of ${key}, which nobody has`);
    processing.delete(key);
    observer?.finished(clock.monotonicMs() - startedMs);
    if (dirty.has(key)) enqueue(key);
    settle();
  }

  function settle(): void {
    if (!closed || processing.size > 0 || depth() > 0) return;
    for (const resolve of drains.splice(0)) resolve();
  }

  return {
    get size() {
      return depth();
    },
    add,
    addAfter,
    addRateLimited(key) {
      observer?.retried();
      addAfter(key, limiter.delayMs(key));
    },
    forget: (key) => limiter.forget(key),
    requeues: (key) => limiter.failures(key),
    get() {
      const key = take();
      if (key !== undefined || closed) return Promise.resolve(key);
      return new Promise((resolve) => waiting.push(resolve));
    },
    done,
    shutDown() {
      closed = true;
      for (const timer of delayed.values()) timer[Symbol.dispose]();
      delayed.clear();
      for (const taker of waiting.splice(0)) taker(undefined);
      settle();
    },
    drained() {
      return new Promise((resolve) => {
        drains.push(resolve);
        settle();
      });
    },
  };
}

/** Client-go's default: 5 ms doubling to 1000 s for each key, all keys at 10/s after a burst of 100. */
export function defaultLimiter(clock: Clock): RateLimiter {
  return slowest([
    exponentialLimiter(5, 1_000_000),
    bucketLimiter({ clock, perSecond: 10, burst: 100 }),
  ]);
}

/** Doubles with each failure of a key. */
export function exponentialLimiter(baseMs: number, maxMs: number): RateLimiter {
  const failures = new Map<string, number>();
  return {
    delayMs(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      return Math.min(maxMs, baseMs * 2 ** count);
    },
    forget: (key) => void failures.delete(key),
    failures: (key) => failures.get(key) ?? 0,
  };
}

/** A token bucket over all keys. */
export function bucketLimiter(options: {
  clock: Clock;
  perSecond: number;
  burst: number;
}): RateLimiter {
  const { clock, perSecond, burst } = options;
  let tokens = burst;
  let lastMs = clock.monotonicMs();
  return {
    delayMs() {
      const nowMs = clock.monotonicMs();
      tokens = Math.min(burst, tokens + ((nowMs - lastMs) * perSecond) / 1000);
      lastMs = nowMs;
      tokens -= 1;
      return tokens >= 0 ? 0 : (-tokens * 1000) / perSecond;
    },
    forget() {},
    failures: () => 0,
  };
}

/** The longest delay of several limiters. */
export function slowest(limiters: readonly RateLimiter[]): RateLimiter {
  return {
    delayMs: (key) => Math.max(...limiters.map((limiter) => limiter.delayMs(key))),
    forget: (key) => limiters.forEach((limiter) => limiter.forget(key)),
    failures: (key) => Math.max(...limiters.map((limiter) => limiter.failures(key))),
  };
}
