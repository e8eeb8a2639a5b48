/** etcd's requests as operations of a store, and the store's answers as etcd's. */
import { status } from "@grpc/grpc-js";
import type { Decoded, Encodable } from "#wire/protobuf.ts";
import type {
  Compare,
  KeyRange,
  KeyValue,
  Op,
  OpResult,
  RangeQuery,
  RangeResult,
  Revision,
  StoreEvent,
  Txn,
} from "../store.ts";
import { textDuplicateKey, textEmptyKey, textTooManyOps, type EtcdStatus } from "./errors.ts";
import {
  compareResults,
  compareTargets,
  eventDelete,
  eventPut,
  sortOrders,
  sortTargets,
  type CompareMessage,
  type DeleteRangeRequest,
  type EventMessage,
  type KeyValueMessage,
  type PutRequest,
  type RangeRequest,
  type RangeResponse,
  type RequestOpOutput,
  type ResponseHeader,
  type ResponseOpInput,
  type TxnRequestOutput,
} from "./messages.ts";

/** Most operations of a transaction. Source: etcd's --max-txn-ops. */
export const txnOpsMax = 128;

/** A request that etcd refuses by itself. */
export class EtcdStatusError extends Error {
  override readonly name = "EtcdStatusError";
  readonly status: EtcdStatus;

  constructor(code: status, details: string) {
    super(details);
    this.status = { code, details };
  }
}

export type Header = Encodable<typeof ResponseHeader>;
type Range = Decoded<typeof RangeRequest>;

export function rangeOf(request: { readonly key: string; readonly rangeEnd: string }): KeyRange {
  const { key, rangeEnd } = request;
  if (key === "") throw new EtcdStatusError(status.INVALID_ARGUMENT, textEmptyKey);
  return rangeEnd === "" ? { key } : { key, end: rangeEnd };
}

/** The store's query: without limit where etcd sorts or filters afterwards. */
export function queryOf(request: Range): RangeQuery {
  const { limit, revision, keysOnly, countOnly } = request;
  const afterwards = isSorted(request) || isFiltered(request);
  return {
    ...rangeOf(request),
    revision,
    limit: afterwards ? 0 : limit,
    // What sorts by value needs it, whether it is sent or not.
    keysOnly: keysOnly && !afterwards,
    countOnly,
  };
}

/** Sorts, filters and cuts what the store gave, as etcd does it. */
export function rangeResponse(
  request: Range,
  result: RangeResult,
  header: Header,
): Encodable<typeof RangeResponse> {
  let { entries, more } = result;
  if (isFiltered(request)) entries = entries.filter((kv) => passes(request, kv));
  if (isSorted(request)) entries = sorted(request, entries);
  if (request.limit > 0 && entries.length > request.limit) {
    entries = entries.slice(0, request.limit);
    more = true;
  }
  const kvs = request.keysOnly ? entries.map((kv) => ({ ...kv, value: undefined })) : entries;
  return { header, kvs, more, count: result.count };
}

function isFiltered(r: Range): boolean {
  return (
    r.minModRevision > 0 ||
    r.maxModRevision > 0 ||
    r.minCreateRevision > 0 ||
    r.maxCreateRevision > 0
  );
}

function passes(r: Range, { modRevision, createRevision }: KeyValue): boolean {
  return (
    (r.minModRevision === 0 || modRevision >= r.minModRevision) &&
    (r.maxModRevision === 0 || modRevision <= r.maxModRevision) &&
    (r.minCreateRevision === 0 || createRevision >= r.minCreateRevision) &&
    (r.maxCreateRevision === 0 || createRevision <= r.maxCreateRevision)
  );
}

function isSorted({ sortOrder, sortTarget }: Range): boolean {
  const ascendingKeys = sortTargets[sortTarget] === "key" && sortOrders[sortOrder] !== "descend";
  return !ascendingKeys;
}

function sorted(
  { sortOrder, sortTarget }: Range,
  entries: readonly KeyValue[],
): readonly KeyValue[] {
  const target = sortTargets[sortTarget] ?? "key";
  const compare = (a: KeyValue, b: KeyValue): number => {
    if (target === "value") return Buffer.compare(a.value, b.value);
    if (target === "key") return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
    return a[target] - b[target];
  };
  const ascending = entries.toSorted(compare);
  return sortOrders[sortOrder] === "descend" ? ascending.toReversed() : ascending;
}

