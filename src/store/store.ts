/**
 * The store's contract: etcd's semantics without etcd's wire. Knows keys and bytes, no kinds.
 *
 * Invariants (each has a test in `store-contract.ts`, which runs on every implementation):
 * 1. One revision counter for the whole store. A transaction that writes raises it by exactly one,
 *    whatever the number of its writes; one that writes nothing leaves it alone. It never falls,
 *    also not over a restart.
 * 2. A resolved write is durable (for `durability: "sync"`) and visible to every later read.
 * 3. A range at a revision shows exactly the state after that revision's transaction.
 * 4. A watch delivers every transaction that touches its range from `startRevision` on: once,
 *    in order, whole (all matching events of a revision in one batch), and only after invariant 2.
 * 5. Reading below the compact revision, and watching from it or below, fails with
 *    `CompactedError`; reading above the current one fails with `FutureRevisionError`; watching
 *    above it waits. (etcd itself still serves a watch from exactly the compact revision.)
 * 6. Values handed in and out are shared, never copied: nobody may change their bytes. The same
 *    `Uint8Array` that was put is the one that ranges and watches show (implementations that live
 *    in this process), so callers may key caches on its identity.
 */

/** A position in the store's history: a safe integer, 1 for an empty store (as etcd). */
export type Revision = number;

/**
 * A key as a byte string: each character is one byte (0..255), so that JavaScript's `<` is etcd's
 * order. `/registry/...` keys are ASCII but for the names of a few kinds: see `keyOf`.
 */
export type Key = string;

export interface KeyValue {
  readonly key: Key;
  readonly value: Uint8Array;
  /** Revision at which the key was last created. */
  readonly createRevision: Revision;
  /** Revision of the last put. */
  readonly modRevision: Revision;
  /** Number of puts since creation; 1 for a fresh key. */
  readonly version: number;
  /** Lease that owns the key; 0n for none. */
  readonly lease: bigint;
}

/** Either one key, or all keys k with `key <= k < end`. `end: "\0"` means no upper bound. */
export interface KeyRange {
  readonly key: Key;
  readonly end?: Key;
}

export interface RangeQuery extends KeyRange {
  /** State to read; the newest when absent. */
  readonly revision?: Revision;
  /**
   * Any state from this revision on will do, which spares stores of another process the way there.
   * Ignored beside `revision`. Error when there is none yet: `FutureRevisionError`.
   */
  readonly notOlderThan?: Revision;
  /** Most entries to return; 0 or absent for all. */
  readonly limit?: number;
  /** Leaves `value` empty in the answer. */
  readonly keysOnly?: boolean;
  /** Only `count` is wanted; `entries` is empty. */
  readonly countOnly?: boolean;
}

export interface RangeResult {
  /** Revision of the store when the range was read (not the one asked for). */
  readonly revision: Revision;
  /** In key order. */
  readonly entries: readonly KeyValue[];
  /** Entries of the whole range, whatever `limit` was. */
  readonly count: number;
  readonly more: boolean;
}

/**
 * How long a write may take to reach the disk. `sync`: before it is acknowledged. `lazy`: within
 * `lazyFlushMsMax`, for data that a crash may lose (Events, Leases).
 */
export type Durability = "sync" | "lazy";

export type Op =
  | {
      readonly op: "put";
      readonly key: Key;
      readonly value: Uint8Array;
      readonly lease?: bigint;
      readonly durability?: Durability;
    }
  | ({ readonly op: "delete"; readonly prevKv?: boolean } & KeyRange)
  | ({ readonly op: "range" } & RangeQuery);

export type OpResult =
  | { readonly op: "put"; readonly prevKv?: KeyValue }
  | { readonly op: "delete"; readonly deleted: number; readonly prevKvs: readonly KeyValue[] }
  | ({ readonly op: "range" } & RangeResult);

/** An absent key compares as revision 0, version 0, lease 0 and never equals a value. */
export type Compare = { readonly key: Key; readonly relation: "=" | "!=" | "<" | ">" } & (
  | { readonly target: "modRevision" | "createRevision" | "version"; readonly number: number }
  | { readonly target: "lease"; readonly lease: bigint }
  | { readonly target: "value"; readonly value: Uint8Array }
);

export interface Txn {
  /** All must hold for `success` to run; none means success. */
  readonly compare: readonly Compare[];
  readonly success: readonly Op[];
  readonly failure?: readonly Op[];
}

export interface TxnResult {
  readonly succeeded: boolean;
  /** Revision of this transaction's writes, or the store's when it wrote nothing. */
  readonly revision: Revision;
  /** One result for each operation of the branch that ran. */
  readonly results: readonly OpResult[];
}

export type StoreEvent =
  | { readonly type: "put"; readonly kv: KeyValue; readonly prevKv?: KeyValue }
  /** `kv` has the key and, as `modRevision`, the revision of the deletion; its value is empty. */
  | { readonly type: "delete"; readonly kv: KeyValue; readonly prevKv?: KeyValue };

