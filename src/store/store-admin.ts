/** What the command line does to a durable store that no process has open, and to snapshots. */
import { dirname, join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { isIoError, type Files } from "#base/files.ts";
import { silentLogger, type Logger } from "#base/log.ts";
import { BTree } from "./btree.ts";
import { openDurableStore, type DurableStoreOptions } from "./durable.ts";
import { isEtcdSnapshot, readEtcdSnapshot } from "./etcd/bolt-reader.ts";
import { LeaseTable } from "./lease-table.ts";
import { weighEntry, type Entry } from "./mvcc.ts";
import { isSnapshotWhole, readSnapshotFile, readSnapshotHeader, type SnapshotHeader, writeSnapshot } from "./snapshot-file.ts";
import type { Key, KeyValue, Revision } from "./store.ts";
import { readCheckpoint, writeCheckpoint, type Checkpoint } from "./wal/checkpoint.ts";
import { StoreDamagedError } from "./wal/damage.ts";
import { WriteAheadLog } from "./wal/log.ts";
import { checkpointName, listStore, unfinishedSuffix } from "./wal/names.ts";
import { recoverStore, type RecoveredStore } from "./wal/recover.ts";

export { StoreDamagedError } from "./wal/damage.ts";

/** Added to the revision of a restored store, as etcdutl suggests it: above what clients saw. */
export const revisionBumpDefault = 1_000_000_000;
const pageEntriesMax = 500;
/** So much of a file tells whether it is etcd's. */
const etcdMarkBytes = 128;
/** Tries to read the files of a store that is being written. */
const recoverTriesMax = 5;
/** Restored stores are opened with their own settings; this one segment is empty. */
const segmentBytesMax = 1;

export interface StoreReport {
  readonly revision: Revision;
  /** Reads below it fail. */
  readonly compactRevision: Revision;
  readonly keyCount: number;
  readonly recordCount: number;
  readonly segmentCount: number;
  readonly checkpointBytes: number;
  readonly logBytes: number;
  /** The end of an interrupted write, which opening would cut off: file, offset and what is there. */
  readonly interrupted: string | undefined;
}

/**
 * Reads everything and checks every checksum, changing nothing.
 * Errors: `StoreDamagedError`; `IoError` with EWOULDBLOCK while a process has the store.
 */
export async function verifyStore(
  files: Files,
  directory: string,
  clock: Clock,
): Promise<StoreReport> {
  await using _lock = await files.lock(join(directory, "lock"));
  const leases = new LeaseTable(clock, () => {});
  leases.close();
  const warnings: string[] = [];
  const recovered = await recoverStore(files, directory, leases, warningsTo(warnings));
  const { mvcc, segments, recordCount, checkpointBytes } = recovered;
  return {
    revision: mvcc.visible,
    compactRevision: mvcc.compacted,
    keyCount: mvcc.range({ key: "", end: "\0", countOnly: true }).count,
    recordCount,
    segmentCount: segments.length,
    checkpointBytes,
    logBytes: segments.reduce((sum, segment) => sum + segment.sizeBytes, 0),
    interrupted: warnings[0],
  };
}

/** Drops all history, in the files too. Returns the bytes on disk before and after. */
export async function compactStore(
  options: DurableStoreOptions,
): Promise<{ readonly beforeBytes: number; readonly afterBytes: number }> {
  await using store = await openDurableStore(options);
  const beforeBytes = store.diskBytes;
  const { revision } = store;
  await store.compact(revision).catch(() => undefined);
  await store.checkpoint();
  return { beforeBytes, afterBytes: store.diskBytes };
}

export interface SaveOptions {
  readonly files: Files;
  readonly directory: string;
  readonly clock: Clock;
  readonly snapshotPath: string;
}

/**
 * Saves the state of a store that a process may have open: what is in the files at some moment
 * after the call, so every write acknowledged before it. Returns its revision.
 * Errors: `StoreDamagedError`; that there is no store.
 */
export async function saveSnapshot(options: SaveOptions): Promise<Revision> {
  const { files, directory, snapshotPath } = options;
  if ((await files.stat(directory)) === undefined) throw new Error(`there is no store in ${directory}`);
  const leases = new LeaseTable(options.clock, () => {});
  leases.close();
  const { mvcc, segments } = await recoverLive(files, directory, leases);
  if (segments.length === 0) throw new Error(`there is no store in ${directory}`);
  const revision = mvcc.visible;
  const keyCount = mvcc.range({ key: "", end: "\0", countOnly: true }).count;
  const unfinished = snapshotPath + unfinishedSuffix;
  const takenMs = options.clock.nowMs();
  try {
    await writeSnapshot(files, unfinished, {
      header: { revision, keyCount, takenMs, leases: leases.all() },
      nextPage: (from) => mvcc.page(from, revision, pageEntriesMax),
    });
    await files.rename(unfinished, snapshotPath);
  } catch (error) {
    await files.remove(unfinished).catch(() => undefined);
    throw error;
  }
  await files.syncDirectory(dirname(snapshotPath));
  return revision;
}

/**
 * Recovers from files that may change meanwhile. A frame that is being written looks damaged when
 * others follow it a moment later, and a checkpoint may remove what is to be read next: then
 * another try sees it whole.
 */
async function recoverLive(
  files: Files,
  directory: string,
  leases: LeaseTable,
): Promise<RecoveredStore> {
  for (let tries = 1; ; tries++) {
    try {
      return await recoverStore(files, directory, leases, silentLogger);
    } catch (error) {
      const passing = error instanceof StoreDamagedError || isIoError(error, "ENOENT");
      if (!passing || tries === recoverTriesMax) throw error;
    }
  }
}

export interface SnapshotStatus {
  readonly revision: Revision;
  readonly keyCount: number;
  readonly sizeBytes: number;
}

/** Errors: `StoreDamagedError`. */
export async function snapshotStatus(files: Files, path: string): Promise<SnapshotStatus> {
  const { revision, tree, sizeBytes } = await readSnapshot(files, path);
  return { revision, keyCount: tree.size, sizeBytes };
}

export interface ListedSnapshot {
  readonly name: string;
  readonly sizeBytes: number;
  /** What it says of itself. */
  readonly header: SnapshotHeader;
  /** Whether its hash says that it is as it was written. */
  readonly isWhole: boolean;
}

/** Our snapshots in a directory, oldest first, each read whole to check it. */
export async function listSnapshots(files: Files, directory: string): Promise<ListedSnapshot[]> {
  const listed: ListedSnapshot[] = [];
  for (const name of await files.list(directory)) {
    const path = join(directory, name);
    const stat = await files.stat(path);
    if (stat?.kind !== "file") continue;
    const header = await readSnapshotHeader(files, path);
    if (header === undefined) continue;
    listed.push({ name, header, sizeBytes: stat.sizeBytes, isWhole: await isSnapshotWhole(files, path) });
  }
  return listed.toSorted((a, b) => a.header.takenMs - b.header.takenMs);
}

/** A snapshot of ours, or one that `etcdctl snapshot save` made. */
async function readSnapshot(files: Files, path: string): Promise<Checkpoint> {
  const snapshot = await readSnapshotFile(files, path);
  if (snapshot !== undefined) return snapshot;
  await using handle = await files.open(path, {});
  if (!isEtcdSnapshot(await handle.read(0, etcdMarkBytes))) return readCheckpoint(files, path);
  const content = await files.read(path);
  const { revision, entries, leases } = readEtcdSnapshot(path, content);
  const keys = entries.map((kv) => kv.key);
  const versions = entries.map((kv): Entry => ({ kv, prev: undefined, sibling: undefined }));
  const tree = BTree.fromSorted(weighEntry, keys, versions);
  return { revision, leases, tree, sizeBytes: content.length };
}

export interface RestoreOptions {
  readonly files: Files;
  readonly snapshotPath: string;
  /** Must not hold a store. */
  readonly directory: string;
  readonly revisionBump?: number;
}

/**
 * Makes a store of a snapshot, ours or etcd's. Its revision is that of the snapshot plus the bump, and everything
 * below is compacted: every watcher of the old store is told to begin anew. Returns the revision.
 */
export async function restoreSnapshot(options: RestoreOptions): Promise<Revision> {
  const { files, snapshotPath, directory, revisionBump = revisionBumpDefault } = options;
  const snapshot = await readSnapshot(files, snapshotPath);
  await files.makeDirectory(directory, 0o700);
  const { segments, checkpoints } = await listStore(files, directory);
  if (segments.length + checkpoints.length > 0) {
    throw new StoreDamagedError(directory, 0, "the directory holds a store already");
  }
  const revision = snapshot.revision + revisionBump;
  const path = join(directory, checkpointName(1));
  const header = { revision, leases: snapshot.leases };
  const unfinished = path + unfinishedSuffix;
  await writeCheckpoint(files, unfinished, header, (from) => pageOf(snapshot, from));
  const log = new WriteAheadLog({ files, directory, segmentBytesMax });
  await log.begin(1, revision + 1);
  await log.close();
  await files.rename(unfinished, path);
  await files.syncDirectory(directory);
  return revision;
}

function pageOf({ tree }: Checkpoint, from: Key): KeyValue[] {
  const page: KeyValue[] = [];
  tree.scan(from, undefined, ({ kv }) => page.push(kv) >= pageEntriesMax);
  return page;
}

function warningsTo(warnings: string[]): Logger {
  const logger: Logger = {
    info: () => {},
    debug: () => {},
    error: () => {},
    warn: (message, fields) => void warnings.push(`${message}: ${JSON.stringify(fields)}`),
    named: () => logger,
  };
  return logger;
}
