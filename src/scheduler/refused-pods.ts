import type { QueuedPod } from "./queued-pod.ts";

/** Pods that plugins do not let in (gated), or found no node for (unschedulable). */
export class RefusedPods {
  readonly #gated = new Map<string, QueuedPod>();
  readonly #unschedulable = new Map<string, QueuedPod>();
  readonly #byPlugin = new Map<string, Set<QueuedPod>>();

  get gated(): ReadonlyMap<string, QueuedPod> {
    return this.#gated;
  }

  /** The one that came first comes first. */
  get unschedulable(): ReadonlyMap<string, QueuedPod> {
    return this.#unschedulable;
  }

  /** By each plugin that refused them. */
  get byPlugin(): ReadonlyMap<string, ReadonlySet<QueuedPod>> {
    return this.#byPlugin;
  }

  add(entry: QueuedPod, place: "gated" | "unschedulable", refusedBy: ReadonlySet<string>): void {
    entry.place = place;
    entry.refusedBy = refusedBy;
    for (const plugin of refusedBy) {
      const entries = this.#byPlugin.get(plugin) ?? new Set<QueuedPod>();
      this.#byPlugin.set(plugin, entries.add(entry));
    }
    (place === "gated" ? this.#gated : this.#unschedulable).set(entry.info.uid, entry);
  }

  remove(entry: QueuedPod): void {
    for (const plugin of entry.refusedBy) this.#byPlugin.get(plugin)?.delete(entry);
    this.#gated.delete(entry.info.uid);
    this.#unschedulable.delete(entry.info.uid);
  }
}