/** All events of one transaction inside the watched range. Empty for a progress notification. */
export interface WatchBatch {
  readonly revision: Revision;
  readonly events: readonly StoreEvent[];
}

export interface WatchQuery extends KeyRange {
  /** First revision to deliver; absent: what comes after the newest. */
  readonly startRevision?: Revision;
  /** Adds the state before each event. In-process stores always add it. */
  readonly prevKv?: boolean;
}

/** Receives a watch. Calls come in order, never concurrently, and must not throw. */
export interface WatchSink {
  onBatch(batch: WatchBatch): void;
  /** Last call: the watch is over (compacted, store closed, connection lost for good). */
  onClosed(error: Error): void;
}

export interface Watch extends Disposable {
  /**
   * Asks for an empty batch that says how far the watch has come (etcd's progress request).
   * Returns false when there will be none: an etcd is too old to tell soundly. Then only `range`
   * reads what is newest.
   */
  requestProgress(): boolean;
}

export interface LeaseStatus {
  readonly id: bigint;
  readonly grantedTtlSeconds: number;
  /** -1 when the lease is gone. */
  readonly remainingTtlSeconds: number;
  readonly keys: readonly Key[];
}

export interface Store extends AsyncDisposable {
  /** Newest revision that this client knows to be durable. */
  readonly revision: Revision;
  /** Errors: `CompactedError`, `FutureRevisionError`, `StoreUnavailableError`. */
  range(query: RangeQuery): Promise<RangeResult>;
  /**
   * Errors: `StoreUnavailableError`, `StoreReadOnlyError` (disk full), `LeaseNotFoundError`,
   * `DuplicateKeyError`, and those of `range`; after all but the first nothing has been written.
   */
  txn(txn: Txn): Promise<TxnResult>;
  watch(query: WatchQuery, sink: WatchSink): Watch;
  /**
   * Resolves when watches have delivered, and `range` with `notOlderThan: 0` shows, what was written
   * anywhere before the call, or when that takes too long. Absent where it is so at all times.
   * Errors: `StoreUnavailableError`.
   */
  catchUp?(): Promise<void>;
  /**
   * Drops history up to and with `revision`, save each key's newest entry at it.
   * Errors: `CompactedError` when it was compacted so far already, `FutureRevisionError`.
   */
  compact(revision: Revision): Promise<void>;
  /** `id` 0n lets the store choose. Errors: `LeaseExistsError`. */
  grantLease(ttlSeconds: number, id?: bigint): Promise<bigint>;
  /** Gives the lease its whole time again, which is returned in seconds. */
  keepLeaseAlive(id: bigint): Promise<number>;
  /** Deletes the lease's keys in one transaction, as happens when its time runs out. */
  revokeLease(id: bigint): Promise<void>;
  leaseStatus(id: bigint): Promise<LeaseStatus>;
  /** Ids, ascending. */
  leases(): Promise<readonly bigint[]>;
}

/** A read below the compact revision. */
export class CompactedError extends Error {
  override readonly name = "CompactedError";
  readonly compactRevision: Revision;
  constructor(compactRevision: Revision) {
    super("mvcc: required revision has been compacted");
    this.compactRevision = compactRevision;
  }
}

/** A read above the newest revision. */
export class FutureRevisionError extends Error {
  override readonly name = "FutureRevisionError";
  readonly current: Revision;
  constructor(current: Revision) {
    super("mvcc: required revision is a future revision");
    this.current = current;
  }
}

export class LeaseNotFoundError extends Error {
  override readonly name = "LeaseNotFoundError";
  constructor() {
    super("requested lease not found");
  }
}

/** A lease with the wanted id is there already. */
export class LeaseExistsError extends Error {
  override readonly name = "LeaseExistsError";
  constructor() {
    super("lease already exists");
  }
}

/** A transaction puts a key twice, or puts it and deletes it. */
export class DuplicateKeyError extends Error {
  override readonly name = "DuplicateKeyError";
  constructor() {
    super("duplicate key given in txn request");
  }
}

/** The store cannot take writes now (disk full, read-only medium); reads go on. */
export class StoreReadOnlyError extends Error {
  override readonly name = "StoreReadOnlyError";
}

/** The store cannot be reached, or was closed. A write in flight may or may not have happened. */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
}

/** The end of the range of all keys that start with `prefix`. */
export function prefixEnd(prefix: Key): Key {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const code = prefix.charCodeAt(i);
    if (code < 0xff) return prefix.slice(0, i) + String.fromCharCode(code + 1);
  }
  return "\0";
}

/** The byte-string key of a text: itself when it is ASCII, else its UTF-8 bytes. */
export function keyOf(text: string): Key {
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}
