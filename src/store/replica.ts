/**
 * A store of another process, with a replica of a part of its keys in this one: what the watch cache
 * is upstream. Reads, lists and watches of the part cost no way to the other store but for the
 * question how far it has come, which reads that come together share.
 *
 * Invariants: 1. The replica is the remote's state at `revision`, with the history since then that
 * `replica-history.ts` keeps. 2. A read without a revision shows every write that was acknowledged
 * before it began, by whomever: the replica waits for that revision, or the remote answers.
 * 3. A resolved write is in the replica and its watches were called, unless the replica's feed is
 * broken for longer than `catchUpMsMax`. 4. The bytes of an own write are the writer's array.
 * 5. When the remote no longer has what the replica missed, it is loaded anew and every watch ends
 * with `CompactedError`.
 *
 * Source: apiserver `storage/cacher`.
 */
import type { Clock, Timer } from "#base/clock.ts";
import { silentLogger, type Logger } from "#base/log.ts";
import { compactRevisionKey } from "./compactor.ts";
import { OwnValues } from "./own-values.ts";
import { ReplicaState } from "./replica-state.ts";
import { RevisionWaits } from "./revision-waits.ts";
import {
  CompactedError,
  FutureRevisionError,
  prefixEnd,
  StoreUnavailableError,
  type Key,
  type KeyRange,
  type LeaseStatus,
  type RangeQuery,
  type RangeResult,
  type Revision,
  type Store,
  type Txn,
  type TxnResult,
  type Watch,
  type WatchBatch,
  type WatchQuery,
  type WatchSink,
} from "./store.ts";

export interface ReplicaOptions {
  readonly remote: Store;
  readonly clock: Clock;
  readonly log?: Logger;
  /** What is kept here; all else goes to the remote. */
  readonly prefix: Key;
}

/** What it holds and what it did, for metrics. */
export interface ReplicaStats {
  readonly revision: Revision;
  /** Oldest revision that a watch may start at. */
  readonly oldestRevision: Revision;
  readonly objects: number;
  readonly objectBytes: number;
  readonly historyBytes: number;
  readonly historyRevisions: number;
  readonly eventsReceived: number;
  readonly loads: number;
  /** Reads of the newest state that were answered here. */
  readonly consistentReads: number;
  /** Those that the remote had to answer. */
  readonly fallbacks: number;
}

export interface ReplicaStore extends Store {
  stats(): ReplicaStats;
}

/** A read or a write waits so long for the replica. Then the remote answers. */
const catchUpMsMax = 1_000;
/** Waiting this long, it asks the remote how far the feed has come, where the remote answers that. */
const progressAfterMs = 100;
/** A feed that owes something and is silent so long is begun anew: its connection may be dead. */
const silentMsMax = 5_000;
const reloadDelayMs = 500;

/** Errors: as those of the remote's `range`. */
export async function openReplica(options: ReplicaOptions): Promise<ReplicaStore> {
  const replica = new Replica(options);
  try {
    await replica.load();
  } catch (error) {
    await replica[Symbol.asyncDispose]();
    throw error;
  }
  return replica;
}

