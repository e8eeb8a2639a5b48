import { UserInfo } from "#api/authentication/v1/user-info.ts";
import { GroupVersionKind, GroupVersionResource } from "#apimachinery/meta/group-version.ts";
import { Status } from "#apimachinery/meta/status.ts";
import {
  bool,
  bytes,
  type Infer,
  kind,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  rawObject,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const AdmissionRequest = struct("io.k8s.api.admission.v1.AdmissionRequest", {
  uid: req(1, named("types.UID", string), { required: false }),
  kind: req(2, GroupVersionKind, { required: false }),
  resource: req(3, GroupVersionResource, { required: false }),
  subResource: opt(4, string),
  requestKind: ptr(13, GroupVersionKind),
  requestResource: ptr(14, GroupVersionResource),
  requestSubResource: opt(15, string),
  name: opt(5, string),
  namespace: opt(6, string),
  operation: req(7, named("v1.Operation", string), { required: false }),
  userInfo: req(8, UserInfo, { required: false }),
  object: opt(9, rawObject),
  oldObject: opt(10, rawObject),
  dryRun: ptr(11, bool),
  options: opt(12, rawObject),
});
export interface AdmissionRequest extends Infer<typeof AdmissionRequest> {}

export const AdmissionResponse = struct("io.k8s.api.admission.v1.AdmissionResponse", {
  uid: req(1, named("types.UID", string), { required: false }),
  allowed: req(2, bool, { required: false }),
  status: ptr(3, Status),
  patch: opt(4, bytes),
  patchType: ptr(5, named("v1.PatchType", string)),
  auditAnnotations: opt(6, mapOf(string)),
  warnings: opt(7, listOf(string), { listType: "atomic" }),
});
export interface AdmissionResponse extends Infer<typeof AdmissionResponse> {}

export const AdmissionReview = kind("io.k8s.api.admission.v1.AdmissionReview", {
  request: ptr(1, AdmissionRequest),
  response: ptr(2, AdmissionResponse),
});
export interface AdmissionReview extends Infer<typeof AdmissionReview> {}
