/**
 * Messages of the etcd v3 API. Source: etcd `api/etcdserverpb/rpc.proto`, `api/mvccpb/kv.proto`.
 * Keys are byte strings (see `Key`); revisions, counts and sizes are safe integers.
 */
import {
  bool,
  bytes,
  byteString,
  int32,
  int64,
  message,
  nested,
  repeated,
  safeInt,
  string,
  uint32,
  uint64,
  type Decoded,
  type Encodable,
  type Message,
} from "#wire/protobuf.ts";

export const ResponseHeader = message({
  clusterId: uint64(1),
  memberId: uint64(2),
  revision: safeInt(3),
  raftTerm: uint64(4),
});

export const KeyValueMessage = message({
  key: byteString(1),
  createRevision: safeInt(2),
  modRevision: safeInt(3),
  version: safeInt(4),
  value: bytes(5),
  lease: int64(6),
});

export const eventPut = 0;
export const eventDelete = 1;
export const EventMessage = message({
  type: int32(1),
  kv: nested(2, KeyValueMessage),
  prevKv: nested(3, KeyValueMessage),
});

export const sortOrders = ["none", "ascend", "descend"] as const;
export const sortTargets = ["key", "version", "createRevision", "modRevision", "value"] as const;
export const RangeRequest = message({
  key: byteString(1),
  rangeEnd: byteString(2),
  limit: safeInt(3),
  revision: safeInt(4),
  sortOrder: int32(5),
  sortTarget: int32(6),
  serializable: bool(7),
  keysOnly: bool(8),
  countOnly: bool(9),
  minModRevision: safeInt(10),
  maxModRevision: safeInt(11),
  minCreateRevision: safeInt(12),
  maxCreateRevision: safeInt(13),
});
export const RangeResponse = message({
  header: nested(1, ResponseHeader),
  kvs: repeated(nested(2, KeyValueMessage)),
  more: bool(3),
  count: safeInt(4),
});

export const PutRequest = message({
  key: byteString(1),
  value: bytes(2),
  lease: int64(3),
  prevKv: bool(4),
  ignoreValue: bool(5),
  ignoreLease: bool(6),
});
export const PutResponse = message({
  header: nested(1, ResponseHeader),
  prevKv: nested(2, KeyValueMessage),
});

export const DeleteRangeRequest = message({
  key: byteString(1),
  rangeEnd: byteString(2),
  prevKv: bool(3),
});
export const DeleteRangeResponse = message({
  header: nested(1, ResponseHeader),
  deleted: safeInt(2),
  prevKvs: repeated(nested(3, KeyValueMessage)),
});

/** Order of `Compare.result`. */
export const compareResults = ["=", ">", "<", "!="] as const;
export const compareTargets = [
  "version",
  "createRevision",
  "modRevision",
  "value",
  "lease",
] as const;
/** Only the operand of the target is meant; the others are their defaults. */
export const CompareMessage = message({
  result: int32(1),
  target: int32(2),
  key: byteString(3),
  version: safeInt(4),
  createRevision: safeInt(5),
  modRevision: safeInt(6),
  value: bytes(7),
  lease: int64(8),
  rangeEnd: byteString(64),
});

/** One of. */
export interface RequestOpInput {
  readonly range?: Encodable<typeof RangeRequest> | undefined;
  readonly put?: Encodable<typeof PutRequest> | undefined;
  readonly deleteRange?: Encodable<typeof DeleteRangeRequest> | undefined;
  readonly txn?: TxnRequestInput | undefined;
}
export interface RequestOpOutput {
  readonly range: Decoded<typeof RangeRequest> | undefined;
  readonly put: Decoded<typeof PutRequest> | undefined;
  readonly deleteRange: Decoded<typeof DeleteRangeRequest> | undefined;
  readonly txn: TxnRequestOutput | undefined;
}
export interface TxnRequestInput {
  readonly compare?: readonly Encodable<typeof CompareMessage>[] | undefined;
  readonly success?: readonly RequestOpInput[] | undefined;
  readonly failure?: readonly RequestOpInput[] | undefined;
}
export interface TxnRequestOutput {
  readonly compare: readonly Decoded<typeof CompareMessage>[];
  readonly success: readonly RequestOpOutput[];
  readonly failure: readonly RequestOpOutput[];
}
const RequestOp: Message<RequestOpInput, RequestOpOutput> = message({
  range: nested(1, RangeRequest),
  put: nested(2, PutRequest),
  deleteRange: nested(3, DeleteRangeRequest),
  txn: nested(4, () => TxnRequest),
});
export const TxnRequest: Message<TxnRequestInput, TxnRequestOutput> = message({
  compare: repeated(nested(1, CompareMessage)),
  success: repeated(nested(2, RequestOp)),
  failure: repeated(nested(3, RequestOp)),
});

