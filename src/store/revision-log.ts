import type { Revision } from "./store.ts";

/** One value for each revision of an unbroken stretch; dropping either end is cheap. */
export class RevisionLog<T> {
  #start: Revision;
  /** `#values[#skipped]` belongs to `#start`; those before are dropped. */
  #values: (T | undefined)[] = [];
  #skipped = 0;

  constructor(start: Revision) {
    this.#start = start;
  }

  push(value: T): void {
    this.#values.push(value);
  }

  /** Leaves the next `count` revisions without a value. */
  skip(count: number): void {
    for (let i = 0; i < count; i++) this.#values.push(undefined);
  }

  /** Drops all; the next push gets `start`. */
  restart(start: Revision): void {
    this.#start = start;
    this.#values = [];
    this.#skipped = 0;
  }

  at(revision: Revision): T | undefined {
    return revision < this.#start
      ? undefined
      : this.#values[this.#skipped + revision - this.#start];
  }

  dropBelow(revision: Revision): void {
    const count = Math.min(revision - this.#start, this.#values.length - this.#skipped);
    if (count <= 0) return;
    this.#values.fill(undefined, this.#skipped, this.#skipped + count);
    this.#skipped += count;
    this.#start += count;
    if (this.#skipped > 1024 && this.#skipped > this.#values.length / 2) {
      this.#values = this.#values.slice(this.#skipped);
      this.#skipped = 0;
    }
  }

  dropAbove(revision: Revision): void {
    const kept = Math.max(0, revision + 1 - this.#start);
    this.#values.length = Math.min(this.#values.length, this.#skipped + kept);
  }
}
