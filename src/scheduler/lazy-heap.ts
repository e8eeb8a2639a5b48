import { createHeap, type Heap } from "#base/heap.ts";
import type { QueuedPod } from "./queued-pod.ts";

interface Slot {
  readonly entry: QueuedPod;
  /** As it was when it came: an order must not change under a heap. */
  readonly key: QueuedPod;
}

/** A heap whose entries may leave it for elsewhere: they are passed over when their turn comes. */
export class LazyHeap {
  readonly #heap: Heap<Slot>;
  readonly #place: QueuedPod["place"];
  #size = 0;

  /** `place`: where entries are while they are here. */
  constructor(place: QueuedPod["place"], less: (a: QueuedPod, b: QueuedPod) => boolean) {
    this.#place = place;
    this.#heap = createHeap<Slot>((a, b) => less(a.key, b.key));
  }

  get size(): number {
    return this.#size;
  }

  push(entry: QueuedPod): void {
    this.#heap.push({ entry, key: { ...entry } });
    this.#size++;
  }

  /** An entry is about to change its place. */
  left(): void {
    this.#size--;
  }

  peek(): QueuedPod | undefined {
    for (let top = this.#heap.peek(); top !== undefined; top = this.#heap.peek()) {
      if (!this.#isStale(top)) return top.entry;
      this.#heap.pop();
    }
    return undefined;
  }

  pop(): QueuedPod | undefined {
    const entry = this.peek();
    if (entry === undefined) return undefined;
    this.#heap.pop();
    this.#size--;
    return entry;
  }

  #isStale({ entry, key }: Slot): boolean {
    return entry.place !== this.#place || entry.sequence !== key.sequence;
  }
}
