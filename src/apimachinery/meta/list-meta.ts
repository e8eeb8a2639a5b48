import {
  type Infer,
  int64,
  kind,
  listOf,
  opt,
  ptr,
  rawObject,
  req,
  string,
  struct,
} from "../schema.ts";

export const ShardInfo = struct("io.k8s.apimachinery.pkg.apis.meta.v1.ShardInfo", {
  selector: req(1, string),
});
export interface ShardInfo extends Infer<typeof ShardInfo> {}

export const ListMeta = struct("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", {
  selfLink: opt(1, string),
  resourceVersion: opt(2, string),
  continue: opt(3, string),
  remainingItemCount: ptr(4, int64),
  shardInfo: ptr(5, ShardInfo),
});
export interface ListMeta extends Infer<typeof ListMeta> {}

export const List = kind("io.k8s.apimachinery.pkg.apis.meta.v1.List", {
  metadata: req(1, ListMeta, { required: false }),
  items: req(2, listOf(rawObject)),
});
export interface List extends Infer<typeof List> {}
