/**
 * Group commit: records gather in a group while the group before is on its way to the disk.
 *
 * Invariants: 1. One write and one sync in flight. 2. Groups complete in order; the writes of one
 * become visible, and are then acknowledged, together. 3. A group with only lazy records is
 * acknowledged when the operating system has it, and synced within `lazyFlushMsMax`. 4. When a
 * write fails, its group and the one behind it are rejected and undone, and the pipeline refuses
 * everything until a repair has succeeded; it tries one every `repairEveryMs`.
 */
import type { Clock, Timer } from "#base/clock.ts";
import { isIoError } from "#base/files.ts";
import type { Logger } from "#base/log.ts";
import { StoreReadOnlyError, StoreUnavailableError, type Revision } from "../store.ts";
import { ByteWriter } from "./bytes.ts";
import { frameHeaderBytes } from "./frame.ts";
import type { WriteAheadLog } from "./log.ts";

/** Longest that a lazy record stays unsynced. */
export const lazyFlushMsMax = 500;
/** Most revisions that may be acknowledged and unsynced; the next write syncs. */
export const lazyRevisionsMax = 10_000;
/** Most bytes that wait for the disk; writes beyond fail. */
export const pendingBytesMax = 256 * 1024 * 1024;
/** Pause between two attempts to become writable again. */
export const repairEveryMs = 1000;

/** What the store does at the turns of the pipeline. */
export interface PipelineHooks {
  /** Everything up to `revision` is durable: show it. */
  publish(revision: Revision): void;
  /** Everything above what was published has failed: undo it. */
  rollback(): void;
  /** The newest published revision. */
  published(): Revision;
  /** Whether the disk has room again. */
  hasRoom(): Promise<boolean>;
  /** Writes the whole state to a checkpoint for replay from `segment` on. */
  rewrite(segment: number): Promise<void>;
}

interface Waiter {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  /** What to resolve with, made when the group is durable. May throw: then rejects. */
  readonly complete: () => unknown;
  readonly undo: (() => void) | undefined;
}

class Group {
  readonly out = new ByteWriter(frameHeaderBytes);
  waiters: Waiter[] = [];
  needsSync = false;
  /** Goes to a new segment of the log. */
  rotates = false;
  /** Last revision in it; 0 when it has none. */
  lastRevision: Revision = 0;

  get isEmpty(): boolean {
    return this.waiters.length === 0;
  }

  reset(): void {
    this.out.reset();
    this.waiters = [];
    this.needsSync = false;
    this.rotates = false;
    this.lastRevision = 0;
  }
}

export interface Enqueued<T> {
  /** Revision of the transaction; absent for other records. */
  readonly revision?: Revision;
  readonly lazy?: boolean;
  readonly complete: () => T;
  readonly undo?: () => void;
}

export class CommitPipeline {
  readonly #log: WriteAheadLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #hooks: PipelineHooks;
  #gathering = new Group();
  #spare = new Group();
  #running: Promise<void> | undefined;
  #readOnly: StoreReadOnlyError | undefined;
  #lazyRevisions = 0;
  #lazyTimer: Timer | undefined;
  #syncDue = false;
  #repairTimer: Timer | undefined;
  #closed = false;

  constructor(log: WriteAheadLog, clock: Clock, logger: Logger, hooks: PipelineHooks) {
    this.#log = log;
    this.#clock = clock;
    this.#logger = logger;
    this.#hooks = hooks;
  }

  /** Why writes are refused; undefined when they are not. */
  get readOnly(): StoreReadOnlyError | undefined {
    return this.#readOnly;
  }

