/** The state of a store as etcd's snapshot: its database file, then the SHA-256 of that. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Key, KeyValue, Revision, Store } from "../store.ts";
import { boltFile, listBucket, type BoltBucket, type BoltItem } from "./bolt-file.ts";
import { KeyValueMessage, LeaseMessage } from "./messages.ts";

const pageEntriesMax = 1000;
const chunkBytes = 256 * 1024;
/** Main revision, underscore, sub revision. Source: etcd's mvcc `revToBytes`. */
const revisionBytes = 17;

export interface SnapshotChunk {
  readonly blob: Uint8Array;
  readonly remainingBytes: number;
}

export async function* snapshotChunks(store: Store): AsyncGenerator<SnapshotChunk> {
  const { revision } = await store.range({ key: "\0", countOnly: true });
  const entries: KeyValue[] = [];
  for await (const page of pagesAt(store, revision)) entries.push(...page);
  const { sizeBytes, pieces } = boltFile(await bucketsOf(store, revision, entries));
  const sha = createHash("sha256");
  let remainingBytes = sizeBytes + sha256Bytes;
  for (const blob of gathered(pieces)) {
    sha.update(blob);
    remainingBytes -= blob.length;
    yield { blob, remainingBytes };
  }
  yield { blob: sha.digest(), remainingBytes: 0 };
}

const sha256Bytes = 32;

/** CRC-32 over every key, revision and value of the state at `revision` (0: the newest). */
export async function stateHash(store: Store, revision: Revision): Promise<number> {
  const at = revision || (await store.range({ key: "\0", countOnly: true })).revision;
  let crc = 0;
  for await (const page of pagesAt(store, at)) {
    for (const kv of page) crc = crc32(KeyValueMessage.encode(kv), crc);
  }
  return crc;
}

async function* pagesAt(store: Store, revision: Revision): AsyncGenerator<readonly KeyValue[]> {
  let key: Key = "\0";
  for (;;) {
    const limit = pageEntriesMax;
    const { entries, more } = await store.range({ key, end: "\0", revision, limit });
    yield entries;
    if (!more) return;
    key = `${entries.at(-1)?.key}\0`;
  }
}

async function bucketsOf(
  store: Store,
  revision: Revision,
  entries: readonly KeyValue[],
): Promise<BoltBucket[]> {
  const leases: BoltItem[] = [];
  for (const id of await store.leases()) {
    const { grantedTtlSeconds } = await store.leaseStatus(id);
    const key = Buffer.alloc(8);
    key.writeBigInt64BE(id);
    leases.push({ key, value: LeaseMessage.encode({ id, ttl: BigInt(grantedTtlSeconds) }) });
  }
  const compacted = revisionKey(revision, 0);
  const meta = [
    { key: Buffer.from("consistent_index"), value: Buffer.from("0000000000000001", "hex") },
    { key: Buffer.from("finishedCompactRev"), value: compacted },
    { key: Buffer.from("scheduledCompactRev"), value: compacted },
    { key: Buffer.from("term"), value: Buffer.from("0000000000000001", "hex") },
  ];
  const empty = ["alarm", "auth", "authRoles", "authUsers", "cluster"];
  return [
    ...empty.map((name) => listBucket(name, [])),
    keyBucket(entries),
    listBucket("lease", leases),
    listBucket("members", []),
    listBucket("members_removed", []),
    listBucket("meta", meta),
  ];
}

/** Keyed by revision; entries of one transaction are told apart by the sub revision. */
function keyBucket(entries: readonly KeyValue[]): BoltBucket {
  const byRevision = entries.toSorted((a, b) => a.modRevision - b.modRevision);
  const subs: number[] = [];
  for (const [i, { modRevision }] of byRevision.entries()) {
    const before = byRevision[i - 1];
    subs.push(before?.modRevision === modRevision ? (subs[i - 1] ?? 0) + 1 : 0);
  }
  const encoded = (index: number): Buffer => KeyValueMessage.encode(byRevision[index] as KeyValue);
  const sizes = byRevision.map((_, index) => encoded(index).length);
  return {
    name: "key",
    count: byRevision.length,
    keyAt: (index) => revisionKey((byRevision[index] as KeyValue).modRevision, subs[index] ?? 0),
    valueBytesAt: (index) => sizes[index] ?? 0,
    valueAt: encoded,
  };
}

function revisionKey(main: Revision, sub: number): Buffer {
  const key = Buffer.alloc(revisionBytes);
  key.writeBigInt64BE(BigInt(main), 0);
  key.write("_", 8);
  key.writeBigInt64BE(BigInt(sub), 9);
  return key;
}

function* gathered(pieces: Iterable<Buffer>): Generator<Buffer> {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  for (const piece of pieces) {
    waiting.push(piece);
    waitingBytes += piece.length;
    if (waitingBytes < chunkBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
  }
  if (waitingBytes > 0) yield Buffer.concat(waiting);
}
