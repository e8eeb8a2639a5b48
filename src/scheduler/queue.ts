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
import { createHeap, type Heap } from "#base/heap.ts";
import type { ClusterEvent, EventName } from "./cluster-events.ts";
import type { PodInfo } from "./pod-info.ts";

export interface QueuedPod {
  info: PodInfo;
  attempts: number;
  /** Since when it is due: decides among equal priorities. */
  queuedAtMs: number;
  readonly addedAtMs: number;
  /** When no gate held it any more, the first time. */
  firstActiveMs: number | undefined;
  /** Names of the plugins that refused it last. */
  refusedBy: ReadonlySet<string>;
  /** Failed for reasons of ours: its backoff is waited for. */
  failedByError: boolean;
  backoffUntilMs: number;
  place: "gated" | "active" | "backoff" | "unschedulable" | "inFlight" | "gone";
  sequence: number;
}

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
/** Events remembered for pods in flight; with more, every such pod is tried again. */
export const inFlightEventsMax = 1024;

export function byPriority(a: QueuedPod, b: QueuedPod): boolean {
  if (a.info.priority !== b.info.priority) return a.info.priority > b.info.priority;
  if (a.queuedAtMs !== b.queuedAtMs) return a.queuedAtMs < b.queuedAtMs;
  return a.sequence < b.sequence;
}

