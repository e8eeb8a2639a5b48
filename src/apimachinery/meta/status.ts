import { type Infer, int32, kind, listOf, named, opt, ptr, req, string, struct } from "../schema.ts";
import { ListMeta } from "./list-meta.ts";

export const StatusCause = struct("io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause", {
  reason: opt(1, named("v1.CauseType", string)),
  message: opt(2, string),
  field: opt(3, string),
});
export interface StatusCause extends Infer<typeof StatusCause> {}

export const StatusDetails = struct("io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails", {
  name: opt(1, string),
  group: opt(2, string),
  kind: opt(3, string),
  uid: opt(6, named("types.UID", string)),
  causes: opt(4, listOf(StatusCause), { listType: "atomic" }),
  retryAfterSeconds: opt(5, int32),
});
export interface StatusDetails extends Infer<typeof StatusDetails> {}

export const Status = kind("io.k8s.apimachinery.pkg.apis.meta.v1.Status", {
  metadata: req(1, ListMeta, { required: false }),
  status: opt(2, string),
  message: opt(3, string),
  reason: opt(4, named("v1.StatusReason", string)),
  details: ptr(5, StatusDetails),
  code: opt(6, int32),
});
export interface Status extends Infer<typeof Status> {}
