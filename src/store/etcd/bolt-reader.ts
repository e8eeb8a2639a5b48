/**
 * Reads etcd's database file: see `bolt-file.ts` for its form. Of the versions of each key the
 * newest is taken; what it was before is not.
 */
import { createHash } from "node:crypto";
import { isLive } from "../compare.ts";
import type { KeyValue, Revision } from "../store.ts";
import { StoreDamagedError } from "../wal/damage.ts";
import { kvFromEtcd } from "./convert.ts";
import { KeyValueMessage, LeaseMessage } from "./messages.ts";

const metaMagic = 0xed0cdaed;
const metaAt = 16;
const pageHeaderBytes = 16;
const elementBytes = 16;
const bucketHeaderBytes = 16;
const flagBranch = 0x01;
const flagLeaf = 0x02;
const sha256Bytes = 32;
/** Deletions are keyed with this byte behind the revision. */
const tombstoneKeyBytes = 18;
const depthMax = 32;

export interface EtcdSnapshot {
  readonly revision: Revision;
  /** In key order. */
  readonly entries: readonly KeyValue[];
  readonly leases: readonly { readonly id: bigint; readonly ttlSeconds: number }[];
}

export function isEtcdSnapshot(content: Uint8Array): boolean {
  return content.length > 64 && bufferOf(content).readUInt32LE(metaAt) === metaMagic;
}

/** `path` is named in errors. Errors: `StoreDamagedError`. */
export function readEtcdSnapshot(path: string, content: Uint8Array): EtcdSnapshot {
  const buffer = withoutHash(path, bufferOf(content));
  const file = new BoltReader(path, buffer);
  const newest = new Map<string, KeyValue>();
  let revision = 1;
  for (const [at, value] of file.bucket("key")) {
    const main = Number(at.readBigInt64BE(0));
    revision = Math.max(revision, main);
    // A copy: a view would keep the whole file in memory.
    const kv = kvFromEtcd(KeyValueMessage.decode(Buffer.from(value)));
    const deleted = at.length === tombstoneKeyBytes;
    newest.set(kv.key, deleted ? { ...kv, version: 0, modRevision: main } : kv);
  }
  const entries = [...newest.values()].filter(isLive);
  entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  const leases = [...file.bucket("lease")].map(([, value]) => {
    const { id, ttl } = LeaseMessage.decode(value);
    return { id, ttlSeconds: Number(ttl) };
  });
  return { revision, entries, leases };
}

/** What `etcdctl snapshot save` appends is checked and cut off; a bare database has nothing. */
function withoutHash(path: string, buffer: Buffer): Buffer {
  if (buffer.length % 512 !== sha256Bytes) return buffer;
  const database = buffer.subarray(0, buffer.length - sha256Bytes);
  const expected = buffer.subarray(database.length);
  if (!createHash("sha256").update(database).digest().equals(expected)) {
    throw new StoreDamagedError(path, database.length, "checksum mismatch");
  }
  return database;
}

type Item = readonly [key: Buffer, value: Buffer];

class BoltReader {
  readonly #path: string;
  readonly #buffer: Buffer;
  readonly #pageBytes: number;
  readonly #root: number;

  constructor(path: string, buffer: Buffer) {
    this.#path = path;
    this.#buffer = buffer;
    this.#pageBytes = buffer.readUInt32LE(metaAt + 8);
    const metas = [metaAt, this.#pageBytes + metaAt].filter(
      (at) => at + 64 <= buffer.length && buffer.readUInt32LE(at) === metaMagic,
    );
    const txid = (at: number): bigint => buffer.readBigUInt64LE(at + 48);
    const newest = metas.reduce((best, at) => (txid(at) > txid(best) ? at : best), metaAt);
    this.#root = Number(buffer.readBigUInt64LE(newest + 16));
  }

  /** Items of a bucket in the root, keys ascending; none when there is no such bucket. */
  *bucket(name: string): Generator<Item> {
    for (const [key, value] of this.#items(this.#pageAt(this.#root), 0)) {
      if (key.toString("latin1") !== name) continue;
      const root = Number(value.readBigUInt64LE(0));
      // A small bucket is a page within its own value.
      yield* this.#items(root === 0 ? value.subarray(bucketHeaderBytes) : this.#pageAt(root), 0);
    }
  }

  #pageAt(id: number): Buffer {
    const start = id * this.#pageBytes;
    if (start + pageHeaderBytes > this.#buffer.length) this.#damaged(start, "a page is missing");
    const pages = 1 + this.#buffer.readUInt32LE(start + 12);
    return this.#buffer.subarray(start, start + pages * this.#pageBytes);
  }

  *#items(page: Buffer, depth: number): Generator<Item> {
    const flags = page.readUInt16LE(8);
    const count = page.readUInt16LE(10);
    const offset = page.byteOffset - this.#buffer.byteOffset;
    if (depth > depthMax) this.#damaged(offset, "the tree is too deep");
    for (let i = 0; i < count; i++) {
      const at = pageHeaderBytes + i * elementBytes;
      if (flags === flagLeaf) {
        const keyAt = at + page.readUInt32LE(at + 4);
        const valueAt = keyAt + page.readUInt32LE(at + 8);
        const end = valueAt + page.readUInt32LE(at + 12);
        if (end > page.length) this.#damaged(offset, "an item is outside of its page");
        yield [page.subarray(keyAt, valueAt), page.subarray(valueAt, end)];
      } else if (flags === flagBranch) {
        yield* this.#items(this.#pageAt(Number(page.readBigUInt64LE(at + 8))), depth + 1);
      } else this.#damaged(offset, "not a page of a tree");
    }
  }

  #damaged(offset: number, problem: string): never {
    throw new StoreDamagedError(this.#path, offset, problem);
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
