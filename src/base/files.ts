/** Files as a port: `os/files.ts` is the disk, `virtual/files.ts` an in-memory tree with faults. */

/** What the world refused: the only error type that the ports throw. */
export class IoError extends Error {
  override readonly name = "IoError";
  readonly op: string;
  /** errno name: ENOENT, ENOSPC, ECONNREFUSED... */
  readonly code: string;

  constructor(op: string, code: string, options: { cause?: unknown; detail?: string } = {}) {
    super(options.detail ?? `${op}: ${code}`, { cause: options.cause });
    this.op = op;
    this.code = code;
  }
}

export function isIoError(error: unknown, code?: string): error is IoError {
  return error instanceof IoError && (code === undefined || error.code === code);
}

export interface FileStat {
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly sizeBytes: number;
  /** Permission bits only. */
  readonly mode: number;
  readonly modifiedMs: number;
}

/** An open file for positioned reads and writes. */
export interface FileHandle extends AsyncDisposable {
  /**
   * Returns fewer bytes only at the end of the file. They are in `into` when given, which must
   * have room for them and saves a fresh buffer.
   */
  read(offset: number, lengthBytes: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Writes all of `chunks`, one after another, from `offset` on. */
  write(offset: number, chunks: readonly Uint8Array[]): Promise<void>;
  /** Data and size on stable storage (fdatasync). An error means the data may be lost. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
}

export interface Files {
  /** `create` makes the file when absent; `exclusive` fails when present. */
  open(
    path: string,
    options: { write?: boolean; create?: boolean; exclusive?: boolean; mode?: number },
  ): Promise<FileHandle>;
  read(path: string): Promise<Uint8Array>;
  readText(path: string): Promise<string>;
  /** Writes beside, syncs, renames, syncs the directory: readers see the old or the new, whole. */
  writeAtomic(path: string, content: Uint8Array | string, mode?: number): Promise<void>;
  /** Writes in place without syncing: for files that can be made again. */
  write(path: string, content: Uint8Array | string, mode?: number): Promise<void>;
  append(path: string, content: Uint8Array | string): Promise<void>;
  /** Makes parents too; no error when it exists. */
  makeDirectory(path: string, mode?: number): Promise<void>;
  /** Names, sorted. */
  list(path: string): Promise<readonly string[]>;
  /** Undefined when absent. Does not follow a symlink at the end. */
  stat(path: string): Promise<FileStat | undefined>;
  rename(from: string, to: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string>;
  /** Removes a file or a whole tree; no error when absent. Never follows symlinks. */
  remove(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
  /** Makes renames and creations in the directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Exclusive lock held until disposed; rejects with code EWOULDBLOCK when another holds it. */
  lock(path: string): Promise<AsyncDisposable>;
  /** Calls `changed` (coalesced) when something in the directory changes. */
  watch(path: string, changed: () => void): Disposable;
  freeBytes(path: string): Promise<number>;
}

/** The text of a file; undefined when there is none. */
export async function readTextIfPresent(files: Files, path: string): Promise<string | undefined> {
  try {
    return await files.readText(path);
  } catch (error) {
    if (isIoError(error, "ENOENT")) return undefined;
    throw error;
  }
}