class Replica implements ReplicaStore {
  readonly #options: ReplicaOptions;
  readonly #remote: Store;
  readonly #log: Logger;
  readonly #end: Key;
  readonly #waits: RevisionWaits;
  readonly #own = new OwnValues();
  /** Absent while it is loaded. */
  #state: ReplicaState | undefined;
  #feed: Watch | undefined;
  #loaded = Promise.withResolvers<void>();
  #asking: Promise<Revision> | undefined;
  #askingNext: Promise<Revision> | undefined;
  #newest: Revision = 0;
  /** There while the remote has told of a revision that the feed does not bring. */
  #lateness: Timer | undefined;
  #closed = false;
  readonly #counts = { eventsReceived: 0, loads: 0, consistentReads: 0, fallbacks: 0 };

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#remote = options.remote;
    this.#log = options.log ?? silentLogger;
    this.#end = prefixEnd(options.prefix);
    this.#waits = new RevisionWaits(options.clock);
    this.#loaded.promise.catch(() => undefined);
  }

  get revision(): Revision {
    return this.#state?.revision ?? this.#newest;
  }

  /** Reads the state, and follows it. */
  async load(): Promise<void> {
    const { prefix, clock } = this.#options;
    const { state, newest } = await ReplicaState.load(this.#remote, { prefix, clock });
    if (this.#closed) {
      state[Symbol.dispose]();
      throw new StoreUnavailableError("store closed");
    }
    this.#counts.loads++;
    this.#state = state;
    this.#follow(state);
    this.#loaded.resolve();
    await this.#reach(newest);
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    this.#mustBeOpen();
    if (!this.#covers(query)) return this.#remote.range(query);
    const asked = query.revision || query.notOlderThan;
    if (asked === undefined) return this.#rangeNewest(query);
    if (asked > this.revision) {
      const newest = await this.#askNewest();
      if (asked > newest) throw new FutureRevisionError(newest);
      await this.#reach(asked);
    }
    const state = this.#state;
    if (state === undefined || !state.holds(asked, query.revision)) return this.#remote.range(query);
    return state.range(query);
  }

  async txn(txn: Txn): Promise<TxnResult> {
    this.#mustBeOpen();
    const release = this.#own.add([...txn.success, ...(txn.failure ?? [])]);
    try {
      const result = await this.#remote.txn(txn);
      await this.#reach(result.revision);
      return result;
    } finally {
      release();
    }
  }

  watch(query: WatchQuery, sink: WatchSink): Watch {
    this.#mustBeOpen();
    if (!this.#covers(query)) return this.#remote.watch(query, sink);
    if (query.startRevision && this.#state) return this.#state.watch(query, sink);
    return this.#watchLater(query, sink);
  }

  async catchUp(): Promise<void> {
    await this.#reach(await this.#askNewest());
  }

  async compact(revision: Revision): Promise<void> {
    await this.#remote.compact(revision);
    this.#state?.forget(revision);
  }

  grantLease(ttlSeconds: number, id?: bigint): Promise<bigint> {
    return this.#remote.grantLease(ttlSeconds, id);
  }

  keepLeaseAlive(id: bigint): Promise<number> {
    return this.#remote.keepLeaseAlive(id);
  }

  async revokeLease(id: bigint): Promise<void> {
    await this.#remote.revokeLease(id);
    await this.catchUp();
  }

  leaseStatus(id: bigint): Promise<LeaseStatus> {
    return this.#remote.leaseStatus(id);
  }

  leases(): Promise<readonly bigint[]> {
    return this.#remote.leases();
  }

  stats(): ReplicaStats {
    const held = this.#state?.stats() ?? { ...nothingHeld, revision: this.#newest };
    return { ...held, ...this.#counts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const closed = new StoreUnavailableError("store closed");
    this.#loaded.reject(closed);
    this.#feed?.[Symbol.dispose]();
    this.#beOnTime();
    this.#waits.giveUp();
    this.#state?.close(closed);
    this.#state = undefined;
    await this.#remote[Symbol.asyncDispose]();
  }

  async #rangeNewest(query: RangeQuery): Promise<RangeResult> {
    const newest = await this.#askNewest();
    const current = await this.#reach(newest);
    if (current && this.#state !== undefined) {
      this.#counts.consistentReads++;
      return this.#state.range(query);
    }
    this.#counts.fallbacks++;
    return this.#remote.range(query);
  }

  /** A watch that begins when the state is there, and after what is newest if it names no start. */
  #watchLater(query: WatchQuery, sink: WatchSink): Watch {
    let watch: Watch | undefined;
    let over = false;
    let progressWanted = false;
    const begin = async (): Promise<void> => {
      await this.#loaded.promise;
      const startRevision = query.startRevision || (await this.#askNewest()) + 1;
      const state = this.#state;
      if (over) return;
      if (state === undefined) throw new CompactedError(this.#newest);
      watch = state.watch({ ...query, startRevision }, sink);
      if (progressWanted) watch.requestProgress();
    };
    begin().catch((error: unknown) => {
      if (!over) sink.onClosed(error instanceof Error ? error : new Error(String(error)));
    });
    return {
      requestProgress: () => {
        if (watch !== undefined) return watch.requestProgress();
        progressWanted = true;
        return true;
      },
      [Symbol.dispose]: () => {
        over = true;
        watch?.[Symbol.dispose]();
      },
    };
  }

  #covers({ key, end }: KeyRange): boolean {
    const { prefix } = this.#options;
    if (end === undefined) return key.startsWith(prefix);
    if (key < prefix) return false;
    return this.#end === "\0" || (end !== "\0" && end <= this.#end);
  }

  /** The remote's newest revision at some time after the call; calls that come together share it. */
  #askNewest(): Promise<Revision> {
    if (this.#asking === undefined) return (this.#asking = this.#ask());
    this.#askingNext ??= this.#asking
      .catch(() => undefined)
      .then(() => {
        this.#askingNext = undefined;
        return (this.#asking = this.#ask());
      });
    return this.#askingNext;
  }

  async #ask(): Promise<Revision> {
    try {
      const { revision } = await this.#remote.range({ key: "\0", countOnly: true });
      if (revision > this.#newest) this.#newest = revision;
      return revision;
    } finally {
      this.#asking = undefined;
    }
  }

  /** Takes over what the remote does from here on. */
  #follow(state: ReplicaState): void {
    this.#feed?.[Symbol.dispose]();
    // All keys, not only the prefix: so no write leaves the replica behind the remote's revision.
    this.#feed = this.#remote.watch(
      { key: "", end: "\0", startRevision: state.revision + 1 },
      {
        onBatch: (batch) => this.#onBatch(state, batch),
        onClosed: (error) => this.#onFeedClosed(state, error),
      },
    );
  }

  /** Whether the replica has come to the revision in time. */
  async #reach(revision: Revision): Promise<boolean> {
    const state = this.#state;
    if (state === undefined) return false;
    if (state.revision >= revision) return true;
    if (this.#lateness !== undefined) return false;
    using _progress = this.#options.clock.after(progressAfterMs, () => {
      this.#feed?.requestProgress();
    });
    const reached = await this.#waits.until(revision, catchUpMsMax);
    if (!reached && this.#state === state) this.#beLate(state);
    return reached;
  }

  /** The feed is silent: nobody waits for it until something comes, and it is begun anew at times. */
  #beLate(state: ReplicaState): void {
    if (this.#closed || this.#lateness !== undefined) return;
    this.#log.debug("The store's replica is late", { revision: state.revision });
    const beginAnew = (): void => {
      this.#lateness = this.#options.clock.after(silentMsMax, beginAnew);
      this.#follow(state);
    };
    this.#lateness = this.#options.clock.after(silentMsMax, beginAnew);
  }

  #beOnTime(): void {
    this.#lateness?.[Symbol.dispose]();
    this.#lateness = undefined;
  }

  #onBatch(state: ReplicaState, { revision, events }: WatchBatch): void {
    if (this.#state !== state) return;
    this.#beOnTime();
    const { prefix } = this.#options;
    const kvs = [];
    for (const { kv } of events) {
      if (kv.key.startsWith(prefix)) kvs.push(this.#own.shared(kv));
      if (kv.key === compactRevisionKey) state.forget(Number(Buffer.from(kv.value).toString()));
    }
    this.#counts.eventsReceived += kvs.length;
    if (!state.apply(revision, kvs)) {
      return this.#reload(state, "the remote's revision jumped");
    }
    this.#waits.reached(revision);
  }

  #onFeedClosed(state: ReplicaState, error: Error): void {
    if (this.#closed || this.#state !== state) return;
    this.#reload(state, error.message);
  }

  #reload(state: ReplicaState, reason: string): void {
    this.#log.info("Loading the store's replica anew", { reason });
    this.#feed?.[Symbol.dispose]();
    this.#feed = undefined;
    this.#state = undefined;
    this.#beOnTime();
    this.#loaded = Promise.withResolvers<void>();
    this.#loaded.promise.catch(() => undefined);
    this.#waits.giveUp();
    state.close(new CompactedError(state.revision));
    void this.#loadAgain();
  }

  async #loadAgain(): Promise<void> {
    while (!this.#closed) {
      try {
        return await this.load();
      } catch (error) {
        if (this.#closed) return;
        this.#log.error("Cannot load the store's replica, will be tried again", error);
        await this.#options.clock.sleep(reloadDelayMs);
      }
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreUnavailableError("store closed");
  }
}

const nothingHeld = {
  oldestRevision: 0,
  objects: 0,
  objectBytes: 0,
  historyBytes: 0,
  historyRevisions: 0,
};
