/**
 * Writes checkpoints beside the running store, and removes what they make needless.
 *
 * When: after a compaction, once the segments that it freed outweigh the last checkpoint, so that
 * the files stay within about twice the state and its history; and without a compaction when
 * history outgrows its bound. Pages are encoded in slices, so that no turn takes long.
 */
import { join } from "node:path";
import type { Files } from "#base/files.ts";
import type { Logger } from "#base/log.ts";
import type { LeaseTable } from "../lease-table.ts";
import type { Mvcc } from "../mvcc.ts";
import { StoreUnavailableError, type Revision } from "../store.ts";
import { type NextPage, writeCheckpoint } from "./checkpoint.ts";
import type { WriteAheadLog } from "./log.ts";
import { checkpointName, removeBefore, unfinishedSuffix } from "./names.ts";

/** Entries encoded in one turn. */
const pageEntriesMax = 200;
/** After a failure (no room), the log grows by this share before the next try. */
const retryGrowth = 0.25;

export interface CheckpointerOptions {
  readonly files: Files;
  readonly directory: string;
  readonly log: WriteAheadLog;
  readonly logger: Logger;
  readonly mvcc: Mvcc;
  readonly leases: LeaseTable;
  readonly historyBytesMax: number;
  /** Freed segments of less than this are not worth a checkpoint. */
  readonly bytesMin: number;
  /** Size of the checkpoint that there is. */
  readonly lastBytes: number;
}

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  readonly #kept = new Set<{ readonly revision: Revision }>();
  #lastBytes: number;
  #notBeforeBytes = 0;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#lastBytes = options.lastBytes;
  }

  get lastBytes(): number {
    return this.#lastBytes;
  }

  /** Revision from which on history must stay readable; undefined for no such need. */
  get keptFrom(): Revision | undefined {
    if (this.#kept.size === 0) return undefined;
    return Math.min(...[...this.#kept].map((kept) => kept.revision));
  }

  onCompaction(): void {
    const { log, mvcc, bytesMin } = this.#options;
    const freed = log.bytesBefore(log.segmentAfter(mvcc.compacted));
    if (freed >= Math.max(bytesMin, this.#lastBytes)) this.#runSoon(mvcc.compacted);
  }

  onGrowth(): void {
    const { log, mvcc, historyBytesMax } = this.#options;
    if (this.#running === undefined && log.sizeBytes > historyBytesMax) {
      this.#runSoon(mvcc.visible);
    }
  }

  /** Makes the state at `revision` the checkpoint. */
  async run(revision: Revision): Promise<void> {
    await this.#running;
    const { log } = this.#options;
    this.#running = this.write(revision, log.segmentAfter(revision)).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  /** Makes the state at `revision` the checkpoint from which replay starts with `segment`. */
  async write(revision: Revision, segment: number): Promise<void> {
    const { files, directory, log, logger } = this.#options;
    const path = join(directory, checkpointName(segment));
    this.#lastBytes = await this.#write(path, revision);
    const removed = await removeBefore(files, directory, segment);
    log.forgetBefore(segment);
    logger.debug("Wrote checkpoint", { path, revision, bytes: this.#lastBytes, removed });
  }

  /** Ends what is running, without a result. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  #runSoon(revision: Revision): void {
    const { log, logger } = this.#options;
    if (this.#running !== undefined || this.#closed || log.sizeBytes < this.#notBeforeBytes) return;
    this.run(revision).then(
      () => {
        this.#notBeforeBytes = 0;
      },
      (error: unknown) => {
        if (this.#closed) return;
        this.#notBeforeBytes = log.sizeBytes * (1 + retryGrowth);
        logger.warn("Checkpoint failed, the log keeps growing", { error: String(error) });
      },
    );
  }

  async #write(path: string, revision: Revision): Promise<number> {
    const { files, mvcc, leases } = this.#options;
    const unfinished = path + unfinishedSuffix;
    const kept = { revision };
    this.#kept.add(kept);
    try {
      const header = { revision, leases: leases.all() };
      const nextPage: NextPage = (from) => {
        if (this.#closed) throw new StoreUnavailableError("store closed");
        return mvcc.page(from, revision, pageEntriesMax);
      };
      const sizeBytes = await writeCheckpoint(files, unfinished, header, nextPage);
      await files.rename(unfinished, path);
      await files.syncDirectory(join(path, ".."));
      return sizeBytes;
    } catch (error) {
      await files.remove(unfinished).catch(() => undefined);
      throw error;
    } finally {
      this.#kept.delete(kept);
    }
  }
}
