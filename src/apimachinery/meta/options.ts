import { bool, type Infer, int64, kind, listOf, named, opt, ptr, req, string, struct } from "../schema.ts";

export const ListOptions = kind("io.k8s.apimachinery.pkg.apis.meta.v1.ListOptions", {
  labelSelector: opt(1, string),
  fieldSelector: opt(2, string),
  watch: opt(3, bool),
  allowWatchBookmarks: opt(9, bool),
  resourceVersion: opt(4, string),
  resourceVersionMatch: opt(10, named("v1.ResourceVersionMatch", string)),
  timeoutSeconds: ptr(5, int64),
  limit: opt(7, int64),
  continue: opt(8, string),
  sendInitialEvents: ptr(11, bool),
  shardSelector: opt(15, string),
});
export interface ListOptions extends Infer<typeof ListOptions> {}

export const GetOptions = kind("io.k8s.apimachinery.pkg.apis.meta.v1.GetOptions", {
  resourceVersion: opt(1, string),
});
export interface GetOptions extends Infer<typeof GetOptions> {}

export const Preconditions = struct("io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions", {
  uid: ptr(1, named("types.UID", string)),
  resourceVersion: ptr(2, string),
});
export interface Preconditions extends Infer<typeof Preconditions> {}

export const DeleteOptions = kind("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", {
  gracePeriodSeconds: ptr(1, int64),
  preconditions: ptr(2, Preconditions),
  orphanDependents: ptr(3, bool),
  propagationPolicy: ptr(4, named("v1.DeletionPropagation", string)),
  dryRun: opt(5, listOf(string), { listType: "atomic" }),
  ignoreStoreReadErrorWithClusterBreakingPotential: ptr(6, bool),
});
export interface DeleteOptions extends Infer<typeof DeleteOptions> {}

export const CreateOptions = kind("io.k8s.apimachinery.pkg.apis.meta.v1.CreateOptions", {
  dryRun: opt(1, listOf(string), { listType: "atomic" }),
  fieldManager: opt(3, string),
  fieldValidation: opt(4, string),
});
export interface CreateOptions extends Infer<typeof CreateOptions> {}

export const PatchOptions = kind("io.k8s.apimachinery.pkg.apis.meta.v1.PatchOptions", {
  dryRun: opt(1, listOf(string), { listType: "atomic" }),
  force: ptr(2, bool),
  fieldManager: opt(3, string),
  fieldValidation: opt(4, string),
});
export interface PatchOptions extends Infer<typeof PatchOptions> {}

export const ApplyOptions = kind("io.k8s.apimachinery.pkg.apis.meta.v1.ApplyOptions", {
  dryRun: opt(1, listOf(string), { listType: "atomic" }),
  force: req(2, bool),
  fieldManager: req(3, string),
});
export interface ApplyOptions extends Infer<typeof ApplyOptions> {}

export const UpdateOptions = kind("io.k8s.apimachinery.pkg.apis.meta.v1.UpdateOptions", {
  dryRun: opt(1, listOf(string), { listType: "atomic" }),
  fieldManager: opt(2, string),
  fieldValidation: opt(3, string),
});
export interface UpdateOptions extends Infer<typeof UpdateOptions> {}
