/**
 * The write-ahead log: segments of frames, the last of which is appended to.
 *
 * Invariants: 1. One call of `append`, `rotate` or `repair` at a time. 2. A segment is synced whole
 * before the next one exists. 3. The next one's first record says where it ended, so what a failed
 * write left behind its end counts for nothing. 4. After a failure nothing is appended until
 * `repair` has begun a new segment.
 */
import { join } from "node:path";
import type { FileHandle, Files } from "#base/files.ts";
import type { Revision } from "../store.ts";
import { ByteWriter } from "./bytes.ts";
import { frameHeaderBytes, sealFrame } from "./frame.ts";
import { segmentName } from "./names.ts";
import { writeRecord } from "./records.ts";

export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}

export interface LogOptions {
  readonly files: Files;
  readonly directory: string;
  /** A segment that reaches this size is the last but one. */
  readonly segmentBytesMax: number;
}

interface Segment {
  readonly number: number;
  readonly firstRevision: Revision;
  sizeBytes: number;
}

export class WriteAheadLog {
  readonly #options: LogOptions;
  readonly #segments: Segment[] = [];
  #handle: FileHandle | undefined;
  #syncedOffset = 0;
  #failed: "write" | "sync" | undefined;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** How the last append failed. After a failed sync, earlier unsynced frames may be lost too. */
  get failed(): "write" | "sync" | undefined {
    return this.#failed;
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  get position(): LogPosition {
    const { number, sizeBytes } = this.#last;
    return { segment: number, offset: sizeBytes };
  }

  /** Whether bytes were appended that no sync has covered yet. */
  get hasUnsynced(): boolean {
    return this.#syncedOffset < this.#last.sizeBytes;
  }

  /** Takes over segments that were read, ascending; the last one is cut at its size and synced. */
  async resume(segments: readonly Readonly<Segment>[]): Promise<void> {
    this.#segments.push(...segments.map((segment) => ({ ...segment })));
    const { number, sizeBytes } = this.#last;
    const path = join(this.#options.directory, segmentName(number));
    this.#handle = await this.#options.files.open(path, { write: true });
    await this.#handle.truncate(sizeBytes);
    await this.#handle.sync();
    this.#syncedOffset = sizeBytes;
  }

  /** Begins segment `number`; `firstRevision` is the first that it can have. */
  async begin(number: number, firstRevision: Revision): Promise<void> {
    const { files, directory } = this.#options;
    const previousBytes = this.#segments.at(-1)?.sizeBytes ?? 0;
    const out = new ByteWriter(frameHeaderBytes);
    writeRecord(out, { kind: "segment", firstRevision, previousBytes });
    const chunks = sealFrame(out, { segment: number, offset: 0, syncedOffset: 0 });
    const path = join(directory, segmentName(number));
    const handle = await files.open(path, { write: true, create: true, mode: 0o600 });
    try {
      await handle.truncate(0);
      await handle.write(0, chunks);
      await handle.sync();
      await files.syncDirectory(directory);
    } catch (error) {
      await handle[Symbol.asyncDispose]();
      throw error;
    }
    await this.#handle?.[Symbol.asyncDispose]();
    this.#handle = handle;
    this.#syncedOffset = out.sizeBytes;
    this.#segments.push({ number, firstRevision, sizeBytes: out.sizeBytes });
  }

  /**
   * Writes the records of `out` as one frame, and syncs it when asked. `firstRevision`: the lowest
   * that they can have. When it rejects, the frame has never been, unless the process ends now.
   */
  async append(out: ByteWriter, firstRevision: Revision, sync: boolean): Promise<void> {
    let stage: "write" | "sync" = "write";
    try {
      if (this.#last.sizeBytes >= this.#options.segmentBytesMax) await this.rotate(firstRevision);
      const segment = this.#last;
      const offset = segment.sizeBytes;
      const at = { segment: segment.number, offset, syncedOffset: this.#syncedOffset };
      const chunks = sealFrame(out, at);
      await this.#handle?.write(offset, chunks);
      const endOffset = offset + out.sizeBytes;
      stage = "sync";
      if (sync) {
        await this.#handle?.sync();
        this.#syncedOffset = endOffset;
      }
      segment.sizeBytes = endOffset;
    } catch (error) {
      this.#failed ??= stage;
      throw error;
    }
  }

  /** Goes on in a new segment. */
  async rotate(firstRevision: Revision): Promise<void> {
    await this.sync();
    try {
      await this.begin(this.#last.number + 1, firstRevision);
    } catch (error) {
      this.#failed = "write";
      throw error;
    }
  }

  /** Syncs what was appended without. */
  async sync(): Promise<void> {
    try {
      await this.#sync();
    } catch (error) {
      this.#failed = "sync";
      throw error;
    }
  }

  /**
   * After a failure: frees what the failed write left, and begins a new segment behind the last
   * good frame. After a failed sync, `rewrite` must make all state durable otherwise.
   */
  async repair(
    firstRevision: Revision,
    rewrite: (segment: number) => Promise<void>,
  ): Promise<void> {
    await this.#handle?.truncate(this.#last.sizeBytes);
    if (this.#failed === "write") await this.sync();
    const number = this.#last.number + 1;
    await this.begin(number, firstRevision);
    if (this.#failed === "sync") await rewrite(number);
    this.#failed = undefined;
  }

  /** First segment that a state at `revision` needs for replay. */
  segmentAfter(revision: Revision): number {
    const needed = this.#segments.findLast((segment) => segment.firstRevision <= revision + 1);
    return (needed ?? this.#last).number;
  }

  /** Forgets segments below `number`, which are to be removed. */
  forgetBefore(number: number): void {
    while (this.#segments.length > 1 && (this.#segments[0] as Segment).number < number) {
      this.#segments.shift();
    }
  }

  /** Bytes of segments below `number`. */
  bytesBefore(number: number): number {
    const before = this.#segments.filter((segment) => segment.number < number);
    return before.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  async close(): Promise<void> {
    await this.#handle?.[Symbol.asyncDispose]();
    this.#handle = undefined;
  }

  get #last(): Segment {
    return this.#segments[this.#segments.length - 1] as Segment;
  }

  async #sync(): Promise<void> {
    const { sizeBytes } = this.#last;
    await this.#handle?.sync();
    this.#syncedOffset = sizeBytes;
  }
}
