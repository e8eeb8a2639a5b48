/**
 * Snapshots: the blocks of a checkpoint, compressed, in one file that tells about itself.
 *
 *     frame with a header (JSON) | frame with a length, zstd frame | ... | frame with the SHA-256 of all before
 *
 * The frames of our own are of the kind that zstd skips, so `zstd -dc FILE` gives the checkpoint.
 */
import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { FileHandle, Files } from "#base/files.ts";
import type { Revision } from "./store.ts";
import { type Checkpoint, type CheckpointHeader, type CheckpointSource, type NextPage, readBlocks, writeBlocks } from "./wal/checkpoint.ts";
import { StoreDamagedError } from "./wal/damage.ts";

/** zstd's mark of a frame to skip, and its size with the length behind. */
const skippedMark = 0x184d2a50;
const frameHeaderBytes = 8;
const lengthBytes = 4;
const hashBytes = 32;
/** So much is compressed in one turn, a millisecond or so; a value that is larger makes a larger piece. */
const pieceBytes = 256 * 1024;
const headerBytesMax = 4096;
const format = "kubets-snapshot-1";

export interface SnapshotHeader {
  readonly revision: Revision;
  readonly keyCount: number;
  /** Wall clock when it was taken. */
  readonly takenMs: number;
}

export interface SnapshotSpec {
  readonly header: CheckpointHeader & SnapshotHeader;
  readonly nextPage: NextPage;
}

/** Writes `path`, synced, but neither renamed nor known to its directory. Returns the size. */
export async function writeSnapshot(files: Files, path: string, { header, nextPage }: SnapshotSpec): Promise<number> {
  await using handle = await files.open(path, { write: true, create: true, mode: 0o600 });
  await handle.truncate(0);
  const out = new HashedWriter(handle);
  const { revision, keyCount, takenMs } = header;
  await out.skipped(Buffer.from(JSON.stringify({ format, revision, keyCount, takenMs })));
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  const flush = async (): Promise<void> => {
    if (waitingBytes === 0) return;
    const piece = zstdCompressSync(Buffer.concat(waiting));
    waiting = [];
    waitingBytes = 0;
    const length = Buffer.alloc(lengthBytes);
    length.writeUInt32LE(piece.length);
    await out.skipped(length);
    await out.write(piece);
  };
  const sink = {
    async write(_offset: number, chunks: readonly Uint8Array[]) {
      // Copies: the writer uses its buffers again.
      for (const chunk of chunks) waiting.push(Buffer.from(chunk));
      waitingBytes += chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      if (waitingBytes >= pieceBytes) await flush();
    },
    sync: flush,
  };
  await writeBlocks(sink, header, nextPage);
  await out.skipped(out.digest());
  await handle.sync();
  return out.sizeBytes;
}

class HashedWriter {
  sizeBytes = 0;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(...chunks: Uint8Array[]): Promise<void> {
    for (const chunk of chunks) this.#hash.update(chunk);
    await this.#handle.write(this.sizeBytes, chunks);
    this.sizeBytes += chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  async skipped(content: Uint8Array): Promise<void> {
    const header = Buffer.alloc(frameHeaderBytes);
    header.writeUInt32LE(skippedMark, 0);
    header.writeUInt32LE(content.length, 4);
    await this.write(header, content);
  }

  /** Of all that was written so far. */
  digest(): Buffer {
    return this.#hash.copy().digest();
  }
}

/** Content of the frame at an offset, if one of ours is there. */
async function skippedAt(handle: FileHandle, offset: number): Promise<{ content: Buffer; endOffset: number } | undefined> {
  const header = Buffer.from(await handle.read(offset, frameHeaderBytes));
  if (header.length < frameHeaderBytes || header.readUInt32LE(0) !== skippedMark) return undefined;
  const length = header.readUInt32LE(4);
  if (length > headerBytesMax) return undefined;
  const content = Buffer.from(await handle.read(offset + frameHeaderBytes, length));
  return content.length < length ? undefined : { content, endOffset: offset + frameHeaderBytes + length };
}

/** What a snapshot says of itself, unchecked; undefined for other files. */
export async function readSnapshotHeader(files: Files, path: string): Promise<SnapshotHeader | undefined> {
  await using handle = await files.open(path, {});
  return (await headerOf(handle))?.header;
}

async function headerOf(handle: FileHandle): Promise<{ header: SnapshotHeader; endOffset: number } | undefined> {
  const frame = await skippedAt(handle, 0);
  if (frame === undefined) return undefined;
  try {
    const header = JSON.parse(frame.content.toString()) as SnapshotHeader & { format?: string };
    return header.format === format ? { header, endOffset: frame.endOffset } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the file is as it was written: its hash says so. */
export async function isSnapshotWhole(files: Files, path: string): Promise<boolean> {
  await using handle = await files.open(path, {});
  const contentBytes = (await handle.sizeBytes()) - frameHeaderBytes - hashBytes;
  const trailer = contentBytes > 0 ? await skippedAt(handle, contentBytes) : undefined;
  if (trailer === undefined) return false;
  const hash = createHash("sha256");
  for (let offset = 0; offset < contentBytes; offset += pieceBytes) {
    hash.update(await handle.read(offset, Math.min(pieceBytes, contentBytes - offset)));
  }
  return hash.digest().equals(trailer.content);
}

/** The state in a snapshot, and the size of the file; undefined for other files. Errors: `StoreDamagedError`. */
export async function readSnapshotFile(files: Files, path: string): Promise<Checkpoint | undefined> {
  await using handle = await files.open(path, {});
  const header = await headerOf(handle);
  if (header === undefined) return undefined;
  if (!(await isSnapshotWhole(files, path))) throw new StoreDamagedError(path, 0, "hash mismatch");
  const sizeBytes = await handle.sizeBytes();
  const endOffset = sizeBytes - frameHeaderBytes - hashBytes;
  const pieces: Buffer[] = [];
  for (let offset = header.endOffset; offset < endOffset; ) {
    const frame = await skippedAt(handle, offset);
    if (frame === undefined) throw new StoreDamagedError(path, offset, "no piece begins here");
    const length = frame.content.readUInt32LE(0);
    pieces.push(zstdDecompressSync(await handle.read(frame.endOffset, length)));
    offset = frame.endOffset + length;
  }
  return { ...(await readBlocks(new PieceSource(pieces), path)), sizeBytes };
}

/** Pieces one after another, as one file. */
class PieceSource implements CheckpointSource {
  readonly #pieces: readonly Buffer[];

  constructor(pieces: readonly Buffer[]) {
    this.#pieces = pieces;
  }

  async sizeBytes(): Promise<number> {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    let start = 0;
    for (const piece of this.#pieces) {
      const from = Math.max(0, offset - start);
      const to = Math.min(piece.length, offset + length - start);
      if (from < to) parts.push(piece.subarray(from, to));
      start += piece.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }
}
