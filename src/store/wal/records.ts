/** What the log records: everything that changes a store, in the order in which it happened. */
import { unreachable } from "#base/assert.ts";
import { isLive } from "../compare.ts";
import type { Entry } from "../mvcc.ts";
import type { Key, Op, Revision } from "../store.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";

export type WalRecord =
  | { readonly kind: "txn"; readonly revision: Revision; readonly ops: readonly Op[] }
  | { readonly kind: "compact"; readonly revision: Revision }
  | { readonly kind: "grant"; readonly lease: bigint; readonly ttlSeconds: number }
  | { readonly kind: "revoke"; readonly lease: bigint }
  /**
   * Begins each segment; what the segment before has beyond `previousBytes` never happened. When
   * revisions are left out before `firstRevision`, history before it is gone.
   */
  | { readonly kind: "segment"; readonly firstRevision: Revision; readonly previousBytes: number };

const kinds = { txn: 1, compact: 2, grant: 3, revoke: 4, segment: 5 } as const;
const opPut = 0;
const opDelete = 1;
const opPutWithLease = 2;
const formatVersion = 1;
/** Pads frames. */
export const kindPadding = 0;

export function writeRecord(out: ByteWriter, record: Exclude<WalRecord, { kind: "txn" }>): void {
  out.u8(kinds[record.kind]);
  switch (record.kind) {
    case "compact":
      out.varint(record.revision);
      break;
    case "grant":
      out.u64(record.lease);
      out.varint(record.ttlSeconds);
      break;
    case "revoke":
      out.u64(record.lease);
      break;
    case "segment":
      out.u8(formatVersion);
      out.varint(record.firstRevision);
      out.varint(record.previousBytes);
      break;
    default:
      unreachable(record);
  }
}

/** Records a transaction by the entries that it made. */
export function writeTxn(out: ByteWriter, first: Entry): void {
  let count = 0;
  for (let entry: Entry | undefined = first; entry !== undefined; entry = entry.sibling) count++;
  out.u8(kinds.txn);
  out.varint(first.kv.modRevision);
  out.varint(count);
  for (let entry: Entry | undefined = first; entry !== undefined; entry = entry.sibling) {
    const { kv } = entry;
    const live = isLive(kv);
    out.u8(!live ? opDelete : kv.lease === 0n ? opPut : opPutWithLease);
    out.key(kv.key);
    if (!live) continue;
    if (kv.lease !== 0n) out.u64(kv.lease);
    out.bytes(kv.value);
  }
}

/** The next record; undefined at padding. Values are views into what is read. */
export function readRecord(reader: ByteReader): WalRecord | undefined {
  const kind = reader.u8();
  switch (kind) {
    case kindPadding:
      return undefined;
    case kinds.txn:
      return { kind: "txn", revision: reader.varint(), ops: readOps(reader) };
    case kinds.compact:
      return { kind: "compact", revision: reader.varint() };
    case kinds.grant:
      return { kind: "grant", lease: reader.u64(), ttlSeconds: reader.varint() };
    case kinds.revoke:
      return { kind: "revoke", lease: reader.u64() };
    case kinds.segment:
      return readSegmentRecord(reader);
    default:
      throw new RangeError(`unknown record kind ${kind}`);
  }
}

function readSegmentRecord(reader: ByteReader): WalRecord {
  const version = reader.u8();
  if (version !== formatVersion) throw new RangeError(`unknown format version ${version}`);
  return { kind: "segment", firstRevision: reader.varint(), previousBytes: reader.varint() };
}

function readOps(reader: ByteReader): Op[] {
  const ops: Op[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const type = reader.u8();
    const key: Key = reader.key();
    if (type === opDelete) ops.push({ op: "delete", key });
    else if (type === opPut || type === opPutWithLease) {
      const lease = type === opPutWithLease ? reader.u64() : 0n;
      ops.push({ op: "put", key, value: reader.bytes(), lease });
    } else throw new RangeError(`unknown operation ${type}`);
  }
  return ops;
}