  /** Call before changing anything that is to be enqueued. */
  checkWritable(): void {
    if (this.#closed) throw new StoreUnavailableError("store closed");
    if (this.#readOnly !== undefined) throw this.#readOnly;
    if (this.#gathering.out.sizeBytes > pendingBytesMax) {
      throw new StoreUnavailableError("too many writes are waiting for the disk");
    }
  }

  /** Adds records to the group that gathers; resolves when they are durable. */
  enqueue<T>(write: (out: ByteWriter) => void, options: Enqueued<T>): Promise<T> {
    const group = this.#gathering;
    write(group.out);
    if (options.revision !== undefined) group.lastRevision = options.revision;
    if (options.lazy !== true || ++this.#lazyRevisions >= lazyRevisionsMax) group.needsSync = true;
    return this.#wait(group, options.complete, options.undo);
  }

  /** Resolves when everything enqueued so far is durable, and its waiters have been called. */
  settled<T>(value: T): Promise<T> {
    if (this.#gathering.isEmpty && this.#running === undefined) return Promise.resolve(value);
    return this.#wait(this.#gathering, () => value, undefined);
  }

  /** Resolves when the log goes on in a new segment. */
  rotate(): Promise<void> {
    this.checkWritable();
    this.#gathering.rotates = true;
    return this.#wait(this.#gathering, () => undefined, undefined);
  }

  /** Refuses writes until a repair, because of an error of the log outside of the pipeline. */
  suspend(error: unknown): void {
    this.#fail(this.#spare, error);
  }

  /** Lets what is enqueued finish, syncs, and refuses everything from now on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#lazyTimer?.[Symbol.dispose]();
    this.#repairTimer?.[Symbol.dispose]();
    await this.#running;
    if (this.#readOnly === undefined && this.#log.hasUnsynced) await this.#log.sync();
  }

  #wait<T>(group: Group, complete: () => T, undo: (() => void) | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    group.waiters.push({ resolve, reject, complete, undo });
    this.#start();
    return promise;
  }

  #start(): void {
    // A microtask later, so that all writes of this turn share the first group.
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#readOnly === undefined && (!this.#gathering.isEmpty || this.#syncDue)) {
      const group = this.#gathering;
      this.#gathering = this.#spare;
      this.#spare = group;
      try {
        await this.#flush(group);
      } catch (error) {
        this.#fail(group, error);
        break;
      }
      this.#complete(group);
    }
    this.#running = undefined;
  }

  async #flush(group: Group): Promise<void> {
    if (group.rotates) await this.#log.rotate(this.#hooks.published() + 1);
    const sync = group.needsSync || this.#syncDue;
    if (group.out.isEmpty) {
      if (this.#log.hasUnsynced && sync) await this.#log.sync();
    } else {
      await this.#log.append(group.out, this.#hooks.published() + 1, sync);
    }
    if (sync) this.#synced();
    else if (this.#log.hasUnsynced) this.#armLazyTimer();
  }

  #complete(group: Group): void {
    const { waiters, lastRevision } = group;
    group.reset();
    if (lastRevision > 0) this.#hooks.publish(lastRevision);
    for (const waiter of waiters) {
      try {
        waiter.resolve(waiter.complete() as never);
      } catch (error) {
        waiter.reject(error as Error);
      }
    }
  }

  #fail(group: Group, error: unknown): void {
    const reason = isIoError(error) ? error.message : String(error);
    const readOnly = new StoreReadOnlyError(`store is read-only: ${reason}`);
    const unknown = new StoreUnavailableError(`the write may or may not be durable: ${reason}`);
    const inFlight = this.#log.failed === "sync" ? unknown : readOnly;
    const waiters = [...group.waiters, ...this.#gathering.waiters];
    const inFlightCount = group.waiters.length;
    group.reset();
    this.#gathering.reset();
    this.#synced();
    this.#readOnly = readOnly;
    for (const waiter of waiters.toReversed()) waiter.undo?.();
    this.#hooks.rollback();
    this.#logger.error("Store became read-only", error, { stage: this.#log.failed });
    for (const [i, waiter] of waiters.entries()) {
      waiter.reject(i < inFlightCount ? inFlight : readOnly);
    }
    this.#armRepair();
  }

  #synced(): void {
    this.#syncDue = false;
    this.#lazyRevisions = 0;
    this.#lazyTimer?.[Symbol.dispose]();
    this.#lazyTimer = undefined;
  }

  #armLazyTimer(): void {
    if (this.#closed) return;
    this.#lazyTimer ??= this.#clock.after(lazyFlushMsMax, () => {
      this.#lazyTimer = undefined;
      this.#syncDue = true;
      this.#start();
    });
  }

  #armRepair(): void {
    if (this.#closed) return;
    this.#repairTimer = this.#clock.after(repairEveryMs, () => {
      this.#running ??= this.#repair().finally(() => {
        this.#running = undefined;
      });
    });
  }

  async #repair(): Promise<void> {
    try {
      if (!(await this.#hooks.hasRoom())) return this.#armRepair();
      const { published, rewrite } = this.#hooks;
      await this.#log.repair(published() + 1, rewrite);
    } catch (error) {
      this.#logger.debug("Store stays read-only", { error: String(error) });
      return this.#armRepair();
    }
    this.#readOnly = undefined;
    this.#logger.info("Store is writable again");
  }
}
