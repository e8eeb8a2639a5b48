/**
 * Delivers revisions to the watches of an in-process store.
 *
 * Invariants: 1. A watch gets each revision once, in order, as one batch, however deep sinks nest
 * their own writes. 2. A watch that starts in the past joins the live ones after a microtask, with
 * everything up to then delivered. 3. Nothing is called after `onClosed`, nor after disposal.
 */
import { isLive } from "./compare.ts";
import type { Entry, Mvcc } from "./mvcc.ts";
import {
  CompactedError,
  type Key,
  type Revision,
  type StoreEvent,
  type Watch,
  type WatchBatch,
  type WatchQuery,
  type WatchSink,
} from "./store.ts";

interface Watcher {
  readonly key: Key;
  /** Undefined: above all keys. Ignored when `single`. */
  readonly end: Key | undefined;
  readonly single: boolean;
  readonly sink: WatchSink;
  /** First revision that it still has to get. */
  nextRevision: Revision;
  live: boolean;
  closed: boolean;
}

export class WatchHub {
  readonly #mvcc: Mvcc;
  readonly #watchers = new Set<Watcher>();
  readonly #byKey = new Map<Key, Set<Watcher>>();
  /** Watched ranges cut at their bounds: `#pieces[i]` watch keys in [#bounds[i], #bounds[i + 1]). */
  #bounds: Key[] = [];
  #boundAt = new Map<Key, number>();
  #pieces: Set<Watcher>[] = [];
  #piecesStale = false;
  #delivered: Revision;
  #delivering = false;

  constructor(mvcc: Mvcc) {
    this.#mvcc = mvcc;
    this.#delivered = mvcc.visible;
  }

