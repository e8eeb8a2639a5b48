/**
 * What a replica holds of one unbroken stretch of the remote's history.
 *
 * Invariants: 1. `revision` only grows, and everything up to it is in. 2. History is kept for
 * `historyMs` at least and twice that at most, unless it outgrows `historyBytesMax` or
 * `historyRevisionsMax`, or the remote is compacted: then the older part goes at once.
 */
import type { Clock, Timer } from "#base/clock.ts";
import { nextTurn } from "#base/os/turn.ts";
import { BTree } from "./btree.ts";
import { isLive } from "./compare.ts";
import { LeaseTable } from "./lease-table.ts";
import { firstRevision, Mvcc, weighEntry, type Entry } from "./mvcc.ts";
import {
  CompactedError,
  prefixEnd,
  type Key,
  type KeyValue,
  type RangeQuery,
  type RangeResult,
  type Revision,
  type Store,
  type Watch,
  type WatchQuery,
  type WatchSink,
} from "./store.ts";
import { WatchHub } from "./watch-hub.ts";

/** How long history is kept at least. Source: apiserver watch_cache.go eventFreshDuration. */
const historyMs = 75_000;
const historyBytesMax = 256 * 1024 * 1024;
const historyRevisionsMax = 1_000_000;
/** History that is read at the start, so that watches of an API server before this one go on. */
const resumedRevisionsMax = 5_000;
/** A remote that was restored from a copy jumps further than that. */
const gapRevisionsMax = 100_000;
const pageEntriesMax = 2_000;
/** History that is let go of in one turn. */
const trimRevisionsMax = 2_000;

interface Loaded {
  readonly state: ReplicaState;
  /** The remote's revision when loading began. */
  readonly newest: Revision;
}

export class ReplicaState implements Disposable {
  readonly #mvcc: Mvcc;
  readonly #hub: WatchHub;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  /** The revision of one `historyMs` ago. */
  #agedRevision: Revision = 0;
  #objects: number;
  #objectBytes: number;
  #historyBytes = 0;
  /** Up to here history is let go of. */
  #trimmed: Revision;
  #isTrimming = false;

  /** Errors: as those of `range`. */
  static async load(remote: Store, options: { prefix: Key; clock: Clock }): Promise<Loaded> {
    const { revision: newest } = await remote.range({ key: "\0", countOnly: true });
    let revision = Math.max(firstRevision, newest - resumedRevisionsMax);
    for (;;) {
      try {
        const tree = await readTree(remote, options.prefix, revision);
        return { newest, state: new ReplicaState(tree, revision, options.clock) };
      } catch (error) {
        if (!(error instanceof CompactedError)) throw error;
        // The oldest that there is now; it may be compacted in its turn while it is read.
        revision = Math.max(revision + 1, error.compactRevision);
      }
    }
  }

  private constructor(tree: Tree, revision: Revision, clock: Clock) {
    const leases = new LeaseTable(clock, () => undefined);
    leases.close();
    // Nothing was before the first revision: whoever asks from there misses nothing.
    const compacted = revision === firstRevision ? 0 : revision;
    this.#mvcc = new Mvcc(leases, { tree: tree.entries, revision, compacted });
    this.#hub = new WatchHub(this.#mvcc);
    this.#clock = clock;
    this.#objects = tree.count;
    this.#objectBytes = tree.bytes;
    this.#trimmed = compacted;
  }

  get revision(): Revision {
    return this.#mvcc.visible;
  }

  /** Whether a read at `exact` (absent: at or after `revision`) can be answered. */
  holds(revision: Revision, exact: Revision | undefined): boolean {
    return revision <= this.#mvcc.visible && (!exact || exact >= this.#mvcc.compacted);
  }

  range(query: RangeQuery): RangeResult {
    return this.#mvcc.range(query);
  }

  watch(query: WatchQuery, sink: WatchSink): Watch {
    return this.#hub.watch(query, sink);
  }

