import { objectKey, type KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import {
  alreadyExists,
  expired,
  failure,
  internal,
  type Qualified,
  serviceUnavailable,
  StatusError,
  timeout,
} from "#apimachinery/status.ts";
import {
  CompactedError,
  type Durability,
  FutureRevisionError,
  type Key,
  keyOf,
  type KeyValue,
  LeaseNotFoundError,
  prefixEnd,
  type RangeResult,
  type Revision,
  type Store,
  StoreReadOnlyError,
  StoreUnavailableError,
  type TxnResult,
} from "#store/store.ts";
import type { Clock } from "#base/clock.ts";
import { errorMessage } from "#base/error-message.ts";
import { LeasePool } from "#store/lease-pool.ts";
import { TransformError } from "../encryption/encrypted-store.ts";
import { codecOf } from "./codec.ts";
import { type Entry, EntryCache, withoutRevision } from "./entry.ts";

/** A stored entry together with the store's key-value, whose revision guards the next write. */
export interface Stored {
  readonly entry: Entry;
  readonly kv: KeyValue;
}

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly ttlSeconds?: number;
}

/** What an update decides: new bytes (see `encode`), no write, or the removal of the key. */
export type UpdateDecision =
  | { readonly do: "write"; readonly value: Uint8Array; readonly ttlSeconds?: number }
  | { readonly do: "keep"; readonly ttlSeconds?: number }
  | { readonly do: "delete" };

export interface UpdateOutcome {
  readonly entry: Entry;
  readonly decision: UpdateDecision["do"];
}

export interface ResourceStorageSpec {
  readonly store: Store;
  /** Tells how long a lease may be reused. */
  readonly clock: Clock;
  readonly definition: ResourceDefinition;
  /** @default "sync" */
  readonly durability?: Durability;
  /** Whether a stored value shall be written anew by the next update, although nothing has changed. */
  readonly isStale?: (kv: KeyValue) => Promise<boolean>;
}

/**
 * All objects of one kind in the store, whatever version they are shown in. Knows keys, bytes and
 * optimistic concurrency; knows nothing of requests.
 */
export class ResourceStorage {
  readonly store: Store;
  /** `/registry/pods/`. */
  readonly prefix: Key;
  readonly entries: EntryCache;
  readonly #definition: ResourceDefinition;
  readonly #qualified: Qualified;
  readonly #durability: Durability;
  readonly #leases: LeasePool;
  readonly #isStale: ResourceStorageSpec["isStale"];

  constructor(spec: ResourceStorageSpec) {
    const { definition } = spec;
    this.store = spec.store;
    this.#leases = new LeasePool(spec.store, spec.clock);
    this.#definition = definition;
    this.prefix = keyOf(`/registry/${definition.storage.prefix}/`);
    this.entries = new EntryCache(definition);
    this.#qualified = { group: definition.group, resource: definition.plural };
    this.#durability = spec.durability ?? "sync";
    this.#isStale = spec.isStale;
  }

  keyOf(namespace: string, name: string): Key {
    return this.prefix + keyOf(objectKey(namespace, name));
  }

  /**
   * The newest state, or undefined; any state from `notOlderThan` on where that is given.
   * Errors: Timeout with cause ResourceVersionTooLarge.
   */
  async find(key: Key, notOlderThan?: Revision): Promise<Stored | undefined> {
    const { entries } = await this.range({ key, ...(notOlderThan !== undefined && { notOlderThan }) });
    const kv = entries[0];
    if (kv === undefined) return undefined;
    return { kv, entry: this.entries.of(kv) };
  }

