/** Changes that are remembered one by one. */
const latestMax = 1024;

/** When each node, by its index, changed last. */
export class NodeChanges {
  #sequence = 0;
  #changedAt = new Float64Array(64);
  /** Nodes of the newest changes, by sequence. */
  readonly #latest = new Int32Array(latestMax);

  get sequence(): number {
    return this.#sequence;
  }

  /** By index: the `sequence` of the last change; 0 for none. */
  get changedAt(): Float64Array {
    return this.#changedAt;
  }

  changed(index: number): void {
    if (index >= this.#changedAt.length) this.#grow(index);
    this.#changedAt[index] = ++this.#sequence;
    this.#latest[this.#sequence % latestMax] = index;
  }

  /** Calls `tell` with each index that changed after `seen`, once. */
  forEachSince(seen: number, tell: (index: number) => void): void {
    const changedAt = this.#changedAt;
    if (this.#sequence - seen <= latestMax) {
      for (let at = seen + 1; at <= this.#sequence; at++) {
        const index = this.#latest[at % latestMax] as number;
        if (changedAt[index] === at) tell(index);
      }
      return;
    }
    for (let index = 0; index < changedAt.length; index++) {
      if ((changedAt[index] as number) > seen) tell(index);
    }
  }

  #grow(index: number): void {
    const larger = new Float64Array(Math.max(index + 1, this.#changedAt.length * 2));
    larger.set(this.#changedAt);
    this.#changedAt = larger;
  }
}