  /** Takes over a revision and calls the watches. False: it is too far ahead. */
  apply(revision: Revision, kvs: readonly KeyValue[]): boolean {
    if (revision <= this.revision) return true;
    if (revision - this.revision > gapRevisionsMax) return false;
    this.#mvcc.mirror(revision, kvs);
    if (kvs.length > 0) this.#count(this.#mvcc.entriesAt(revision));
    this.#hub.deliver();
    this.#timer ??= this.#clock.after(historyMs, () => this.#age());
    const isFull = this.#historyBytes > historyBytesMax || this.#historyRevisions > historyRevisionsMax;
    // What is being let go of still counts.
    if (isFull && !this.#isTrimming) {
      this.forget(this.revision - Math.floor(this.#historyRevisions / 2));
    }
    return true;
  }

  /** Drops history up to and with a revision: nobody reads it from now on, and its memory goes turn by turn. */
  forget(revision: Revision): void {
    const upTo = Math.min(revision, this.revision);
    if (!(upTo > this.#mvcc.compacted)) return;
    this.#mvcc.compact(upTo);
    if (!this.#isTrimming) void this.#trim();
  }

  async #trim(): Promise<void> {
    this.#isTrimming = true;
    while (this.#trimSome()) await nextTurn();
    this.#isTrimming = false;
  }

  /** Returns whether more is left. */
  #trimSome(): boolean {
    const { compacted } = this.#mvcc;
    const end = Math.min(compacted, this.#trimmed + trimRevisionsMax);
    for (let at = this.#trimmed + 1; at <= end; at++) {
      let entry = this.#mvcc.entriesAt(at);
      for (; entry !== undefined; entry = entry.sibling) this.#historyBytes -= supersededBytes(entry);
    }
    this.#mvcc.trim(Number.POSITIVE_INFINITY, end);
    this.#trimmed = end;
    return end < compacted;
  }

  stats(): {
    revision: Revision;
    oldestRevision: Revision;
    objects: number;
    objectBytes: number;
    historyBytes: number;
    historyRevisions: number;
  } {
    return {
      revision: this.revision,
      oldestRevision: this.#mvcc.compacted + 1,
      objects: this.#objects,
      objectBytes: this.#objectBytes,
      historyBytes: this.#historyBytes,
      historyRevisions: this.#historyRevisions,
    };
  }

  /** Ends every watch. */
  close(error: Error): void {
    this[Symbol.dispose]();
    this.#hub.close(error);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  get #historyRevisions(): number {
    return this.#mvcc.visible - this.#mvcc.compacted;
  }

  #count(first: Entry | undefined): void {
    for (let entry = first; entry !== undefined; entry = entry.sibling) {
      const { kv, prev } = entry;
      const wasLive = prev !== undefined && isLive(prev.kv);
      this.#objects += (isLive(kv) ? 1 : 0) - (wasLive ? 1 : 0);
      this.#objectBytes += kv.value.length - supersededBytes(entry);
      this.#historyBytes += supersededBytes(entry);
    }
  }

  #age(): void {
    this.#timer = undefined;
    this.forget(this.#agedRevision);
    this.#agedRevision = this.revision;
    if (this.#historyRevisions > 0) this.#timer = this.#clock.after(historyMs, () => this.#age());
  }
}

function supersededBytes({ prev }: Entry): number {
  return prev?.kv.value.length ?? 0;
}

interface Tree {
  readonly entries: BTree<Entry>;
  count: number;
  bytes: number;
}

/** All keys under the prefix at a revision. Errors: those of `range`. */
async function readTree(remote: Store, prefix: Key, revision: Revision): Promise<Tree> {
  const tree: Tree = { entries: new BTree(weighEntry), count: 0, bytes: 0 };
  const end = prefixEnd(prefix);
  for (let key = prefix; ;) {
    const page = await remote.range({ key, end, revision, limit: pageEntriesMax });
    for (const kv of page.entries) {
      tree.entries.set(kv.key, { kv, prev: undefined, sibling: undefined });
      tree.count++;
      tree.bytes += kv.value.length;
    }
    const last = page.entries.at(-1);
    if (!page.more || last === undefined) return tree;
    key = `${last.key}\0`;
  }
}
