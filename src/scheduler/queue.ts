/**
 * Pods that wait for a node. Source: pkg/scheduler/backend/queue.
 *
 * Invariants: 1. A pod is in one place: gated, active, backing off, unschedulable, or in flight.
 * 2. `pop` gives the active pod of highest priority, of those the one that came first; when none
 * is active, the one whose backoff ends first. 3. An unschedulable pod comes back when an event
 * helps it as the hints of the plugins that refused it say, and after `unschedulableMsMax`.
 * 4. Events that come while a pod is in flight count for it when it is put back.
 * 5. Each failed attempt doubles the backoff, from `initialBackoffMs` to `backoffMsMax`.
 */
import type { Clock, Timer } from "#base/clock.ts";
import type { ClusterEvent, EventName } from "./cluster-events.ts";
import { Flights } from "./flights.ts";
import { LazyHeap } from "./lazy-heap.ts";
import type { PodInfo } from "./pod-info.ts";
import { byBackoff, byPriority, createQueuedPod, type QueuedPod } from "./queued-pod.ts";
import { RefusedPods } from "./refused-pods.ts";

export interface QueueOptions {
  readonly clock: Clock;
  /** Whether the plugins let the pod in at all; the name of the one that does not. */
  readonly gate: (pod: PodInfo) => string | undefined;
  /** Plugins by the events that may help pods they refused. */
  readonly interests: ReadonlyMap<EventName, ReadonlySet<string>>;
  readonly helps: (event: ClusterEvent, pod: PodInfo, refusedBy: ReadonlySet<string>) => boolean;
  readonly less?: (a: QueuedPod, b: QueuedPod) => boolean;
  readonly initialBackoffMs: number;
  readonly backoffMsMax: number;
  /** Called when `pop` has something to give again. */
  readonly onReady: () => void;
  /** A pod came into a queue, for what reason. */
  readonly onIncoming?: (queue: "active" | "backoff" | "unschedulable", reason: IncomingReason) => void;
}

export type IncomingReason = EventName | "ScheduleAttemptFailure" | "BackoffComplete";

export interface QueueCounts {
  readonly active: number;
  readonly backoff: number;
  readonly unschedulable: number;
  readonly gated: number;
}

export interface Queue {
  add(info: PodInfo): void;
  /** A waiting pod changed; `events` are what that change means. */
  update(info: PodInfo, events: readonly ClusterEvent[]): void;
  remove(uid: string): void;
  pop(): QueuedPod | undefined;
  /** Done with a pod that `pop` gave. */
  done(entry: QueuedPod): void;
  /** Gives a pod back that found no node; `refusedBy` empty: by an error. */
  putBack(entry: QueuedPod, refusedBy: ReadonlySet<string>): void;
  /** Tells of a change in the cluster. */
  happened(event: ClusterEvent): void;
  /** Puts pods at the front that someone knows to be worth a try. */
  activate(uids: Iterable<string>): void;
  /** Lets a gated pod in when its gate is open now. */
  reconsider(uid: string): void;
  get(uid: string): QueuedPod | undefined;
  readonly counts: QueueCounts;
  /** Gated and unschedulable pods, by each plugin that refused them. */
  readonly refusedBy: ReadonlyMap<string, ReadonlySet<QueuedPod>>;
  [Symbol.dispose](): void;
}

/** Upstream's podMaxInUnschedulablePodsDuration. */
export const unschedulableMsMax = 300_000;
/** Shortest time between two looks for pods that waited so long. */
const leftoverMsMin = 1000;

export function createQueue(options: QueueOptions): Queue {
  return new SchedulingQueue(options);
}