export function createQueue(options: QueueOptions): Queue {
  const { clock } = options;
  const entries = new Map<string, QueuedPod>();
  const unschedulable = new Map<string, QueuedPod>();
  const gated = new Map<string, QueuedPod>();
  const active = lazyHeap(options.less ?? byPriority, "active");
  const backoff = lazyHeap(
    (a, b) =>
      a.backoffUntilMs - b.backoffUntilMs < 0 || (a.backoffUntilMs === b.backoffUntilMs && a.sequence < b.sequence),
    "backoff",
  );
  /** Those of `gated` and `unschedulable`, by each plugin that refused them. */
  const refused = new Map<string, Set<QueuedPod>>();
  const flights = createFlights();
  let sequence = 0;
  let backoffTimer: Timer | undefined;
  let leftoverTimer: Timer | undefined;

  function refuse(entry: QueuedPod, by: ReadonlySet<string>): void {
    entry.refusedBy = by;
    for (const plugin of by) {
      const entries = refused.get(plugin) ?? new Set<QueuedPod>();
      refused.set(plugin, entries.add(entry));
    }
  }

  function leave(entry: QueuedPod): void {
    if (entry.place === "gated" || entry.place === "unschedulable") {
      for (const plugin of entry.refusedBy) refused.get(plugin)?.delete(entry);
    }
    unschedulable.delete(entry.info.uid);
    gated.delete(entry.info.uid);
    if (entry.place === "active") active.left();
    if (entry.place === "backoff") backoff.left();
    entry.place = "gone";
  }

  function heldBack(entry: QueuedPod): boolean {
    const plugin = options.gate(entry.info);
    if (plugin === undefined) return false;
    entry.place = "gated";
    refuse(entry, new Set([plugin]));
    gated.set(entry.info.uid, entry);
    return true;
  }

  function activateNow(entry: QueuedPod, reason: IncomingReason): void {
    leave(entry);
    if (heldBack(entry)) return;
    entry.firstActiveMs ??= clock.monotonicMs();
    options.onIncoming?.("active", reason);
    entry.place = "active";
    entry.sequence = ++sequence;
    active.push(entry);
    options.onReady();
  }

  /** To the active pods, or behind them when the last failure is too fresh. */
  function requeue(entry: QueuedPod, reason: IncomingReason): void {
    if (entry.backoffUntilMs <= clock.monotonicMs()) {
      activateNow(entry, reason);
      return;
    }
    leave(entry);
    if (heldBack(entry)) return;
    options.onIncoming?.("backoff", reason);
    entry.place = "backoff";
    entry.sequence = ++sequence;
    backoff.push(entry);
    armBackoff();
    // An idle scheduler does not wait for backoffs to end.
    if (active.size === 0 && !entry.failedByError) options.onReady();
  }

  function armBackoff(): void {
    const first = backoff.peek();
    if (first === undefined) return;
    const delayMs = first.backoffUntilMs - clock.monotonicMs();
    if (backoffTimer !== undefined && backoffTimer.dueMonotonicMs <= first.backoffUntilMs) return;
    backoffTimer?.[Symbol.dispose]();
    backoffTimer = clock.after(delayMs, () => {
      backoffTimer = undefined;
      const nowMs = clock.monotonicMs();
      for (let due = backoff.peek(); due && due.backoffUntilMs <= nowMs; due = backoff.peek()) {
        activateNow(due, "BackoffComplete");
      }
      armBackoff();
    });
  }

  function armLeftovers(): void {
    const oldest = unschedulable.values().next().value;
    if (leftoverTimer !== undefined || oldest === undefined) return;
    const delayMs = oldest.queuedAtMs + unschedulableMsMax - clock.monotonicMs();
    leftoverTimer = clock.after(Math.max(delayMs, 1000), () => {
      leftoverTimer = undefined;
      const dueMs = clock.monotonicMs() - unschedulableMsMax;
      for (const entry of [...unschedulable.values()]) {
        if (entry.queuedAtMs <= dueMs) requeue(entry, "UnschedulableTimeout");
      }
      armLeftovers();
    });
  }

  function backoffMsOf({ attempts, failedByError, refusedBy }: QueuedPod): number {
    if (!failedByError && refusedBy.size === 0) return 0;
    return Math.min(options.initialBackoffMs * 2 ** Math.max(0, attempts - 1), options.backoffMsMax);
  }

  function concerns(event: ClusterEvent, entry: QueuedPod): boolean {
    return options.helps(event, entry.info, entry.refusedBy);
  }

  return {
    add(info) {
      if (entries.has(info.uid)) return;
      const nowMs = clock.monotonicMs();
      const entry: QueuedPod = {
        info,
        attempts: 0,
        queuedAtMs: nowMs,
        addedAtMs: nowMs,
        refusedBy: new Set(),
        failedByError: false,
        backoffUntilMs: 0,
        firstActiveMs: undefined,
        place: "gone",
        sequence: 0,
      };
      entries.set(info.uid, entry);
      activateNow(entry, "Pod/add");
    },
    update(info, events) {
      const entry = entries.get(info.uid);
      if (entry === undefined) return this.add(info);
      const old = entry.info;
      entry.info = info;
      if (entry.place === "gated") {
        if (options.gate(info) === undefined) activateNow(entry, events[0]?.name ?? "Pod/update-gates");
      } else if (entry.place === "unschedulable") {
        const helping = events.find((event) => concerns(event, entry));
        if (helping !== undefined) requeue(entry, helping.name);
      } else if (entry.place === "inFlight") {
        for (const event of events) flights.happened(event);
      } else if (entry.place === "active" && (old.priority !== info.priority || options.gate(info) !== undefined)) {
        activateNow(entry, events[0]?.name ?? "Pod/add");
      }
    },
    remove(uid) {
      const entry = entries.get(uid);
      if (entry === undefined) return;
      entries.delete(uid);
      if (entry.place === "inFlight") flights.end(entry);
      leave(entry);
    },
    pop() {
      let entry = active.pop();
      if (entry === undefined) {
        const waiting = backoff.peek();
        if (waiting !== undefined && !waiting.failedByError) entry = backoff.pop();
      }
      if (entry === undefined) return undefined;
      entry.place = "inFlight";
      entry.attempts++;
      flights.begin(entry);
      return entry;
    },
    done(entry) {
      flights.end(entry);
      if (entry.place !== "inFlight") return;
      entry.place = "gone";
      entries.delete(entry.info.uid);
    },
    putBack(entry, refusedBy) {
      const missed = flights.end(entry);
      if (entry.place !== "inFlight") return;
      entry.refusedBy = refusedBy;
      entry.failedByError = refusedBy.size === 0;
      entry.queuedAtMs = clock.monotonicMs();
      entry.backoffUntilMs = entry.queuedAtMs + backoffMsOf(entry);
      const helped = missed === "lost" || missed.some((event) => concerns(event, entry));
      if (entry.failedByError || helped) return requeue(entry, "ScheduleAttemptFailure");
      options.onIncoming?.("unschedulable", "ScheduleAttemptFailure");
      entry.place = "unschedulable";
      refuse(entry, refusedBy);
      unschedulable.set(entry.info.uid, entry);
      armLeftovers();
    },
    happened(event) {
      const plugins = options.interests.get(event.name);
      if (plugins === undefined) return;
      flights.happened(event);
      for (const plugin of plugins) {
        for (const entry of [...(refused.get(plugin) ?? [])]) {
          if (!concerns(event, entry)) continue;
          if (entry.place === "gated") activateNow(entry, event.name);
          else if (entry.place === "unschedulable") requeue(entry, event.name);
        }
      }
    },
    activate(uids) {
      for (const uid of uids) {
        const entry = entries.get(uid);
        const waits = entry?.place === "unschedulable" || entry?.place === "backoff" || entry?.place === "gated";
        if (waits) activateNow(entry, "ForceActivate");
      }
    },
    reconsider(uid) {
      const entry = gated.get(uid);
      if (entry !== undefined && options.gate(entry.info) === undefined) activateNow(entry, "ForceActivate");
    },
    get: (uid) => entries.get(uid),
    refusedBy: refused,
    get counts() {
      return {
        active: active.size,
        backoff: backoff.size,
        unschedulable: unschedulable.size,
        gated: gated.size,
      };
    },
    [Symbol.dispose]() {
      backoffTimer?.[Symbol.dispose]();
      leftoverTimer?.[Symbol.dispose]();
    },
  };
}

