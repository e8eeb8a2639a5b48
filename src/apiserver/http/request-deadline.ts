import type { Clock, Timer } from "#base/clock.ts";
import { durationMs } from "#apimachinery/go-duration.ts";
import { timeout } from "#apimachinery/status.ts";
import type { RequestFilter } from "./frontend.ts";
import { isLongRunning } from "./query-options.ts";

/** Longest time for an answer. Source: --request-timeout. */
export const requestMsDefault = 60_000;

/**
 * Answers 504 when a request is not answered in time: in `?timeout=` of the client, at most in
 * `requestMs`. What lasts has no deadline. Source: endpoints/filters/request_deadline.go.
 */
export function requestDeadline(clock: Clock, requestMs: number): RequestFilter {
  const usual = new DeadlineQueue(clock, requestMs);
  return ({ info, query }, next) => {
    if (isLongRunning(info)) return next();
    const limitMs = requestLimitMs(query, requestMs);
    return new Promise<void>((resolve, reject) => {
      const expire = (): void => reject(timeout("request did not complete within the allotted timeout"));
      const deadline = limitMs === requestMs ? usual.add(expire) : clock.after(limitMs, expire);
      next().then(
        () => {
          deadline[Symbol.dispose]();
          resolve();
        },
        (error: Error) => {
          deadline[Symbol.dispose]();
          reject(error);
        },
      );
    });
  };
}

/** The time that the client allows, at most `requestMs`; a bad one was refused before. */
export function requestLimitMs(query: URLSearchParams, requestMs: number): number {
  const text = query.get("timeout") ?? "";
  const askedMs = text === "" ? 0 : durationMs(text);
  return askedMs > 0 && askedMs < requestMs ? askedMs : requestMs;
}

/**
 * Deadlines that are all equally far away share one timer, which nearly all requests have: the
 * first to come is the first to fall due. Invariants: 1. The timer fires no later than the first
 * deadline. 2. There is none when nobody waits.
 */
class DeadlineQueue {
  readonly #clock: Clock;
  readonly #delayMs: number;
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  /** Calls `expire` in time, unless the result is disposed before. */
  add(expire: () => void): Disposable {
    const deadline = new Deadline(this, this.#clock.monotonicMs() + this.#delayMs, expire);
    deadline.before = this.#last;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.after = deadline;
    this.#last = deadline;
    this.#timer ??= this.#clock.after(this.#delayMs, () => this.#fire());
    return deadline;
  }

  remove(deadline: Deadline): void {
    const { before, after } = deadline;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    if (this.#first !== undefined) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    while (this.#first !== undefined && this.#first.dueMs <= nowMs) this.#first.expireNow();
    if (this.#first === undefined) return;
    this.#timer = this.#clock.after(this.#first.dueMs - nowMs, () => this.#fire());
  }
}

/** One of a list, which it leaves once. */
class Deadline implements Disposable {
  readonly dueMs: number;
  readonly #queue: DeadlineQueue;
  readonly #expire: () => void;
  #isOver = false;
  before: Deadline | undefined;
  after: Deadline | undefined;

  constructor(queue: DeadlineQueue, dueMs: number, expire: () => void) {
    this.#queue = queue;
    this.dueMs = dueMs;
    this.#expire = expire;
  }

  expireNow(): void {
    this[Symbol.dispose]();
    this.#expire();
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue.remove(this);
  }
}