export function putOf(request: Decoded<typeof PutRequest>): Op & { readonly op: "put" } {
  const { key, value, lease } = request;
  if (key === "") throw new EtcdStatusError(status.INVALID_ARGUMENT, textEmptyKey);
  // The message's buffer is as large as the whole request: keep the value alone.
  return { op: "put", key, value: Buffer.from(value), lease };
}

export function deleteOf(request: Decoded<typeof DeleteRangeRequest>): Op {
  return { op: "delete", ...rangeOf(request), prevKv: request.prevKv };
}

export function txnOf({ compare, success, failure }: TxnRequestOutput): Txn {
  for (const ops of [compare, success, failure]) {
    if (ops.length > txnOpsMax) throw new EtcdStatusError(status.INVALID_ARGUMENT, textTooManyOps);
  }
  const txn = { compare: compare.map(compareOf), success: opsOf(success), failure: opsOf(failure) };
  return txn;
}

function opsOf(ops: readonly RequestOpOutput[]): Op[] {
  const puts = ops.flatMap((op) => (op.put === undefined ? [] : [op.put.key]));
  if (new Set(puts).size < puts.length) {
    throw new EtcdStatusError(status.INVALID_ARGUMENT, textDuplicateKey);
  }
  return ops.map((op) => {
    if (op.range !== undefined) return { op: "range", ...queryOf(op.range) };
    if (op.put?.ignoreValue || op.put?.ignoreLease || op.txn !== undefined) {
      const details = "etcdserver: nested transactions and partial puts in them are not supported";
      throw new EtcdStatusError(status.UNIMPLEMENTED, details);
    }
    if (op.put !== undefined) return putOf(op.put);
    if (op.deleteRange !== undefined) return deleteOf(op.deleteRange);
    throw new EtcdStatusError(status.INVALID_ARGUMENT, "etcdserver: empty operation");
  });
}

function compareOf(compare: Decoded<typeof CompareMessage>): Compare {
  const { key, rangeEnd, result, value, lease } = compare;
  if (key === "") throw new EtcdStatusError(status.INVALID_ARGUMENT, textEmptyKey);
  if (rangeEnd !== "") {
    throw new EtcdStatusError(
      status.UNIMPLEMENTED,
      "etcdserver: ranges in compares are not supported",
    );
  }
  const relation = compareResults[result];
  const target = compareTargets[compare.target];
  if (relation === undefined || target === undefined) {
    throw new EtcdStatusError(status.INVALID_ARGUMENT, "etcdserver: unknown compare");
  }
  if (target === "value") return { key, relation, target, value };
  if (target === "lease") return { key, relation, target, lease };
  return { key, relation, target, number: compare[target] };
}

/** The answer to one operation of a transaction. */
export function responseOpOf(
  request: RequestOpOutput,
  result: OpResult,
  header: Header,
): ResponseOpInput {
  switch (result.op) {
    case "put":
      return { put: { header, prevKv: request.put?.prevKv ? result.prevKv : undefined } };
    case "delete":
      return { deleteRange: { header, deleted: result.deleted, prevKvs: result.prevKvs } };
    case "range":
      return { range: request.range && rangeResponse(request.range, result, header) };
  }
}

export function eventMessage(event: StoreEvent, prevKv: boolean): Encodable<typeof EventMessage> {
  const type = event.type === "put" ? eventPut : eventDelete;
  return { type, kv: kvMessage(event.kv), prevKv: prevKv ? event.prevKv : undefined };
}

function kvMessage(kv: KeyValue): Encodable<typeof KeyValueMessage> {
  return kv;
}

/** Bytes that an event takes, roughly. */
export function eventBytes({ kv, prevKv }: StoreEvent): number {
  return 64 + kv.key.length + kv.value.length + (prevKv?.value.length ?? 0);
}

export function headerAt(base: Header, revision: Revision): Header {
  return { ...base, revision };
}