/** A heap whose entries may leave it for elsewhere: they are passed over when their turn comes. */
function lazyHeap(less: (a: QueuedPod, b: QueuedPod) => boolean, place: QueuedPod["place"]) {
  interface Slot {
    readonly entry: QueuedPod;
    /** As it was when it came: an order must not change under a heap. */
    readonly key: QueuedPod;
  }
  const heap: Heap<Slot> = createHeap<Slot>((a, b) => less(a.key, b.key));
  let size = 0;
  const stale = ({ entry, key }: Slot): boolean => entry.place !== place || entry.sequence !== key.sequence;

  function peek(): QueuedPod | undefined {
    for (let top = heap.peek(); top !== undefined; top = heap.peek()) {
      if (!stale(top)) return top.entry;
      heap.pop();
    }
    return undefined;
  }

  return {
    get size() {
      return size;
    },
    push(entry: QueuedPod): void {
      heap.push({ entry, key: { ...entry } });
      size++;
    },
    left: () => void size--,
    peek,
    pop(): QueuedPod | undefined {
      const entry = peek();
      if (entry === undefined) return undefined;
      heap.pop();
      size--;
      return entry;
    },
  };
}

/** Events since the oldest pod in flight took off. */
function createFlights() {
  const startedAt = new Map<QueuedPod, number>();
  let events: ClusterEvent[] = [];
  let first = 0;

  return {
    begin: (entry: QueuedPod) => void startedAt.set(entry, first + events.length),
    happened(event: ClusterEvent): void {
      if (startedAt.size > 0) events.push(event);
      if (events.length <= inFlightEventsMax) return;
      first += events.length;
      events = [];
    },
    end(entry: QueuedPod): readonly ClusterEvent[] | "lost" {
      const from = startedAt.get(entry);
      if (from === undefined) return [];
      startedAt.delete(entry);
      const missed = from < first ? "lost" : events.slice(from - first);
      if (startedAt.size === 0) {
        first += events.length;
        events = [];
      }
      return missed;
    },
  };
}
