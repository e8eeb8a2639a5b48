/**
 * The store on disk: the memory of `memory.ts` behind a write-ahead log with group commit.
 *
 * The directory holds a lock, segments of the log, and one checkpoint. The checkpoint is the state
 * at the compact revision, so checkpoint and log together are exactly the state and its history:
 * a watcher may resume over a restart as if there had been none.
 *
 * Invariants: 1. Nothing is acknowledged, read or watched before it is durable, save transactions
 * of lazy puts alone: the operating system has those, and a power cut may take the last
 * `lazyFlushMsMax` of them. 2. When that may have happened, opening jumps the revision far enough
 * that none is used twice, and forgets history, so that every watcher starts anew.
 */
import { dirname, join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { isIoError, type Files } from "#base/files.ts";
import { silentLogger, type Logger } from "#base/log.ts";
import { nextTurn } from "#base/os/turn.ts";
import type { Random } from "#base/random.ts";
import { LeaseTable } from "./lease-table.ts";
import { snapshotOf, type StoreSnapshot } from "./memory.ts";
import type { Mvcc } from "./mvcc.ts";
import {
  CompactedError,
  FutureRevisionError,
  LeaseNotFoundError,
  StoreUnavailableError,
  type LeaseStatus,
  type Op,
  type RangeQuery,
  type RangeResult,
  type Revision,
  type Store,
  type StoreReadOnlyError,
  type Txn,
  type TxnResult,
  type Watch,
  type WatchQuery,
  type WatchSink,
} from "./store.ts";
import { Checkpointer } from "./wal/checkpointer.ts";
import { WriteAheadLog } from "./wal/log.ts";
import { StoreDamagedError } from "./wal/damage.ts";
import { listStore, segmentName } from "./wal/names.ts";
import { CommitPipeline, lazyRevisionsMax } from "./wal/pipeline.ts";
import { writeRecord, writeTxn } from "./wal/records.ts";
import { recoverStore } from "./wal/recover.ts";
import { WatchHub } from "./watch-hub.ts";

export interface DurableStoreOptions {
  readonly files: Files;
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Logger;
  /** Size at which the log goes on in a new file; 64 MiB when absent. */
  readonly segmentBytesMax?: number;
  /** History beyond this is dropped from disk, compacted or not; 1 GiB when absent. */
  readonly historyBytesMax?: number;
}

export interface DurableStore extends Store {
  /** Why writes are refused; undefined when they are not. It becomes writable again by itself. */
  readonly readOnly: StoreReadOnlyError | undefined;
  /** Bytes of the files. */
  readonly diskBytes: number;
  /** The store as it is now, for good; forks of it are in memory only. */
  snapshot(): StoreSnapshot;
  /**
   * Shrinks the files to the state alone: one checkpoint and an empty log. History stays in memory
   * until it is compacted, but does not survive a restart.
   */
  checkpoint(): Promise<void>;
}

const segmentBytesMaxDefault = 64 * 1024 * 1024;
const historyBytesMaxDefault = 1024 * 1024 * 1024;
/** Free space that ends a read-only phase. */
const roomBytesMin = 1024 * 1024;
/** Entries freed in one turn of the event loop after a compaction. */
const trimEntriesMax = 20_000;
const bootIdPath = "/proc/sys/kernel/random/boot_id";
const lockName = "lock";
/** Says `open BOOT`, or how far the log goes when the store was closed: `closed SEGMENT OFFSET`. */
const stateName = "state";

/** Errors: `IoError` with EWOULDBLOCK when another process has it, `StoreDamagedError`. */
export async function openDurableStore(options: DurableStoreOptions): Promise<DurableStore> {
  const { files, directory } = options;
  await makeDurableDirectory(files, directory);
  const lock = await files.lock(join(directory, lockName));
  const store = new OnDiskStore(options, lock);
  try {
    await store.open();
    return store;
  } catch (error) {
    await store.abandon();
    throw error;
  }
}

/** Makes the directory and what is missing above it, so that a power cut leaves them there. */
async function makeDurableDirectory(files: Files, directory: string): Promise<void> {
  const missing: string[] = [];
  for (let at = directory; (await files.stat(at)) === undefined; at = dirname(at)) missing.push(at);
  await files.makeDirectory(directory, 0o700);
  for (const at of missing) await files.syncDirectory(dirname(at));
}

class OnDiskStore implements DurableStore {
  readonly #options: DurableStoreOptions;
  readonly #logger: Logger;
  readonly #lock: AsyncDisposable;
  readonly #leases: LeaseTable;
  readonly #log: WriteAheadLog;
  readonly #pipeline: CommitPipeline;
  #mvcc!: Mvcc;
  #hub!: WatchHub;
  #checkpointer!: Checkpointer;
  #closing: Promise<void> | undefined;

  constructor(options: DurableStoreOptions, lock: AsyncDisposable) {
    this.#options = options;
    this.#logger = options.log ?? silentLogger;
    this.#lock = lock;
    this.#leases = new LeaseTable(options.clock, (id) => this.#expire(id));
    const { files, directory } = options;
    const segmentBytesMax = options.segmentBytesMax ?? segmentBytesMaxDefault;
    this.#log = new WriteAheadLog({ files, directory, segmentBytesMax });
    this.#pipeline = new CommitPipeline(this.#log, options.clock, this.#logger, {
      publish: (revision) => this.#publish(revision),
      rollback: () => this.#mvcc.rollback(),
      published: () => this.#mvcc.visible,
      hasRoom: async () => (await files.freeBytes(directory)) >= roomBytesMin,
      rewrite: (segment) => this.#checkpointer.write(this.#mvcc.visible, segment),
    });
  }

  async open(): Promise<void> {
    const { files, directory } = this.#options;
    const startMs = this.#options.clock.monotonicMs();
    for (const name of (await listStore(files, directory)).unfinished) {
      await files.remove(join(directory, name));
    }
    const recovered = await recoverStore(files, directory, this.#leases, this.#logger);
    const { mvcc, segments, nextSegment, checkpointBytes, recordCount } = recovered;
    this.#mvcc = mvcc;
    if (segments.length > 0) await this.#log.resume(segments);
    else await this.#log.begin(nextSegment, mvcc.tip + 1);
    await this.#noteOpened();
    this.#hub = new WatchHub(mvcc);
    this.#checkpointer = new Checkpointer({
      files,
      directory,
      log: this.#log,
      logger: this.#logger,
      mvcc,
      leases: this.#leases,
      historyBytesMax: this.#options.historyBytesMax ?? historyBytesMaxDefault,
      bytesMin: this.#options.segmentBytesMax ?? segmentBytesMaxDefault,
      lastBytes: checkpointBytes,
    });
    const ms = Math.round(this.#options.clock.monotonicMs() - startMs);
    this.#logger.info("Opened store", { directory, revision: mvcc.tip, recordCount, ms });
  }

  /** Lets go of everything after `open` has failed. */
  async abandon(): Promise<void> {
    this.#leases.close();
    await this.#log.close();
    await this.#lock[Symbol.asyncDispose]();
  }

  get revision(): Revision {
    return this.#mvcc.visible;
  }

  get readOnly(): StoreReadOnlyError | undefined {
    return this.#pipeline.readOnly;
  }

  get diskBytes(): number {
    return this.#log.sizeBytes + this.#checkpointer.lastBytes;
  }

  range(query: RangeQuery): Promise<RangeResult> {
    return this.#answer(() => Promise.resolve(this.#mvcc.range(query)));
  }

  txn(txn: Txn): Promise<TxnResult> {
    return this.#answer(() => this.#txn(txn));
  }

  watch(query: WatchQuery, sink: WatchSink): Watch {
    this.#mustBeOpen();
    return this.#hub.watch(query, sink);
  }

  compact(revision: Revision): Promise<void> {
    return this.#answer(() => {
      const { compacted, visible } = this.#mvcc;
      if (revision <= compacted) throw new CompactedError(compacted);
      if (revision > visible) throw new FutureRevisionError(visible);
      this.#pipeline.checkWritable();
      return this.#pipeline.enqueue((out) => writeRecord(out, { kind: "compact", revision }), {
        complete: () => {
          this.#mvcc.compact(revision);
          this.#trim();
        },
      });
    });
  }

  grantLease(ttlSeconds: number, id = 0n): Promise<bigint> {
    return this.#answer(() => {
      const lease = id === 0n ? this.#leases.freeId(this.#options.random) : id;
      this.#leases.checkGrant(lease, ttlSeconds);
      this.#pipeline.checkWritable();
      const record = { kind: "grant", lease, ttlSeconds } as const;
      return this.#pipeline.enqueue((out) => writeRecord(out, record), {
        // Whatever is put under it and synced comes later in the log, and takes it along.
        lazy: true,
        complete: () => {
          this.#leases.checkGrant(lease, ttlSeconds);
          this.#leases.grant(lease, ttlSeconds);
          return lease;
        },
      });
    });
  }

  keepLeaseAlive(id: bigint): Promise<number> {
    return this.#answer(() => Promise.resolve(this.#leases.renew(id)));
  }

  revokeLease(id: bigint): Promise<void> {
    return this.#answer(() => {
      if (!this.#leases.has(id)) throw new LeaseNotFoundError();
      return this.#revoke(id, false);
    });
  }

  leaseStatus(id: bigint): Promise<LeaseStatus> {
    return this.#answer(() => Promise.resolve(this.#leases.status(id)));
  }

  leases(): Promise<readonly bigint[]> {
    return this.#answer(() => Promise.resolve(this.#leases.ids()));
  }

  snapshot(): StoreSnapshot {
    this.#mustBeOpen();
    return snapshotOf(this.#mvcc, this.#leases, this.#options);
  }

  checkpoint(): Promise<void> {
    return this.#answer(async () => {
      await this.#pipeline.rotate();
      await this.#checkpointer.run(this.#mvcc.visible);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { files, directory } = this.#options;
    this.#leases.close();
    this.#checkpointer.close();
    try {
      await this.#pipeline.close();
      await this.#checkpointer.idle();
      if (this.#pipeline.readOnly === undefined) {
        const { segment, offset } = this.#log.position;
        await writeState(files, join(directory, stateName), `closed ${segment} ${offset}`);
      }
    } catch (error) {
      this.#logger.error("Store could not be closed properly", error);
    } finally {
      await this.#log.close();
      this.#hub.close(new StoreUnavailableError("store closed"));
      await this.#lock[Symbol.asyncDispose]();
    }
  }

  #txn(txn: Txn): Promise<TxnResult> {
    if (txn.success.some(isWrite) || txn.failure?.some(isWrite)) this.#pipeline.checkWritable();
    const before = this.#mvcc.tip;
    const result = this.#mvcc.evaluate(txn);
    const first = this.#mvcc.tip > before ? this.#mvcc.entriesAt(this.#mvcc.tip) : undefined;
    // What it read may not be durable yet: wait with what was read.
    if (first === undefined) return this.#pipeline.settled(result);
    const ops = result.succeeded ? txn.success : (txn.failure ?? []);
    return this.#pipeline.enqueue((out) => writeTxn(out, first), {
      revision: result.revision,
      lazy: ops.every(isLazy),
      complete: () => result,
    });
  }

  #publish(revision: Revision): void {
    this.#mvcc.publish(revision);
    this.#hub.deliver();
    this.#checkpointer.onGrowth();
  }

  #revoke(id: bigint, lazy: boolean): Promise<void> {
    this.#pipeline.checkWritable();
    this.#leases.setEnding(id, true);
    const keys = this.#leases.keys(id);
    const before = this.#mvcc.tip;
    this.#mvcc.evaluate({ compare: [], success: keys.map((key) => ({ op: "delete", key })) });
    const first = this.#mvcc.tip > before ? this.#mvcc.entriesAt(this.#mvcc.tip) : undefined;
    // Both records in one group, hence in one frame: a crash takes both or none.
    return this.#pipeline.enqueue(
      (out) => {
        writeRecord(out, { kind: "revoke", lease: id });
        if (first !== undefined) writeTxn(out, first);
      },
      {
        ...(first === undefined ? {} : { revision: first.kv.modRevision }),
        lazy,
        complete: () => this.#leases.remove(id),
        undo: () => this.#leases.setEnding(id, false),
      },
    );
  }

  /** A lost expiry happens again after the restart: it need not wait for the disk. */
  #expire(id: bigint): void {
    if (this.#pipeline.readOnly !== undefined || !this.#leases.has(id)) return;
    this.#revoke(id, true).catch((error: unknown) => {
      this.#logger.debug("Lease could not be ended, will be tried again", { error: String(error) });
    });
  }

  #trim(): void {
    void (async () => {
      while (this.#mvcc.trim(trimEntriesMax, this.#checkpointer.keptFrom)) await nextTurn();
      this.#checkpointer.onCompaction();
    })();
  }

  /**
   * Checks a store that was closed for being complete. In one that was not, finds out whether
   * acknowledged lazy writes may be lost, and if so leaves them room.
   */
  async #noteOpened(): Promise<void> {
    const { files, directory } = this.#options;
    const path = join(directory, stateName);
    const bootId = (await textOf(files, bootIdPath)) ?? "";
    const state = await textOf(files, path);
    const { segment, offset } = this.#log.position;
    if (state?.startsWith("closed ") && state !== `closed ${segment} ${offset}`) {
      const problem = `the log does not end as it did when the store was ${state}`;
      throw new StoreDamagedError(join(directory, segmentName(segment)), offset, problem);
    }
    await writeState(files, path, `open ${bootId}`);
    const sameBoot = bootId !== "" && state === `open ${bootId}`;
    if (state === undefined || state.startsWith("closed ") || sameBoot) return;
    const revision = this.#mvcc.tip + lazyRevisionsMax;
    this.#mvcc.advance(revision);
    this.#logger.info("Store was not closed and the machine was restarted", { revision });
    try {
      // The new segment's first record tells of the jump.
      await this.#log.rotate(revision + 1);
    } catch (error) {
      this.#pipeline.suspend(error);
    }
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new StoreUnavailableError("store closed");
  }

  #answer<T>(run: () => Promise<T>): Promise<T> {
    try {
      this.#mustBeOpen();
      return run();
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

function isWrite(op: Op): boolean {
  return op.op !== "range";
}

function isLazy(op: Op): boolean {
  return op.op === "range" || (op.op === "put" && op.durability === "lazy");
}

/**
 * In place, so that a full disk can be opened. A write that is interrupted leaves a state that is
 * neither closed nor of this boot, which is the careful one.
 */
async function writeState(files: Files, path: string, state: string): Promise<void> {
  const isNew = (await files.stat(path)) === undefined;
  await using handle = await files.open(path, { write: true, create: true, mode: 0o600 });
  const content = Buffer.from(`${state}\n`);
  await handle.write(0, [content]);
  await handle.truncate(content.length);
  await handle.sync();
  if (isNew) await files.syncDirectory(dirname(path));
}

async function textOf(files: Files, path: string): Promise<string | undefined> {
  try {
    return (await files.readText(path)).trim();
  } catch (error) {
    if (isIoError(error)) return undefined;
    throw error;
  }
}
