import type { Clock } from "#base/clock.ts";

/** Longest that a refused client is told to wait. Source: dropped_requests_tracker.go maxRetryAfter. */
const retryAfterSecondsMax = 32;

interface Second {
  readonly atS: number;
  readonly dropped: number;
}

/**
 * How long the refused requests of one priority level are told to wait: doubled while many are
 * refused, one second less where few are, as TCP does.
 * Source: flowcontrol/dropped_requests_tracker.go.
 */
export class DroppedRequests {
  readonly #clock: Clock;
  #history: Second[] = [];
  #currentS = 0;
  #currentDropped = 0;
  #raisedS = 0;
  #retryAfterSeconds = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get retryAfterSeconds(): number {
    return this.#retryAfterSeconds;
  }

  record(): void {
    const nowS = Math.floor(this.#clock.nowMs() / 1000);
    if (nowS === this.#currentS) {
      this.#currentDropped++;
      return;
    }
    const keepS = Math.min(2 * this.#retryAfterSeconds, retryAfterSecondsMax);
    const all = [...this.#history, { atS: this.#currentS, dropped: this.#currentDropped }];
    this.#history = all.filter(({ atS }) => this.#currentS - atS <= keepS);
    this.#currentS = nowS;
    this.#currentDropped = 1;
    this.#adjust(nowS);
  }

  #adjust(nowS: number): void {
    const waitS = this.#retryAfterSeconds;
    const dropped = this.#history
      .filter(({ atS }) => nowS - atS <= waitS)
      .reduce((sum, second) => sum + second.dropped, 0);
    if (nowS - this.#raisedS >= waitS && dropped >= 3 * waitS) {
      this.#retryAfterSeconds = Math.min(2 * waitS, retryAfterSecondsMax);
      this.#raisedS = nowS;
    } else if (dropped < waitS && waitS > 1) this.#retryAfterSeconds--;
  }
}
