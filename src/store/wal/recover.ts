/** Reads a store's directory back into memory. */
import { join } from "node:path";
import type { Files } from "#base/files.ts";
import type { Logger } from "#base/log.ts";
import type { LeaseTable } from "../lease-table.ts";
import { Mvcc } from "../mvcc.ts";
import type { Revision } from "../store.ts";
import { ByteReader } from "./bytes.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { StoreDamagedError } from "./damage.ts";
import { scanSegment, type Frame, type ScannedSegment } from "./frame.ts";
import { checkpointName, listStore, segmentName } from "./names.ts";
import { readRecord, type WalRecord } from "./records.ts";

export interface RecoveredSegment {
  readonly number: number;
  readonly firstRevision: Revision;
  readonly sizeBytes: number;
}

export interface RecoveredStore {
  readonly mvcc: Mvcc;
  /** Those that are needed, ascending; empty for a new store. */
  readonly segments: readonly RecoveredSegment[];
  /** Number for the first segment when there is none. */
  readonly nextSegment: number;
  readonly checkpointBytes: number;
  readonly recordCount: number;
}

interface ReadSegment extends ScannedSegment {
  readonly number: number;
  readonly path: string;
  readonly content: Buffer;
  /** The first record; undefined when the segment was never begun. */
  readonly header: (WalRecord & { kind: "segment" }) | undefined;
}

/**
 * Changes no file. The end of an interrupted write is left out, with a line in the log.
 * Errors: `StoreDamagedError`.
 */
export async function recoverStore(
  files: Files,
  directory: string,
  leases: LeaseTable,
  logger: Logger,
): Promise<RecoveredStore> {
  const { segments: numbers, checkpoints } = await listStore(files, directory);
  const first = checkpoints.at(-1) ?? 1;
  const checkpointPath = join(directory, checkpointName(first));
  const checkpoint =
    checkpoints.length === 0 ? undefined : await readCheckpoint(files, checkpointPath);
  for (const { id, ttlSeconds } of checkpoint?.leases ?? []) leases.grant(id, ttlSeconds);
  const seed = checkpoint && { ...checkpoint, compacted: checkpoint.revision };
  const mvcc = new Mvcc(leases, seed);
  checkpoint?.tree.scan("", undefined, ({ kv }) => {
    if (kv.lease !== 0n) leases.attach(kv.lease, kv.key);
  });
  const needed = numbers.filter((number) => number >= first);
  const missing = needed.findIndex((number, i) => number !== first + i);
  if (missing >= 0 || (needed.length === 0 && checkpoint !== undefined)) {
    const path = join(directory, segmentName(first + Math.max(0, missing)));
    throw new StoreDamagedError(path, 0, "the file is missing");
  }
  const replay = new Replay(mvcc, leases, checkpoint?.revision ?? 0);
  const segments: RecoveredSegment[] = [];
  for await (const [segment, next] of pairs(needed, (n) => readSegment(files, directory, n))) {
    const endOffset = endOf(segment, next, logger);
    if (endOffset === 0) break;
    replay.segment(segment, endOffset);
    const firstRevision = segment.header?.firstRevision ?? 0;
    segments.push({ number: segment.number, firstRevision, sizeBytes: endOffset });
  }
  if (checkpoint !== undefined && segments.length === 0) {
    throw new StoreDamagedError(join(directory, segmentName(first)), 0, "no frame begins here");
  }
  while (mvcc.trim(Number.POSITIVE_INFINITY));
  return {
    mvcc,
    segments,
    nextSegment: first + segments.length,
    checkpointBytes: checkpoint?.sizeBytes ?? 0,
    recordCount: replay.recordCount,
  };
}

/** Where the segment's history ends; 0 when it never began. Throws when it has been damaged. */
function endOf(segment: ReadSegment, next: ReadSegment | undefined, logger: Logger): number {
  const { path, endOffset, problem, damaged, frames } = segment;
  if (next?.header !== undefined) {
    const { previousBytes } = next.header;
    const whole = frames.some((frame) => frame.endOffset === previousBytes);
    if (!whole) throw new StoreDamagedError(path, endOffset, problem ?? "the file is too short");
    return previousBytes;
  }
  if (problem === undefined) return endOffset;
  if (damaged) throw new StoreDamagedError(path, endOffset, problem);
  const lostBytes = segment.content.length - endOffset;
  logger.warn("Cut the end of an interrupted write", {
    path,
    offset: endOffset,
    lostBytes,
    problem,
  });
  return endOffset;
}

async function readSegment(files: Files, directory: string, number: number): Promise<ReadSegment> {
  const path = join(directory, segmentName(number));
  const bytes = await files.read(path);
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const scanned = scanSegment(content, number);
  const [frame] = scanned.frames;
  const records = frame === undefined ? [] : [...recordsOf({ path, content }, frame)];
  const header = records[0]?.kind === "segment" ? records[0] : undefined;
  if (frame !== undefined && header === undefined) {
    throw new StoreDamagedError(path, 0, "the segment's first record is missing");
  }
  return { ...scanned, number, path, content, header };
}

class Replay {
  recordCount = 0;
  readonly #mvcc: Mvcc;
  readonly #leases: LeaseTable;
  /** What a checkpoint has up to here is not replayed. */
  readonly #known: Revision;

  constructor(mvcc: Mvcc, leases: LeaseTable, known: Revision) {
    this.#mvcc = mvcc;
    this.#leases = leases;
    this.#known = known;
  }

  segment(segment: ReadSegment, endOffset: number): void {
    for (const frame of segment.frames) {
      if (frame.endOffset > endOffset) return;
      for (const record of recordsOf(segment, frame)) {
        this.recordCount++;
        const problem = this.#apply(record);
        if (problem !== undefined) throw new StoreDamagedError(segment.path, frame.offset, problem);
      }
    }
  }

  #apply(record: WalRecord): string | undefined {
    const mvcc = this.#mvcc;
    switch (record.kind) {
      case "txn":
        if (record.revision <= this.#known) return undefined;
        if (record.revision !== mvcc.tip + 1) {
          return `revision ${record.revision} follows ${mvcc.tip}`;
        }
        mvcc.replay(record.ops);
        return undefined;
      case "compact":
        if (record.revision > mvcc.compacted && record.revision <= mvcc.tip) {
          mvcc.compact(record.revision);
        }
        return undefined;
      case "advance":
        if (record.revision > mvcc.tip) mvcc.advance(record.revision);
        return undefined;
      case "grant":
        this.#leases.grant(record.lease, record.ttlSeconds);
        return undefined;
      case "revoke":
        this.#leases.remove(record.lease);
        return undefined;
      case "segment":
        return undefined;
    }
  }
}

function* recordsOf(from: { path: string; content: Buffer }, frame: Frame): Generator<WalRecord> {
  const reader = new ByteReader(from.content, frame.payloadStart, frame.payloadEnd);
  while (!reader.atEnd) {
    let record: WalRecord | undefined;
    try {
      record = readRecord(reader);
    } catch (error) {
      throw new StoreDamagedError(from.path, frame.offset, String(error));
    }
    if (record === undefined) return;
    yield record;
  }
}

/** Each result with the one after it, reading one ahead. */
async function* pairs<T, R>(
  items: readonly T[],
  read: (item: T) => Promise<R>,
): AsyncGenerator<[R, R | undefined]> {
  let ahead = items[0] === undefined ? undefined : await read(items[0]);
  for (const item of [...items.slice(1), undefined]) {
    const current = ahead;
    ahead = item === undefined ? undefined : await read(item);
    if (current !== undefined) yield [current, ahead];
  }
}