  /** Whether entries must be prepared before they are read. */
  get converts(): boolean {
    return codecOf(this.#definition).converter !== undefined;
  }

  /** Brings entries into the version of this storage, all in one call of the converter. */
  async prepare(entries: readonly Entry[]): Promise<void> {
    const { converter } = codecOf(this.#definition);
    if (converter === undefined) return;
    const foreign = entries.filter((entry) => converter.isForeign(entry.object));
    if (foreign.length === 0) return;
    const objects = await converter.fromStored(foreign.map((entry) => entry.object));
    for (const [i, entry] of foreign.entries()) entry.install(objects[i] ?? entry.object);
  }

  /**
   * A range of the prefix at a revision, or at any from `notOlderThan` on; the newest when both are
   * absent. Errors: Expired when compacted, unless `onCompacted` answers otherwise; Timeout with
   * cause ResourceVersionTooLarge.
   */
  async range(query: StorageQuery): Promise<RangeResult> {
    const { onCompacted, ...range } = query;
    try {
      const result = await this.store.range(range);
      if (this.converts) await this.prepare(result.entries.map((kv) => this.entries.of(kv)));
      return result;
    } catch (error) {
      if (error instanceof CompactedError) {
        throw onCompacted?.() ?? expired("The resourceVersion for the provided list is too old.");
      }
      if (error instanceof FutureRevisionError) {
        throw tooLarge(query.revision ?? query.notOlderThan ?? 0, error.current);
      }
      throw storeFailure(error);
    }
  }

  /** How many objects there are, or were a moment ago, and their size as that of the first lets expect. */
  async estimate(): Promise<{ readonly count: number; readonly sizeBytes: number }> {
    const range = { ...this.rangeOf(this.prefix), limit: sampledMax, notOlderThan: 0 };
    const { count, entries } = await this.#guard(this.store.range(range));
    const sampledBytes = entries.reduce((sum, { value }) => sum + value.length, 0);
    return { count, sizeBytes: entries.length === 0 ? 0 : Math.round((sampledBytes / entries.length) * count) };
  }

  /** Prefix of all keys of a namespace ("" for all namespaces or cluster scope). */
  namespacePrefix(namespace: string): Key {
    return namespace === "" ? this.prefix : `${this.prefix}${keyOf(namespace)}/`;
  }

  /** Errors: AlreadyExists. */
  async create(key: Key, object: KubeObject, options: WriteOptions): Promise<Entry> {
    const name = object.metadata?.name ?? "";
    if (options.dryRun) {
      if (await this.find(key)) throw alreadyExists(this.#qualified, name);
      return this.#shown(this.#unstored(await this.encode(object)));
    }
    const value = await this.encode(object);
    const kv = await this.#put({ key, value, ttlSeconds: options.ttlSeconds ?? 0 });
    if (kv === undefined) throw alreadyExists(this.#qualified, name);
    return this.#shown(this.entries.of(kv));
  }

  /**
   * Carries out a decision that was taken on `current`. Undefined when another write came
   * between: read again and decide again.
   */
  async updateFrom(
    key: Key,
    current: Stored,
    spec: { readonly dryRun: boolean; readonly decision: UpdateDecision },
  ): Promise<UpdateOutcome | undefined> {
    const { decision } = spec;
    if (decision.do === "keep") {
      if (spec.dryRun || !(await this.#mustRenew(current.kv))) return { entry: current.entry, decision: "keep" };
      // Bytes of its own: entries go by the identity of the array.
      const value = Buffer.from(current.kv.value);
      return this.updateFrom(key, current, { ...spec, decision: { ...decision, do: "write", value } });
    }
    if (decision.do === "delete") {
      const entry = await this.remove(key, current, spec.dryRun);
      return entry && { entry, decision: "delete" };
    }
    if (spec.dryRun) {
      const entry = await this.#shown(this.#unstored(decision.value, current));
      return { entry, decision: "write" };
    }
    const kv = await this.#put({
      key,
      value: decision.value,
      current: current.kv,
      ttlSeconds: decision.ttlSeconds ?? 0,
    });
    if (kv === undefined) return undefined;
    if (!this.converts) current.entry.outdated();
    return { entry: await this.#shown(this.entries.of(kv)), decision: "write" };
  }

  /** Whether a value was encrypted with a key that shall be used no longer. */
  async #mustRenew(kv: KeyValue): Promise<boolean> {
    return this.#isStale !== undefined && this.#guard(this.#isStale(kv));
  }

  /** Removes exactly the state that was read; undefined when it has changed since. */
  async remove(key: Key, current: Stored, dryRun: boolean): Promise<Entry | undefined> {
    if (dryRun) return current.entry;
    const result = await this.#guard(
      this.store.txn({
        compare: [{ key, target: "modRevision", relation: "=", number: current.kv.modRevision }],
        success: [{ op: "delete", key }],
      }),
    );
    if (!result.succeeded) return undefined;
    return this.#shown(this.entries.deleted(current.kv, result.revision));
  }

  /** Whether the state can be read, or is not there at all. */
  async isReadable(key: Key): Promise<boolean> {
    const state = await this.#guard(this.store.range({ key, countOnly: true }));
    if (state.count === 0) return true;
    try {
      const stored = await this.find(key);
      void stored?.entry.object;
      return true;
    } catch {
      return false;
    }
  }

  /** Why a key cannot be read, in upstream's words; undefined when it can, or nothing is there. */
  async problemOf(key: Key): Promise<string | undefined> {
    let stored: Stored | undefined;
    try {
      stored = await this.find(key);
      void stored?.entry.object;
      return undefined;
    } catch (error) {
      if (stored !== undefined) return `object not decodable revision=${stored.entry.revision}: ${errorMessage(error)}`;
      const problem = errorMessage(error instanceof StatusError ? error.cause : error);
      return `data from the storage is not transformable revision=0: ${problem}`;
    }
  }

  /** Removes a key whatever is there; returns whether anything was. */
  async removeUnread(key: Key): Promise<boolean> {
    const { results } = await this.#guard(this.store.txn({ compare: [], success: [{ op: "delete", key }] }));
    const [result] = results;
    return result?.op === "delete" && result.deleted > 0;
  }

  /** Writes unless the key has changed since `current`, which is absent for a key that is not there. */
  async #put(spec: Put): Promise<KeyValue | undefined> {
    const { key, value, current, ttlSeconds } = spec;
    const lease = ttlSeconds > 0 ? await this.#guard(this.#leases.leaseFor(ttlSeconds)) : 0n;
    const number = current?.modRevision ?? 0;
    let result: TxnResult;
    try {
      result = await this.store.txn({
        compare: [{ key, target: "modRevision", relation: "=", number }],
        success: [{ op: "put", key, value, durability: this.#durability, ...(lease !== 0n && { lease }) }],
      });
    } catch (error) {
      if (!(error instanceof LeaseNotFoundError)) throw storeFailure(error);
      // Somebody revoked the shared lease, or the clocks differ much: the next one is fresh.
      this.#leases.forget();
      return this.#put(spec);
    }
    if (!result.succeeded) return undefined;
    const { revision } = result;
    return {
      key,
      value,
      createRevision: current?.createRevision ?? revision,
      modRevision: revision,
      version: (current?.version ?? 0) + 1,
      lease,
    };
  }

  /** What is stored of an object. */
  encode(object: KubeObject): Uint8Array | Promise<Uint8Array> {
    const codec = codecOf(this.#definition);
    const plain = withoutRevision(object);
    if (codec.converter === undefined) {
      const stored = codec.toStored?.(plain) ?? plain;
      return codec.encodeStored?.(stored) ?? codec.encode(stored);
    }
    return codec.converter.toStored(plain).then((stored) => codec.encode(stored));
  }

  async #shown(entry: Entry): Promise<Entry> {
    if (this.converts) await this.prepare([entry]);
    return entry;
  }

  /** What a dry run shows: the object as it would be, at the revision it has now. */
  #unstored(value: Uint8Array, current?: Stored): Entry {
    return this.entries.unstored(value, current?.kv.modRevision ?? 0);
  }

  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw storeFailure(error);
    }
  }

  rangeOf(prefix: Key): { key: Key; end: Key } {
    return { key: prefix, end: prefixEnd(prefix) };
  }
}

interface StorageQuery {
  readonly key: Key;
  readonly end?: Key;
  readonly revision?: Revision;
  readonly notOlderThan?: Revision;
  readonly limit?: number;
  readonly onCompacted?: () => StatusError;
}

interface Put {
  readonly key: Key;
  readonly value: Uint8Array;
  readonly current?: KeyValue;
  /** 0 for ever. */
  readonly ttlSeconds: number;
}

/** Objects whose sizes stand for those of all. */
const sampledMax = 32;

/** What a client is told that wants a revision which is not there yet. */
function tooLarge(wanted: Revision, current: Revision): StatusError {
  const { status } = timeout(`Too large resource version: ${wanted}, current: ${current}`, 1);
  return new StatusError({
    ...status,
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
  });
}

/** Store errors as clients see them. */
export function storeFailure(error: unknown): unknown {
  if (error instanceof StoreReadOnlyError) {
    return failure("InternalError", { message: error.message, cause: error });
  }
  if (error instanceof StoreUnavailableError) return serviceUnavailable(error.message);
  if (error instanceof TransformError) return internal(error.message, error);
  return error;
}