  watch(query: WatchQuery, sink: WatchSink): Watch {
    const watcher: Watcher = {
      key: query.key,
      end: query.end === "\0" ? undefined : query.end,
      single: query.end === undefined,
      sink,
      nextRevision: query.startRevision || this.#mvcc.visible + 1,
      live: false,
      closed: false,
    };
    this.#watchers.add(watcher);
    queueMicrotask(() => this.#catchUp(watcher));
    return {
      requestProgress: () => {
        queueMicrotask(() => this.#progress(watcher));
        return true;
      },
      [Symbol.dispose]: () => this.#remove(watcher),
    };
  }

  /** Delivers what the store has published since the last call. */
  deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (this.#delivered < this.#mvcc.visible) {
      const revision = ++this.#delivered;
      const first = this.#mvcc.entriesAt(revision);
      if (first !== undefined && this.#watchers.size > 0) this.#deliverRevision(revision, first);
    }
    this.#delivering = false;
  }

  /** Ends every watch. */
  close(error: Error): void {
    for (const watcher of this.#watchers) this.#end(watcher, error);
  }

  #deliverRevision(revision: Revision, first: Entry): void {
    if (first.sibling === undefined) {
      const batch: WatchBatch = { revision, events: [eventOf(first)] };
      const { key } = first.kv;
      for (const watcher of this.#byKey.get(key) ?? []) deliverTo(watcher, batch);
      for (const watcher of this.#rangesOver(key)) deliverTo(watcher, batch);
      return;
    }
    const byWatcher = new Map<Watcher, StoreEvent[]>();
    for (let entry: Entry | undefined = first; entry !== undefined; entry = entry.sibling) {
      const event = eventOf(entry);
      const { key } = entry.kv;
      for (const watcher of this.#byKey.get(key) ?? []) pushTo(byWatcher, watcher, event);
      for (const watcher of this.#rangesOver(key)) pushTo(byWatcher, watcher, event);
    }
    for (const [watcher, events] of byWatcher) deliverTo(watcher, { revision, events });
  }

  #catchUp(watcher: Watcher): void {
    const { nextRevision } = watcher;
    if (nextRevision <= this.#mvcc.compacted) {
      return this.#end(watcher, new CompactedError(this.#mvcc.compacted));
    }
    for (let at = nextRevision; at <= this.#mvcc.visible && !watcher.closed; at++) {
      const events: StoreEvent[] = [];
      let entry = this.#mvcc.entriesAt(at);
      for (; entry !== undefined; entry = entry.sibling) {
        if (isWatched(watcher, entry.kv.key)) events.push(eventOf(entry));
      }
      if (events.length > 0) deliverTo(watcher, { revision: at, events });
    }
    if (!watcher.closed) this.#join(watcher);
  }

  #progress(watcher: Watcher): void {
    if (watcher.closed || !watcher.live) return;
    try {
      watcher.sink.onBatch({ revision: this.#delivered, events: [] });
    } catch (error) {
      crash(error);
    }
  }

  #join(watcher: Watcher): void {
    watcher.live = true;
    if (watcher.single) {
      const watchers = this.#byKey.get(watcher.key);
      if (watchers === undefined) this.#byKey.set(watcher.key, new Set([watcher]));
      else watchers.add(watcher);
      return;
    }
    const pieces = this.#piecesOf(watcher);
    if (pieces === undefined) this.#piecesStale = true;
    else for (const piece of pieces) piece.add(watcher);
  }

  #remove(watcher: Watcher): void {
    watcher.closed = true;
    this.#watchers.delete(watcher);
    if (!watcher.live) return;
    if (watcher.single) {
      const watchers = this.#byKey.get(watcher.key);
      watchers?.delete(watcher);
      if (watchers?.size === 0) this.#byKey.delete(watcher.key);
      return;
    }
    for (const piece of this.#piecesOf(watcher) ?? []) piece.delete(watcher);
  }

  #end(watcher: Watcher, error: Error): void {
    if (watcher.closed) return;
    this.#remove(watcher);
    try {
      watcher.sink.onClosed(error);
    } catch (thrown) {
      crash(thrown);
    }
  }

  #rangesOver(key: Key): Iterable<Watcher> {
    if (this.#piecesStale) this.#cutPieces();
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (key < (this.#bounds[middle] as Key)) high = middle;
      else low = middle + 1;
    }
    return low === 0 ? [] : (this.#pieces[low - 1] as Set<Watcher>);
  }

  /** The pieces that make up a watched range; undefined when it has not been cut at its bounds. */
  #piecesOf({ key, end }: Watcher): readonly Set<Watcher>[] | undefined {
    const first = this.#boundAt.get(key);
    const stop = end === undefined ? this.#pieces.length : this.#boundAt.get(end);
    if (this.#piecesStale || first === undefined || stop === undefined) return undefined;
    return this.#pieces.slice(first, stop);
  }

  #cutPieces(): void {
    this.#piecesStale = false;
    const ranges = [...this.#watchers].filter((watcher) => watcher.live && !watcher.single);
    const bounds = new Set<Key>();
    for (const { key, end } of ranges) {
      bounds.add(key);
      if (end !== undefined) bounds.add(end);
    }
    this.#bounds = [...bounds].toSorted();
    this.#boundAt = new Map(this.#bounds.map((bound, i) => [bound, i]));
    this.#pieces = this.#bounds.map(() => new Set());
    for (const watcher of ranges) {
      for (const piece of this.#piecesOf(watcher) ?? []) piece.add(watcher);
    }
  }
}

function pushTo(byWatcher: Map<Watcher, StoreEvent[]>, watcher: Watcher, event: StoreEvent): void {
  const events = byWatcher.get(watcher);
  if (events === undefined) byWatcher.set(watcher, [event]);
  else events.push(event);
}

function isWatched({ key, end, single }: Watcher, at: Key): boolean {
  return single ? at === key : at >= key && (end === undefined || at < end);
}

function deliverTo(watcher: Watcher, batch: WatchBatch): void {
  if (watcher.closed || batch.revision < watcher.nextRevision) return;
  watcher.nextRevision = batch.revision + 1;
  try {
    watcher.sink.onBatch(batch);
  } catch (error) {
    crash(error);
  }
}

/** A sink that throws is a fault of the program; it must not tear the store's own state. */
function crash(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function eventOf({ kv, prev }: Entry): StoreEvent {
  const type = isLive(kv) ? "put" : "delete";
  return prev !== undefined && isLive(prev.kv) ? { type, kv, prevKv: prev.kv } : { type, kv };
}
