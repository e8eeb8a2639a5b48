import type { ClusterEvent } from "./cluster-events.ts";
import type { QueuedPod } from "./queued-pod.ts";

/** Events remembered for pods in flight; with more, every such pod is tried again. */
export const inFlightEventsMax = 1024;

/** Pods in flight, and the events since the oldest of them took off. */
export class Flights {
  readonly #startedAt = new Map<QueuedPod, number>();
  #events: ClusterEvent[] = [];
  /** How many events came before `#events`. */
  #first = 0;

  begin(entry: QueuedPod): void {
    this.#startedAt.set(entry, this.#first + this.#events.length);
  }

  happened(event: ClusterEvent): void {
    if (this.#startedAt.size > 0) this.#events.push(event);
    if (this.#events.length > inFlightEventsMax) this.#forget();
  }

  /** What came in the meantime; `lost`: too much to remember. Empty for pods that are not in flight. */
  end(entry: QueuedPod): readonly ClusterEvent[] | "lost" {
    const from = this.#startedAt.get(entry);
    if (from === undefined) return [];
    this.#startedAt.delete(entry);
    const missed = from < this.#first ? "lost" : this.#events.slice(from - this.#first);
    if (this.#startedAt.size === 0) this.#forget();
    return missed;
  }

  #forget(): void {
    this.#first += this.#events.length;
    this.#events = [];
  }
}
