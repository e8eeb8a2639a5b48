/**
 * A real etcd cluster (3.4 to 3.6) as a store, which several API servers may share.
 *
 * Durability is etcd's own: `lazy` has no meaning here. Reads are linearizable. Progress on request
 * is asked only of members that answer it soundly (etcd-io/etcd issue 15220); older ones tell it
 * unasked, at the interval that they were started with.
 */
import type { Clock } from "#base/clock.ts";
import { silentLogger, type Logger } from "#base/log.ts";
import { EtcdConnection, type EtcdTls } from "./etcd/connection.ts";
import { opResultFromEtcd, queryToEtcd, resultFromEtcd, txnToEtcd } from "./etcd/convert.ts";
import * as methods from "./etcd/methods.ts";
import { EtcdWatch } from "./etcd/watch.ts";
import {
  CompactedError,
  FutureRevisionError,
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

export type { EtcdTls } from "./etcd/connection.ts";

export interface EtcdStoreOptions {
  /** `https://host:port`, `http://host:port` or `host:port`; tried in turn. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls;
  readonly clock: Clock;
  readonly log?: Logger;
  /** A call, with all its retries, takes no longer; 10 s when absent. */
  readonly callTimeoutMs?: number;
}

export interface EtcdStore extends Store {
  /** Version of the member that answered first, as `3.5.12`. */
  readonly serverVersion: string;
  /** Whether `Watch.requestProgress` is answered at once. */
  readonly progressOnRequest: boolean;
}

/** Errors: `StoreUnavailableError` when no member answers in time. */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<EtcdStore> {
  const { endpoints, tls, clock, callTimeoutMs } = options;
  const log = options.log ?? silentLogger;
  const connection = new EtcdConnection({ endpoints, tls, clock, log, callTimeoutMs });
  try {
    const status = await connection.call(methods.status, {});
    const { header } = await connection.call(methods.range, { key: "\0", countOnly: true });
    return new RemoteStore(connection, clock, log, {
      version: status.version,
      revision: header?.revision ?? 0,
    });
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** First versions whose progress answers never overtake events, by minor version of 3. */
const soundProgress: Readonly<Record<string, number>> = { "4": 25, "5": 8 };

export function answersProgress(version: string): boolean {
  const [, minor, patch] = /^3\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (minor === undefined) return !/^[0-2]\./.test(version);
  return Number(minor) > 5 || Number(patch) >= (soundProgress[minor] ?? Number.POSITIVE_INFINITY);
}

class RemoteStore implements EtcdStore {
  readonly serverVersion: string;
  readonly progressOnRequest: boolean;
  readonly #connection: EtcdConnection;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #watches = new Set<EtcdWatch>();
  #revision: Revision;
  #closed = false;

  constructor(
    connection: EtcdConnection,
    clock: Clock,
    log: Logger,
    server: { readonly version: string; readonly revision: Revision },
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#log = log;
    this.#revision = server.revision;
    this.serverVersion = server.version;
    this.progressOnRequest = answersProgress(server.version);
  }

  get revision(): Revision {
    return this.#revision;
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    try {
      const response = await this.#connection.call(methods.range, queryToEtcd(query));
      const result = this.#seen(resultFromEtcd(response, query.countOnly === true));
      if ((query.notOlderThan ?? 0) > result.revision) throw new FutureRevisionError(result.revision);
      return result;
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  async txn(txn: Txn): Promise<TxnResult> {
    const write = [...txn.success, ...(txn.failure ?? [])].some((op) => op.op !== "range");
    try {
      const response = await this.#connection.call(methods.txn, txnToEtcd(txn), { write });
      const { header, succeeded, responses } = response;
      const revision = header?.revision ?? 0;
      const ops = succeeded ? txn.success : (txn.failure ?? []);
      const results = ops.map((op, i) => {
        const result = responses[i];
        if (result === undefined) throw new StoreUnavailableError("etcd: an answer is incomplete");
        return opResultFromEtcd(op, result, revision);
      });
      return this.#seen({ succeeded, revision, results });
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  watch(query: WatchQuery, sink: WatchSink): Watch {
    if (this.#closed) throw new StoreUnavailableError("store closed");
    const watch = new EtcdWatch({
      connection: this.#connection,
      clock: this.#clock,
      log: this.#log,
      query,
      sink,
      answersProgress,
      progressOnRequest: this.progressOnRequest,
      onRevision: (revision) => void this.#seen({ revision }),
      onEnded: (ended) => this.#watches.delete(ended),
    });
    this.#watches.add(watch);
    return watch;
  }

  async compact(revision: Revision): Promise<void> {
    try {
      await this.#connection.call(methods.compact, { revision }, { write: true });
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  async grantLease(ttlSeconds: number, id = 0n): Promise<bigint> {
    const request = { ttl: ttlSeconds, id };
    return (await this.#connection.call(methods.leaseGrant, request, { write: true })).id;
  }

  async keepLeaseAlive(id: bigint): Promise<number> {
    const stream = await this.#connection.stream(methods.leaseKeepAlive);
    const ttl = await new Promise<number>((resolve, reject) => {
      stream.once("data", (response: { readonly ttl: number }) => resolve(response.ttl));
      const lost = (): void => reject(new StoreUnavailableError("etcd: the lease stream ended"));
      stream.on("error", lost);
      stream.once("end", lost);
      stream.write({ id });
    });
    stream.cancel();
    if (ttl <= 0) throw new LeaseNotFoundError();
    return ttl;
  }

  async revokeLease(id: bigint): Promise<void> {
    await this.#connection.call(methods.leaseRevoke, { id }, { write: true });
  }

  async leaseStatus(id: bigint): Promise<LeaseStatus> {
    const request = { id, keys: true };
    const { ttl, grantedTtl, keys } = await this.#connection.call(methods.leaseTimeToLive, request);
    return { id, grantedTtlSeconds: grantedTtl, remainingTtlSeconds: ttl, keys };
  }

  async leases(): Promise<readonly bigint[]> {
    const { leases } = await this.#connection.call(methods.leaseLeases, {});
    return leases.map((lease) => lease.id).toSorted((a, b) => (a < b ? -1 : 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const watch of this.#watches) watch.close(new StoreUnavailableError("store closed"));
    this.#connection.close();
  }

  #seen<T extends { readonly revision: Revision }>(answer: T): T {
    if (answer.revision > this.#revision) this.#revision = answer.revision;
    return answer;
  }

  /** Adds to an error the revision that etcd's status does not tell. */
  async #explained(error: unknown): Promise<unknown> {
    if (error instanceof FutureRevisionError) return new FutureRevisionError(this.#revision);
    if (!(error instanceof CompactedError)) return error;
    return new CompactedError((await this.#compactRevision()) ?? this.#revision);
  }

  /** A watch that starts too early is told the compact revision. */
  #compactRevision(): Promise<Revision | undefined> {
    return new Promise((resolve) => {
      const watch = this.watch(
        { key: "\0", startRevision: 1 },
        {
          onBatch: () => {},
          onClosed: (error) => {
            timer[Symbol.dispose]();
            resolve(error instanceof CompactedError ? error.compactRevision : undefined);
          },
        },
      );
      const timer = this.#clock.after(compactRevisionTimeoutMs, () => {
        watch[Symbol.dispose]();
        resolve(undefined);
      });
    });
  }
}

/** The compact revision is told at once or not at all. */
const compactRevisionTimeoutMs = 1_000;
