/**
 * Checkpoints: the state after one revision in one file, from which replay of the log goes on.
 *
 * The file is a sequence of blocks, each padded to a multiple of `unitBytes` but for the last, so
 * that one read gets one block:
 *
 *     magic | payload bytes | CRC-32 | block number | payload
 *
 * Payloads hold one header, the entries in key order, and one trailer that counts them.
 */
import { crc32 } from "node:zlib";
import type { FileHandle, Files } from "#base/files.ts";
import { BTree } from "../btree.ts";
import { weighEntry, type Entry } from "../mvcc.ts";
import type { Key, KeyValue, Revision } from "../store.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { StoreDamagedError } from "./damage.ts";

const blockHeaderBytes = 16;
const unitBytes = 256 * 1024;
/** "KTC1" */
const magic = 0x3143544b;
/** Most bytes of an entry besides key and value. */
const entryOverheadBytes = 64;
/** A sync each so many bytes, so that none holds up the log's own for long. */
const syncEveryBytes = 16 * 1024 * 1024;

const kindPadding = 0;
const kindHeader = 1;
const kindEntry = 2;
const kindTrailer = 3;
const formatVersion = 1;

export interface CheckpointHeader {
  /** Revision of the state, and the compact revision of a store that is loaded from it. */
  readonly revision: Revision;
  readonly leases: readonly { readonly id: bigint; readonly ttlSeconds: number }[];
}

export interface Checkpoint extends CheckpointHeader {
  readonly tree: BTree<Entry>;
  readonly sizeBytes: number;
}

/** Where blocks go, one after another. */
export type CheckpointSink = Pick<FileHandle, "write" | "sync">;
/** Where they come from. */
export type CheckpointSource = Pick<FileHandle, "read" | "sizeBytes">;
/** Entries in key order, from a key on; an empty page ends. */
export type NextPage = (from: Key) => readonly KeyValue[];

/** Writes `path`, synced, but neither renamed nor known to its directory. Returns the size. */
export async function writeCheckpoint(
  files: Files,
  path: string,
  header: CheckpointHeader,
  nextPage: NextPage,
): Promise<number> {
  await using handle = await files.open(path, { write: true, create: true, mode: 0o600 });
  await handle.truncate(0);
  // Awaited, for the handle is closed on return.
  return await writeBlocks(handle, header, nextPage);
}

/** Writes header, entries and trailer; the last call is a sync. Returns the bytes written. */
export async function writeBlocks(
  sink: CheckpointSink,
  header: CheckpointHeader,
  nextPage: NextPage,
): Promise<number> {
  const blocks = new BlockWriter(sink);
  writeHeader(blocks.out, header);
  let count = 0;
  let from: Key = "";
  for (let page = nextPage(from); page.length > 0; page = nextPage(from)) {
    for (const kv of page) {
      const entryBytes = kv.key.length + kv.value.length + entryOverheadBytes;
      if (!blocks.hasRoomFor(entryBytes)) await blocks.flush(false);
      writeEntry(blocks.out, kv);
    }
    count += page.length;
    from = `${page[page.length - 1]?.key}\0`;
  }
  blocks.out.u8(kindTrailer);
  blocks.out.varint(count);
  await blocks.flush(true);
  return blocks.sizeBytes;
}

/** Errors: `StoreDamagedError`. */
export async function readCheckpoint(files: Files, path: string): Promise<Checkpoint> {
  await using handle = await files.open(path, {});
  return await readBlocks(handle, path);
}

/** What `writeBlocks` wrote. `path` is for errors: `StoreDamagedError`. */
export async function readBlocks(source: CheckpointSource, path: string): Promise<Checkpoint> {
  const content = new CheckpointContent();
  let sizeBytes = 0;
  for await (const { payload, offset, endOffset } of blocksOf(source, path)) {
    sizeBytes = endOffset;
    try {
      content.read(new ByteReader(payload, 0, payload.length));
    } catch (error) {
      throw new StoreDamagedError(path, offset, String(error));
    }
  }
  const { header, count, keys, entries } = content;
  if (header === undefined || count !== entries.length) {
    throw new StoreDamagedError(path, sizeBytes, "the file ends too early");
  }
  return { ...header, tree: BTree.fromSorted(weighEntry, keys, entries), sizeBytes };
}

class CheckpointContent {
  readonly keys: Key[] = [];
  readonly entries: Entry[] = [];
  header: CheckpointHeader | undefined;
  count: number | undefined;

  /** Throws `RangeError` when the payload is none of ours. */
  read(reader: ByteReader): void {
    while (!reader.atEnd) {
      const kind = reader.u8();
      if (kind === kindPadding) return;
      if (kind === kindEntry) readEntry(reader, this.keys, this.entries);
      else if (kind === kindHeader) this.header = readHeader(reader);
      else if (kind === kindTrailer) this.count = reader.varint();
      else throw new RangeError(`unknown record kind ${kind}`);
    }
  }
}

