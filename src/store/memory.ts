/** The store that tests run on: everything in memory, snapshots and forks in O(1). */
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { LeaseTable } from "./lease-table.ts";
import { Mvcc } from "./mvcc.ts";
import {
  LeaseNotFoundError,
  StoreUnavailableError,
  type LeaseStatus,
  type RangeQuery,
  type RangeResult,
  type Revision,
  type Store,
  type Txn,
  type TxnResult,
  type Watch,
  type WatchQuery,
  type WatchSink,
} from "./store.ts";
import { WatchHub } from "./watch-hub.ts";

export interface MemoryStoreOptions {
  /** Drives the leases. */
  readonly clock: Clock;
  /** Chooses lease ids; they count up from 1 when absent. */
  readonly random?: Random;
}

/** Writes are done, and watches called, before `txn` returns its promise. */
export interface MemoryStore extends Store {
  /** The store as it is now, for good. Its history before now is not in it. */
  snapshot(): StoreSnapshot;
}

export interface StoreSnapshot {
  readonly revision: Revision;
  /** As `Store.range`, at the snapshot's revision. */
  range(query: RangeQuery): RangeResult;
  /** A store that goes on from here, alone; its leases begin their time again. */
  fork(options?: Partial<MemoryStoreOptions>): MemoryStore;
}

/** Entries whose memory one compaction step frees. */
const trimEntriesMax = 1_000_000;

export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  return new InMemoryStore(options);
}

/** The state of `mvcc` as it is now: shared by every in-process store. */
export function snapshotOf(
  mvcc: Mvcc,
  leases: LeaseTable,
  options: MemoryStoreOptions,
): StoreSnapshot {
  const frozenLeases = new LeaseTable(options.clock, () => {});
  frozenLeases.close();
  frozenLeases.copyFrom(leases);
  const frozen = mvcc.fork(frozenLeases);
  return {
    revision: frozen.visible,
    range: (query) => frozen.range(query),
    fork: (changes) => new InMemoryStore({ ...options, ...changes }, { frozen, frozenLeases }),
  };
}

class InMemoryStore implements MemoryStore {
  readonly #options: MemoryStoreOptions;
  readonly #leases: LeaseTable;
  readonly #mvcc: Mvcc;
  readonly #hub: WatchHub;
  #closed = false;

  constructor(options: MemoryStoreOptions, from?: { frozen: Mvcc; frozenLeases: LeaseTable }) {
    this.#options = options;
    this.#leases = new LeaseTable(options.clock, (id) => this.#revoke(id));
    this.#mvcc = from === undefined ? new Mvcc(this.#leases) : from.frozen.fork(this.#leases);
    if (from !== undefined) this.#leases.copyFrom(from.frozenLeases);
    this.#hub = new WatchHub(this.#mvcc);
  }

  get revision(): Revision {
    return this.#mvcc.visible;
  }

  range(query: RangeQuery): Promise<RangeResult> {
    return this.#answer(() => this.#mvcc.range(query));
  }

  txn(txn: Txn): Promise<TxnResult> {
    return this.#answer(() => this.#commit(txn));
  }

  watch(query: WatchQuery, sink: WatchSink): Watch {
    this.#mustBeOpen();
    return this.#hub.watch(query, sink);
  }

  compact(revision: Revision): Promise<void> {
    return this.#answer(() => {
      this.#mvcc.compact(revision);
      while (this.#mvcc.trim(trimEntriesMax));
    });
  }

  grantLease(ttlSeconds: number, id = 0n): Promise<bigint> {
    return this.#answer(() => {
      const chosen = id === 0n ? this.#leases.freeId(this.#options.random) : id;
      this.#leases.checkGrant(chosen, ttlSeconds);
      this.#leases.grant(chosen, ttlSeconds);
      return chosen;
    });
  }

  keepLeaseAlive(id: bigint): Promise<number> {
    return this.#answer(() => this.#leases.renew(id));
  }

  revokeLease(id: bigint): Promise<void> {
    return this.#answer(() => {
      if (!this.#leases.has(id)) throw new LeaseNotFoundError();
      this.#revoke(id);
    });
  }

  leaseStatus(id: bigint): Promise<LeaseStatus> {
    return this.#answer(() => this.#leases.status(id));
  }

  leases(): Promise<readonly bigint[]> {
    return this.#answer(() => this.#leases.ids());
  }

  snapshot(): StoreSnapshot {
    this.#mustBeOpen();
    return snapshotOf(this.#mvcc, this.#leases, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#leases.close();
    this.#hub.close(new StoreUnavailableError("store closed"));
  }

  #commit(txn: Txn): TxnResult {
    const result = this.#mvcc.evaluate(txn);
    if (this.#mvcc.tip !== this.#mvcc.visible) {
      this.#mvcc.publish(this.#mvcc.tip);
      this.#hub.deliver();
    }
    return result;
  }

  #revoke(id: bigint): void {
    const keys = this.#leases.keys(id);
    this.#leases.remove(id);
    this.#commit({ compare: [], success: keys.map((key) => ({ op: "delete", key })) });
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreUnavailableError("store closed");
  }

  #answer<T>(run: () => T): Promise<T> {
    try {
      this.#mustBeOpen();
      return Promise.resolve(run());
    } catch (error) {
      return Promise.reject(error);
    }
  }
}
