import {
  bool,
  fieldsV1,
  type Infer,
  int64,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "../schema.ts";

export const OwnerReference = struct(
  "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
  {
    apiVersion: req(5, string),
    kind: req(1, string),
    name: req(3, string),
    uid: req(4, named("types.UID", string)),
    controller: ptr(6, bool),
    blockOwnerDeletion: ptr(7, bool),
  },
  { atomic: true },
);
export interface OwnerReference extends Infer<typeof OwnerReference> {}

export const ManagedFieldsEntry = struct(
  "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry",
  {
    manager: opt(1, string),
    operation: opt(2, named("v1.ManagedFieldsOperationType", string)),
    apiVersion: opt(3, string),
    time: ptr(4, time),
    fieldsType: opt(6, string),
    fieldsV1: ptr(7, fieldsV1),
    subresource: opt(8, string),
  },
);
export interface ManagedFieldsEntry extends Infer<typeof ManagedFieldsEntry> {}

export const ObjectMeta = struct("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", {
  name: opt(1, string),
  generateName: opt(2, string),
  namespace: opt(3, string),
  selfLink: opt(4, string),
  uid: opt(5, named("types.UID", string)),
  resourceVersion: opt(6, string),
  generation: opt(7, int64),
  creationTimestamp: ptr(8, time),
  deletionTimestamp: ptr(9, time),
  deletionGracePeriodSeconds: ptr(10, int64),
  labels: opt(11, mapOf(string)),
  annotations: opt(12, mapOf(string)),
  ownerReferences: opt(13, listOf(OwnerReference), {
    listType: "map",
    mapKeys: ["uid"],
    patch: "merge",
    mergeKey: "uid",
  }),
  finalizers: opt(14, listOf(string), { listType: "set", patch: "merge" }),
  managedFields: opt(17, listOf(ManagedFieldsEntry), { listType: "atomic" }),
});
export interface ObjectMeta extends Infer<typeof ObjectMeta> {}

/** The field of every kind; OpenAPI does not require it. */
export const metadata = req(1, ObjectMeta, { required: false });