class BlockWriter {
  readonly out = new ByteWriter(blockHeaderBytes);
  sizeBytes = 0;
  readonly #sink: CheckpointSink;
  #blocks = 0;
  #syncedBytes = 0;

  constructor(sink: CheckpointSink) {
    this.#sink = sink;
  }

  hasRoomFor(entryBytes: number): boolean {
    return this.out.isEmpty || this.out.sizeBytes + entryBytes <= unitBytes;
  }

  async flush(last: boolean): Promise<void> {
    const first = this.out.chunks()[0] as Buffer;
    first.writeUInt32LE(magic, 0);
    first.writeUInt32LE(this.out.sizeBytes - blockHeaderBytes, 4);
    first.writeUInt32LE(this.#blocks++, 12);
    first.writeUInt32LE(blockCrc(this.out.chunks()), 8);
    if (!last) this.out.pad(unitBytes);
    const offset = this.sizeBytes;
    this.sizeBytes += this.out.sizeBytes;
    await this.#sink.write(offset, this.out.chunks());
    if (last || this.sizeBytes - this.#syncedBytes >= syncEveryBytes) {
      this.#syncedBytes = this.sizeBytes;
      await this.#sink.sync();
    }
    this.out.reset();
  }
}

/** Over everything but the magic and the checksum itself. */
function blockCrc([first, ...rest]: readonly Uint8Array[]): number {
  const start = crc32(first?.subarray(4, 8) ?? "");
  return rest.reduce((crc, chunk) => crc32(chunk, crc), crc32(first?.subarray(12) ?? "", start));
}

interface Block {
  readonly payload: Buffer;
  readonly offset: number;
  readonly endOffset: number;
}

async function* blocksOf(source: CheckpointSource, path: string): AsyncGenerator<Block> {
  const fileBytes = await source.sizeBytes();
  let ahead = source.read(0, unitBytes);
  for (let offset = 0, number = 0; offset < fileBytes; number++) {
    let block = bufferOf(await ahead);
    const damaged = (problem: string): never => {
      throw new StoreDamagedError(path, offset, problem);
    };
    if (block.length < blockHeaderBytes || block.readUInt32LE(0) !== magic) {
      damaged("no block begins here");
    }
    const payloadEnd = blockHeaderBytes + block.readUInt32LE(4);
    const endOffset = Math.min(fileBytes, offset + Math.ceil(payloadEnd / unitBytes) * unitBytes);
    if (payloadEnd > block.length) block = bufferOf(await source.read(offset, endOffset - offset));
    if (payloadEnd > block.length) damaged("cut off in a block");
    if (block.readUInt32LE(8) !== blockCrc([block.subarray(0, payloadEnd)])) {
      damaged("checksum mismatch");
    }
    if (block.readUInt32LE(12) !== number) damaged(`block ${number} is missing`);
    ahead = source.read(endOffset, unitBytes);
    // The reader of the blocks may stop here, and the file is closed under the read.
    ahead.catch(() => undefined);
    yield { payload: block.subarray(blockHeaderBytes, payloadEnd), offset, endOffset };
    offset = endOffset;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function writeHeader(out: ByteWriter, { revision, leases }: CheckpointHeader): void {
  out.u8(kindHeader);
  out.u8(formatVersion);
  out.varint(revision);
  out.varint(leases.length);
  for (const { id, ttlSeconds } of leases) {
    out.u64(id);
    out.varint(ttlSeconds);
  }
}

function readHeader(reader: ByteReader): CheckpointHeader {
  const version = reader.u8();
  if (version !== formatVersion) throw new RangeError(`unknown format version ${version}`);
  const revision = reader.varint();
  const leases: { id: bigint; ttlSeconds: number }[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    leases.push({ id: reader.u64(), ttlSeconds: reader.varint() });
  }
  return { revision, leases };
}

function writeEntry(out: ByteWriter, kv: KeyValue): void {
  out.u8(kindEntry);
  out.key(kv.key);
  out.varint(kv.createRevision);
  out.varint(kv.modRevision);
  out.varint(kv.version);
  out.u8(kv.lease === 0n ? 0 : 1);
  if (kv.lease !== 0n) out.u64(kv.lease);
  out.bytes(kv.value);
}

function readEntry(reader: ByteReader, keys: Key[], entries: Entry[]): void {
  const key = reader.key();
  const createRevision = reader.varint();
  const modRevision = reader.varint();
  const version = reader.varint();
  const lease = reader.u8() === 0 ? 0n : reader.u64();
  const value = reader.bytes();
  // In the order of fields that all other versions have, for one hidden class.
  const kv: KeyValue = { key, value, createRevision, modRevision, version, lease };
  keys.push(key);
  entries.push({ kv, prev: undefined, sibling: undefined });
}
