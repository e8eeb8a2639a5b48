/** The calls of the etcd v3 API that we make or serve. */
import type { Message } from "#wire/protobuf.ts";
import * as m from "./messages.ts";

export interface Method<ReqIn, ReqOut, ResIn, ResOut> {
  readonly path: string;
  readonly request: Message<ReqIn, ReqOut>;
  readonly response: Message<ResIn, ResOut>;
}

function method<ReqIn, ReqOut, ResIn, ResOut>(
  path: string,
  request: Message<ReqIn, ReqOut>,
  response: Message<ResIn, ResOut>,
): Method<ReqIn, ReqOut, ResIn, ResOut> {
  return { path: `/etcdserverpb.${path}`, request, response };
}

export const range = method("KV/Range", m.RangeRequest, m.RangeResponse);
export const put = method("KV/Put", m.PutRequest, m.PutResponse);
export const deleteRange = method("KV/DeleteRange", m.DeleteRangeRequest, m.DeleteRangeResponse);
export const txn = method("KV/Txn", m.TxnRequest, m.TxnResponse);
export const compact = method("KV/Compact", m.CompactionRequest, m.HeaderOnly);

/** Streams in both directions. */
export const watch = method("Watch/Watch", m.WatchRequest, m.WatchResponse);

export const leaseGrant = method("Lease/LeaseGrant", m.LeaseGrantRequest, m.LeaseGrantResponse);
export const leaseRevoke = method("Lease/LeaseRevoke", m.LeaseRevokeRequest, m.HeaderOnly);
/** Streams in both directions. */
export const leaseKeepAlive = method(
  "Lease/LeaseKeepAlive",
  m.LeaseKeepAliveRequest,
  m.LeaseKeepAliveResponse,
);
export const leaseTimeToLive = method(
  "Lease/LeaseTimeToLive",
  m.LeaseTimeToLiveRequest,
  m.LeaseTimeToLiveResponse,
);
export const leaseLeases = method("Lease/LeaseLeases", m.Empty, m.LeaseLeasesResponse);

export const memberList = method("Cluster/MemberList", m.MemberListRequest, m.MemberListResponse);

export const alarm = method("Maintenance/Alarm", m.Empty, m.AlarmResponse);
export const status = method("Maintenance/Status", m.Empty, m.StatusResponse);
export const defragment = method("Maintenance/Defragment", m.Empty, m.HeaderOnly);
export const hash = method("Maintenance/Hash", m.Empty, m.HashResponse);
export const hashKv = method("Maintenance/HashKV", m.HashKvRequest, m.HashKvResponse);
/** Streams responses. */
export const snapshot = method("Maintenance/Snapshot", m.Empty, m.SnapshotResponse);

export const authStatus = method("Auth/AuthStatus", m.Empty, m.AuthStatusResponse);
