/** Between the store's operations and etcd's messages. */
import { assert, unreachable } from "#base/assert.ts";
import type { Decoded, Encodable } from "#wire/protobuf.ts";
import type {
  Compare,
  Key,
  KeyRange,
  KeyValue,
  Op,
  OpResult,
  RangeQuery,
  RangeResult,
  StoreEvent,
  Txn,
} from "../store.ts";
import {
  compareResults,
  compareTargets,
  eventDelete,
  type CompareMessage,
  type EventMessage,
  type KeyValueMessage,
  type RangeRequest,
  type RangeResponse,
  type RequestOpInput,
  type ResponseOpOutput,
  type TxnRequestInput,
} from "./messages.ts";

/** etcd has no empty key: what begins there begins at NUL. */
function keyToEtcd(key: Key): string {
  return key === "" ? "\0" : key;
}

export function rangeToEtcd({ key, end }: KeyRange): { key: string; rangeEnd: string } {
  return { key: keyToEtcd(key), rangeEnd: end ?? "" };
}

export function queryToEtcd(query: RangeQuery): Encodable<typeof RangeRequest> {
  const { revision, limit, keysOnly, countOnly } = query;
  return { ...rangeToEtcd(query), revision, limit, keysOnly, countOnly };
}

export function resultFromEtcd(
  response: Decoded<typeof RangeResponse>,
  countOnly: boolean,
  revision = response.header?.revision ?? 0,
): RangeResult {
  const { count, more, kvs } = response;
  return { revision, entries: kvs.map(kvFromEtcd), count, more: more && !countOnly };
}

export function kvFromEtcd(kv: Decoded<typeof KeyValueMessage>): KeyValue {
  const { key, value, createRevision, modRevision, version, lease } = kv;
  return { key, value, createRevision, modRevision, version, lease };
}

export function eventFromEtcd({ type, kv, prevKv }: Decoded<typeof EventMessage>): StoreEvent {
  assert(kv !== undefined, "an etcd event without a key");
  const before = prevKv === undefined ? {} : { prevKv: kvFromEtcd(prevKv) };
  return { type: type === eventDelete ? "delete" : "put", kv: kvFromEtcd(kv), ...before };
}

export function txnToEtcd({ compare, success, failure }: Txn): TxnRequestInput {
  return {
    compare: compare.map(compareToEtcd),
    success: success.map(opToEtcd),
    failure: failure?.map(opToEtcd),
  };
}

function compareToEtcd(compare: Compare): Encodable<typeof CompareMessage> {
  const base = {
    key: keyToEtcd(compare.key),
    result: compareResults.indexOf(compare.relation),
    target: compareTargets.indexOf(compare.target),
  };
  if (compare.target === "value") return { ...base, value: compare.value };
  if (compare.target === "lease") return { ...base, lease: compare.lease };
  return { ...base, [compare.target]: compare.number };
}

function opToEtcd(op: Op): RequestOpInput {
  switch (op.op) {
    case "put":
      return { put: { key: keyToEtcd(op.key), value: op.value, lease: op.lease, prevKv: true } };
    case "delete":
      return { deleteRange: { ...rangeToEtcd(op), prevKv: op.prevKv } };
    case "range":
      return { range: queryToEtcd(op) };
    default:
      return unreachable(op);
  }
}

/** `revision`: the transaction's, which etcd leaves out of the results within it. */
export function opResultFromEtcd(op: Op, result: ResponseOpOutput, revision: number): OpResult {
  if (result.put !== undefined) {
    const { prevKv } = result.put;
    return prevKv === undefined ? { op: "put" } : { op: "put", prevKv: kvFromEtcd(prevKv) };
  }
  if (result.deleteRange !== undefined) {
    const { deleted, prevKvs } = result.deleteRange;
    return { op: "delete", deleted, prevKvs: prevKvs.map(kvFromEtcd) };
  }
  assert(result.range !== undefined, "an etcd result of no known kind");
  const countOnly = op.op === "range" && op.countOnly === true;
  return { op: "range", ...resultFromEtcd(result.range, countOnly, revision) };
}
