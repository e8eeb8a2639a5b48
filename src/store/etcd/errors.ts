/** etcd's errors as gRPC statuses. Source: etcd `api/v3rpc/rpctypes/error.go`. */
import { status } from "@grpc/grpc-js";
import {
  CompactedError,
  DuplicateKeyError,
  FutureRevisionError,
  LeaseExistsError,
  LeaseNotFoundError,
  StoreReadOnlyError,
  StoreUnavailableError,
} from "../store.ts";

export interface EtcdStatus {
  readonly code: status;
  readonly details: string;
}

const textCompacted = "etcdserver: mvcc: required revision has been compacted";
const textFuture = "etcdserver: mvcc: required revision is a future revision";
const textNoSpace = "etcdserver: mvcc: database space exceeded";
const textLeaseNotFound = "etcdserver: requested lease not found";
const textLeaseExists = "etcdserver: lease already exists";
const textLeaseTtlTooLarge = "etcdserver: too large lease TTL";
export const textDuplicateKey = "etcdserver: duplicate key given in txn request";
export const textEmptyKey = "etcdserver: key is not provided";
export const textTooManyOps = "etcdserver: too many operations in txn request";
export const textKeyNotFound = "etcdserver: key not found";
export const textValueProvided = "etcdserver: value is provided";
export const textLeaseProvided = "etcdserver: lease is provided";
const textNoLeader = "etcdserver: no leader";
const textTooManyRequests = "etcdserver: too many requests";
export const textAuthNotEnabled = "etcdserver: authentication is not enabled";
const textUnavailable = "etcdserver: server stopped";

/** The status that etcd would answer a store's error with. */
export function statusOf(error: unknown): EtcdStatus {
  if (error instanceof CompactedError) {
    return { code: status.OUT_OF_RANGE, details: textCompacted };
  }
  if (error instanceof FutureRevisionError) {
    return { code: status.OUT_OF_RANGE, details: textFuture };
  }
  if (error instanceof LeaseNotFoundError) {
    return { code: status.NOT_FOUND, details: textLeaseNotFound };
  }
  if (error instanceof LeaseExistsError) {
    return { code: status.FAILED_PRECONDITION, details: textLeaseExists };
  }
  if (error instanceof DuplicateKeyError) {
    return { code: status.INVALID_ARGUMENT, details: textDuplicateKey };
  }
  if (error instanceof RangeError) {
    return { code: status.OUT_OF_RANGE, details: textLeaseTtlTooLarge };
  }
  if (error instanceof StoreReadOnlyError) {
    return { code: status.RESOURCE_EXHAUSTED, details: textNoSpace };
  }
  if (error instanceof StoreUnavailableError) {
    return { code: status.UNAVAILABLE, details: `${textUnavailable}: ${error.message}` };
  }
  return { code: status.INTERNAL, details: String(error) };
}

/**
 * The store's error for a status; undefined when it tells nothing about the request, but about the
 * connection or the member.
 */
export function errorOf({ code, details }: EtcdStatus): Error | undefined {
  switch (details) {
    case textCompacted:
      // What the compact revision is, the status does not say.
      return new CompactedError(0);
    case textFuture:
      return new FutureRevisionError(0);
    case textLeaseNotFound:
      return new LeaseNotFoundError();
    case textLeaseExists:
      return new LeaseExistsError();
    case textDuplicateKey:
      return new DuplicateKeyError();
    case textLeaseTtlTooLarge:
      return new RangeError("too large lease TTL");
    case textNoSpace:
      return new StoreReadOnlyError(details);
    default:
      return code === status.INVALID_ARGUMENT ? new RangeError(details) : undefined;
  }
}

/** Whether the request certainly had no effect, so that a write too may be sent again. */
export function hadNoEffect({ details }: EtcdStatus): boolean {
  return details === textNoLeader || details === textTooManyRequests;
}
