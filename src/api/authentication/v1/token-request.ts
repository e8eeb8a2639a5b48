import { metadata } from "#apimachinery/meta/object-meta.ts";
import {
  type Infer,
  int64,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";

export const BoundObjectReference = struct("io.k8s.api.authentication.v1.BoundObjectReference", {
  kind: opt(1, string),
  apiVersion: opt(2, string),
  name: opt(3, string),
  uid: opt(4, named("types.UID", string)),
});
export interface BoundObjectReference extends Infer<typeof BoundObjectReference> {}

export const TokenRequestSpec = struct("io.k8s.api.authentication.v1.TokenRequestSpec", {
  audiences: req(1, listOf(string), { required: false, listType: "atomic" }),
  expirationSeconds: ptr(4, int64, { nullable: true }),
  boundObjectRef: ptr(3, BoundObjectReference, { nullable: true }),
});
export interface TokenRequestSpec extends Infer<typeof TokenRequestSpec> {}

export const TokenRequestStatus = struct("io.k8s.api.authentication.v1.TokenRequestStatus", {
  token: req(1, string, { required: false }),
  expirationTimestamp: req(2, time, { required: false }),
});
export interface TokenRequestStatus extends Infer<typeof TokenRequestStatus> {}

export const TokenRequest = kind("io.k8s.api.authentication.v1.TokenRequest", {
  metadata,
  spec: req(2, TokenRequestSpec, { required: false }),
  status: opt(3, TokenRequestStatus),
});
export interface TokenRequest extends Infer<typeof TokenRequest> {}
