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
import { firstFrame, scanSegment, type Frame, type SegmentEnd } from "./frame.ts";
import { checkpointName, listStore, segmentName } from "./names.ts";
import { readRecord, type WalRecord } from "./records.ts";
import { copySurvivors } from "./window-use.ts";

/** No segment's first frame is longer. */
const headerBytesMax = 64;

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
  for (const number of needed) {
    const next = await readHeader(files, directory, number + 1);
    const segment = await replaySegment(files, directory, number, next?.previousBytes, replay);
    const { path, endOffset, problem, damaged, fileBytes } = segment;
    if (damaged || (next !== undefined && endOffset !== next.previousBytes)) {
      throw new StoreDamagedError(path, endOffset, problem ?? "the file is too short");
    }
    if (problem !== undefined) {
      const lostBytes = fileBytes - endOffset;
      const fields = { path, offset: endOffset, lostBytes, problem };
      logger.warn("Cut the end of an interrupted write", fields);
    }
    if (endOffset === 0) break;
    const { firstRevision } = replay;
    segments.push({ number, firstRevision, sizeBytes: endOffset });
  }
  if (checkpoint !== undefined && segments.length === 0) {
    throw new StoreDamagedError(join(directory, segmentName(first)), 0, "no frame begins here");
  }
  while (mvcc.trim(Number.POSITIVE_INFINITY));
  const checkpointBytes = checkpoint?.sizeBytes ?? 0;
  copySurvivors(mvcc, segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, checkpointBytes));
  return {
    mvcc,
    segments,
    nextSegment: first + segments.length,
    checkpointBytes,
    recordCount: replay.recordCount,
  };
}

type SegmentHeader = WalRecord & { readonly kind: "segment" };

/** The record that begins a segment; undefined when there is no such segment, or it never began. */
async function readHeader(
  files: Files,
  directory: string,
  number: number,
): Promise<SegmentHeader | undefined> {
  const path = join(directory, segmentName(number));
  if ((await files.stat(path)) === undefined) return undefined;
  await using handle = await files.open(path, {});
  const [frame, buffer] = (await firstFrame(handle, number, headerBytesMax)) ?? [];
  if (frame === undefined || buffer === undefined) return undefined;
  const [record] = recordsOf(path, frame, buffer);
  return record?.kind === "segment" ? record : undefined;
}

async function replaySegment(
  files: Files,
  directory: string,
  number: number,
  limitBytes: number | undefined,
  replay: Replay,
): Promise<SegmentEnd & { readonly path: string; readonly fileBytes: number }> {
  const path = join(directory, segmentName(number));
  await using handle = await files.open(path, {});
  const limit = limitBytes ?? Number.POSITIVE_INFINITY;
  const end = await scanSegment(handle, number, limit, (frame, buffer) => {
    for (const record of recordsOf(path, frame, buffer)) {
      const problem =
        (frame.offset === 0) === (record.kind === "segment")
          ? replay.apply(record)
          : "a segment's first record is missing, or is not the first";
      if (problem !== undefined) throw new StoreDamagedError(path, frame.offset, problem);
    }
  });
  return { ...end, path, fileBytes: await handle.sizeBytes() };
}

class Replay {
  recordCount = 0;
  /** That of the segment read last. */
  firstRevision: Revision = 0;
  readonly #mvcc: Mvcc;
  readonly #leases: LeaseTable;
  /** What a checkpoint has up to here is not replayed. */
  readonly #known: Revision;

  constructor(mvcc: Mvcc, leases: LeaseTable, known: Revision) {
    this.#mvcc = mvcc;
    this.#leases = leases;
    this.#known = known;
  }

  /** Returns what is wrong with the record, if anything is. */
  apply(record: WalRecord): string | undefined {
    const mvcc = this.#mvcc;
    this.recordCount++;
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
      case "grant":
        this.#leases.grant(record.lease, record.ttlSeconds);
        return undefined;
      case "revoke":
        this.#leases.remove(record.lease);
        return undefined;
      case "segment":
        this.firstRevision = record.firstRevision;
        if (record.firstRevision > mvcc.tip + 1) mvcc.advance(record.firstRevision - 1);
        return undefined;
    }
  }
}

function* recordsOf(path: string, frame: Frame, buffer: Buffer): Generator<WalRecord> {
  const reader = new ByteReader(buffer, frame.payloadStart, frame.payloadEnd);
  while (!reader.atEnd) {
    let record: WalRecord | undefined;
    try {
      record = readRecord(reader);
    } catch (error) {
      throw new StoreDamagedError(path, frame.offset, String(error));
    }
    if (record === undefined) return;
    yield record;
  }
}