class SchedulingQueue implements Queue {
  readonly #options: QueueOptions;
  readonly #clock: Clock;
  readonly #entries = new Map<string, QueuedPod>();
  readonly #active: LazyHeap;
  readonly #backoff = new LazyHeap("backoff", byBackoff);
  readonly #refused = new RefusedPods();
  readonly #flights = new Flights();
  #sequence = 0;
  #backoffTimer: Timer | undefined;
  #leftoverTimer: Timer | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#active = new LazyHeap("active", options.less ?? byPriority);
  }

  add(info: PodInfo): void {
    if (this.#entries.has(info.uid)) return;
    const entry = createQueuedPod(info, this.#clock.monotonicMs());
    this.#entries.set(info.uid, entry);
    this.#makeActive(entry, "Pod/add");
  }

  update(info: PodInfo, events: readonly ClusterEvent[]): void {
    const entry = this.#entries.get(info.uid);
    if (entry === undefined) return this.add(info);
    const old = entry.info;
    entry.info = info;
    if (entry.place === "gated") {
      if (!this.#isGated(entry)) this.#makeActive(entry, events[0]?.name ?? "Pod/update-gates");
    } else if (entry.place === "unschedulable") {
      const helping = events.find((event) => this.#concerns(event, entry));
      if (helping !== undefined) this.#requeue(entry, helping.name);
    } else if (entry.place === "inFlight") {
      for (const event of events) this.#flights.happened(event);
    } else if (entry.place === "active" && (old.priority !== info.priority || this.#isGated(entry))) {
      this.#makeActive(entry, events[0]?.name ?? "Pod/add");
    }
  }

  remove(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    this.#entries.delete(uid);
    if (entry.place === "inFlight") this.#flights.end(entry);
    this.#leave(entry);
  }

  pop(): QueuedPod | undefined {
    const entry = this.#active.pop() ?? this.#popEarly();
    if (entry === undefined) return undefined;
    entry.place = "inFlight";
    entry.attempts++;
    this.#flights.begin(entry);
    return entry;
  }

  done(entry: QueuedPod): void {
    this.#flights.end(entry);
    if (entry.place !== "inFlight") return;
    entry.place = "gone";
    this.#entries.delete(entry.info.uid);
  }

  putBack(entry: QueuedPod, refusedBy: ReadonlySet<string>): void {
    const missed = this.#flights.end(entry);
    if (entry.place !== "inFlight") return;
    entry.refusedBy = refusedBy;
    entry.failedByError = refusedBy.size === 0;
    entry.queuedAtMs = this.#clock.monotonicMs();
    entry.backoffUntilMs = entry.queuedAtMs + this.#backoffMsOf(entry);
    const helped = missed === "lost" || missed.some((event) => this.#concerns(event, entry));
    if (entry.failedByError || helped) return this.#requeue(entry, "ScheduleAttemptFailure");
    this.#options.onIncoming?.("unschedulable", "ScheduleAttemptFailure");
    this.#refused.add(entry, "unschedulable", refusedBy);
    this.#armLeftovers();
  }

  happened(event: ClusterEvent): void {
    const plugins = this.#options.interests.get(event.name);
    if (plugins === undefined) return;
    this.#flights.happened(event);
    for (const plugin of plugins) {
      for (const entry of [...(this.refusedBy.get(plugin) ?? [])]) {
        if (!this.#concerns(event, entry)) continue;
        if (entry.place === "gated") this.#makeActive(entry, event.name);
        else if (entry.place === "unschedulable") this.#requeue(entry, event.name);
      }
    }
  }

  activate(uids: Iterable<string>): void {
    for (const uid of uids) {
      const entry = this.#entries.get(uid);
      const waits = entry?.place === "unschedulable" || entry?.place === "backoff" || entry?.place === "gated";
      if (waits) this.#makeActive(entry, "ForceActivate");
    }
  }

  reconsider(uid: string): void {
    const entry = this.#refused.gated.get(uid);
    if (entry !== undefined && !this.#isGated(entry)) this.#makeActive(entry, "ForceActivate");
  }

  get(uid: string): QueuedPod | undefined {
    return this.#entries.get(uid);
  }

  get refusedBy(): ReadonlyMap<string, ReadonlySet<QueuedPod>> {
    return this.#refused.byPlugin;
  }

  get counts(): QueueCounts {
    return {
      active: this.#active.size,
      backoff: this.#backoff.size,
      unschedulable: this.#refused.unschedulable.size,
      gated: this.#refused.gated.size,
    };
  }

  [Symbol.dispose](): void {
    this.#backoffTimer?.[Symbol.dispose]();
    this.#leftoverTimer?.[Symbol.dispose]();
  }

  /** An idle scheduler does not wait for backoffs to end. */
  #popEarly(): QueuedPod | undefined {
    const waiting = this.#backoff.peek();
    return waiting === undefined || waiting.failedByError ? undefined : this.#backoff.pop();
  }

  #leave(entry: QueuedPod): void {
    if (entry.place === "gated" || entry.place === "unschedulable") this.#refused.remove(entry);
    if (entry.place === "active") this.#active.left();
    if (entry.place === "backoff") this.#backoff.left();
    entry.place = "gone";
  }

  #makeActive(entry: QueuedPod, reason: IncomingReason): void {
    this.#leave(entry);
    if (this.#heldBack(entry)) return;
    entry.firstActiveMs ??= this.#clock.monotonicMs();
    this.#options.onIncoming?.("active", reason);
    this.#push(entry, "active");
    this.#options.onReady();
  }

  /** To the active pods, or behind them when the last failure is too fresh. */
  #requeue(entry: QueuedPod, reason: IncomingReason): void {
    if (entry.backoffUntilMs <= this.#clock.monotonicMs()) return this.#makeActive(entry, reason);
    this.#leave(entry);
    if (this.#heldBack(entry)) return;
    this.#options.onIncoming?.("backoff", reason);
    this.#push(entry, "backoff");
    this.#armBackoff();
    if (this.#active.size === 0 && !entry.failedByError) this.#options.onReady();
  }

  #push(entry: QueuedPod, place: "active" | "backoff"): void {
    entry.place = place;
    entry.sequence = ++this.#sequence;
    (place === "active" ? this.#active : this.#backoff).push(entry);
  }

  #heldBack(entry: QueuedPod): boolean {
    const plugin = this.#options.gate(entry.info);
    if (plugin === undefined) return false;
    this.#refused.add(entry, "gated", new Set([plugin]));
    return true;
  }

  #isGated({ info }: QueuedPod): boolean {
    return this.#options.gate(info) !== undefined;
  }

  #concerns(event: ClusterEvent, { info, refusedBy }: QueuedPod): boolean {
    return this.#options.helps(event, info, refusedBy);
  }

  #backoffMsOf({ attempts, failedByError, refusedBy }: QueuedPod): number {
    if (!failedByError && refusedBy.size === 0) return 0;
    const { initialBackoffMs, backoffMsMax } = this.#options;
    return Math.min(initialBackoffMs * 2 ** Math.max(0, attempts - 1), backoffMsMax);
  }

  #armBackoff(): void {
    const first = this.#backoff.peek();
    if (first === undefined) return;
    if (this.#backoffTimer !== undefined && this.#backoffTimer.dueMonotonicMs <= first.backoffUntilMs) return;
    this.#backoffTimer?.[Symbol.dispose]();
    this.#backoffTimer = this.#clock.after(first.backoffUntilMs - this.#clock.monotonicMs(), () => {
      this.#backoffTimer = undefined;
      const nowMs = this.#clock.monotonicMs();
      for (let due = this.#backoff.peek(); due && due.backoffUntilMs <= nowMs; due = this.#backoff.peek()) {
        this.#makeActive(due, "BackoffComplete");
      }
      this.#armBackoff();
    });
  }

  #armLeftovers(): void {
    const oldest = this.#refused.unschedulable.values().next().value;
    if (this.#leftoverTimer !== undefined || oldest === undefined) return;
    const delayMs = oldest.queuedAtMs + unschedulableMsMax - this.#clock.monotonicMs();
    this.#leftoverTimer = this.#clock.after(Math.max(delayMs, leftoverMsMin), () => {
      this.#leftoverTimer = undefined;
      const dueMs = this.#clock.monotonicMs() - unschedulableMsMax;
      for (const entry of [...this.#refused.unschedulable.values()]) {
        if (entry.queuedAtMs <= dueMs) this.#requeue(entry, "UnschedulableTimeout");
      }
      this.#armLeftovers();
    });
  }
}