export interface ResponseOpInput {
  readonly range?: Encodable<typeof RangeResponse> | undefined;
  readonly put?: Encodable<typeof PutResponse> | undefined;
  readonly deleteRange?: Encodable<typeof DeleteRangeResponse> | undefined;
  readonly txn?: TxnResponseInput | undefined;
}
export interface ResponseOpOutput {
  readonly range: Decoded<typeof RangeResponse> | undefined;
  readonly put: Decoded<typeof PutResponse> | undefined;
  readonly deleteRange: Decoded<typeof DeleteRangeResponse> | undefined;
  readonly txn: TxnResponseOutput | undefined;
}
export interface TxnResponseInput {
  readonly header?: Encodable<typeof ResponseHeader> | undefined;
  readonly succeeded?: boolean | undefined;
  readonly responses?: readonly ResponseOpInput[] | undefined;
}
export interface TxnResponseOutput {
  readonly header: Decoded<typeof ResponseHeader> | undefined;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOpOutput[];
}
const ResponseOp: Message<ResponseOpInput, ResponseOpOutput> = message({
  range: nested(1, RangeResponse),
  put: nested(2, PutResponse),
  deleteRange: nested(3, DeleteRangeResponse),
  txn: nested(4, () => TxnResponse),
});
export const TxnResponse: Message<TxnResponseInput, TxnResponseOutput> = message({
  header: nested(1, ResponseHeader),
  succeeded: bool(2),
  responses: repeated(nested(3, ResponseOp)),
});

export const CompactionRequest = message({ revision: safeInt(1), physical: bool(2) });
/** For every response that is a header alone. */
export const HeaderOnly = message({ header: nested(1, ResponseHeader) });
/** For every request without fields. */
export const Empty = message({});

export const filterNoPut = 0;
export const filterNoDelete = 1;
export const WatchCreateRequest = message({
  key: byteString(1),
  rangeEnd: byteString(2),
  startRevision: safeInt(3),
  progressNotify: bool(4),
  filters: repeated(int32(5)),
  prevKv: bool(6),
  watchId: safeInt(7),
  fragment: bool(8),
});
const WatchCancelRequest = message({ watchId: safeInt(1) });
export const WatchRequest = message({
  create: nested(1, WatchCreateRequest),
  cancel: nested(2, WatchCancelRequest),
  progress: nested(3, Empty),
});
export const WatchResponse = message({
  header: nested(1, ResponseHeader),
  watchId: safeInt(2),
  created: bool(3),
  canceled: bool(4),
  compactRevision: safeInt(5),
  cancelReason: string(6),
  fragment: bool(7),
  events: repeated(nested(11, EventMessage)),
});

export const LeaseGrantRequest = message({ ttl: safeInt(1), id: int64(2) });
export const LeaseGrantResponse = message({
  header: nested(1, ResponseHeader),
  id: int64(2),
  ttl: safeInt(3),
  error: string(4),
});
export const LeaseRevokeRequest = message({ id: int64(1) });
export const LeaseKeepAliveRequest = message({ id: int64(1) });
export const LeaseKeepAliveResponse = message({
  header: nested(1, ResponseHeader),
  id: int64(2),
  ttl: safeInt(3),
});
export const LeaseTimeToLiveRequest = message({ id: int64(1), keys: bool(2) });
export const LeaseTimeToLiveResponse = message({
  header: nested(1, ResponseHeader),
  id: int64(2),
  ttl: safeInt(3),
  grantedTtl: safeInt(4),
  keys: repeated(byteString(5)),
});
const LeaseStatusMessage = message({ id: int64(1) });
export const LeaseLeasesResponse = message({
  header: nested(1, ResponseHeader),
  leases: repeated(nested(2, LeaseStatusMessage)),
});

const Member = message({
  id: uint64(1),
  name: string(2),
  peerUrls: repeated(string(3)),
  clientUrls: repeated(string(4)),
  isLearner: bool(5),
});
export const MemberListRequest = message({ linearizable: bool(1) });
export const MemberListResponse = message({
  header: nested(1, ResponseHeader),
  members: repeated(nested(2, Member)),
});

export const AlarmResponse = message({ header: nested(1, ResponseHeader) });
export const StatusResponse = message({
  header: nested(1, ResponseHeader),
  version: string(2),
  dbSize: safeInt(3),
  leader: uint64(4),
  raftIndex: safeInt(5),
  raftTerm: safeInt(6),
  raftAppliedIndex: safeInt(7),
  errors: repeated(string(8)),
  dbSizeInUse: safeInt(9),
  isLearner: bool(10),
});
export const HashResponse = message({ header: nested(1, ResponseHeader), hash: uint32(2) });
export const HashKvRequest = message({ revision: safeInt(1) });
export const HashKvResponse = message({
  header: nested(1, ResponseHeader),
  hash: uint32(2),
  compactRevision: safeInt(3),
});
export const SnapshotResponse = message({
  header: nested(1, ResponseHeader),
  remainingBytes: safeInt(2),
  blob: bytes(3),
});
export const AuthStatusResponse = message({
  header: nested(1, ResponseHeader),
  enabled: bool(2),
  authRevision: safeInt(3),
});

/** As it is kept in the database. Source: etcd `lease/leasepb/lease.proto`. */
export const LeaseMessage = message({ id: int64(1), ttl: int64(2) });
