import type { Clock, Timer } from "#base/clock.ts";
import type { Revision } from "./store.ts";

interface Wait {
  readonly revision: Revision;
  readonly timer: Timer;
  readonly settle: (reached: boolean) => void;
}

/** Waits for a revision that grows. Those for lower revisions are before those for higher ones. */
export class RevisionWaits {
  readonly #clock: Clock;
  readonly #waits: Wait[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves whether the revision was reached in time. */
  until(revision: Revision, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(timeoutMs, () => {
        this.#waits.splice(this.#waits.indexOf(wait), 1);
        resolve(false);
      });
      const wait: Wait = { revision, timer, settle: resolve };
      let at = this.#waits.length;
      while (at > 0 && (this.#waits[at - 1] as Wait).revision > revision) at--;
      this.#waits.splice(at, 0, wait);
    });
  }

  reached(revision: Revision): void {
    const stop = this.#waits.findIndex((wait) => wait.revision > revision);
    this.#settle(stop < 0 ? this.#waits.length : stop, true);
  }

  /** Nobody is told what comes any more. */
  giveUp(): void {
    this.#settle(this.#waits.length, false);
  }

  #settle(count: number, reached: boolean): void {
    for (const { timer, settle } of this.#waits.splice(0, count)) {
      timer[Symbol.dispose]();
      settle(reached);
    }
  }
}
