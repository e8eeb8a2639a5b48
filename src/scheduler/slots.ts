/** Promises under way, up to a number. */
export class Slots {
  readonly #max: number;
  readonly #taken = new Set<Promise<unknown>>();

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#taken.size;
  }

  get full(): boolean {
    return this.#taken.size >= this.#max;
  }

  /** Until the promise, which must not fail, is settled. */
  take(promise: Promise<unknown>): void {
    const own = promise.finally(() => this.#taken.delete(own));
    this.#taken.add(own);
  }

  /** Resolves with the first that is settled; never when none is taken. */
  async freed(): Promise<void> {
    await Promise.race(this.#taken);
  }
}
