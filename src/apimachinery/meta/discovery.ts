import {
  bool,
  type Infer,
  kind,
  listOf,
  named,
  opt,
  req,
  string,
  struct,
  wrappedListOf,
} from "../schema.ts";

export const ServerAddressByClientCIDR = struct(
  "io.k8s.apimachinery.pkg.apis.meta.v1.ServerAddressByClientCIDR",
  {
    clientCIDR: req(1, string),
    serverAddress: req(2, string),
  },
);
export interface ServerAddressByClientCIDR extends Infer<typeof ServerAddressByClientCIDR> {}

export const APIVersions = kind("io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions", {
  versions: req(1, listOf(string), { listType: "atomic" }),
  serverAddressByClientCIDRs: req(2, listOf(ServerAddressByClientCIDR), { listType: "atomic" }),
});
export interface APIVersions extends Infer<typeof APIVersions> {}

export const GroupVersionForDiscovery = struct(
  "io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionForDiscovery",
  {
    groupVersion: req(1, string),
    version: req(2, string),
  },
);
export interface GroupVersionForDiscovery extends Infer<typeof GroupVersionForDiscovery> {}

export const APIGroup = kind("io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup", {
  name: req(1, string),
  versions: req(2, listOf(GroupVersionForDiscovery), { listType: "atomic" }),
  preferredVersion: opt(3, GroupVersionForDiscovery),
  serverAddressByClientCIDRs: opt(4, listOf(ServerAddressByClientCIDR), { listType: "atomic" }),
});
export interface APIGroup extends Infer<typeof APIGroup> {}

export const APIGroupList = kind("io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList", {
  groups: req(1, listOf(APIGroup), { listType: "atomic" }),
});
export interface APIGroupList extends Infer<typeof APIGroupList> {}

export const APIResource = struct("io.k8s.apimachinery.pkg.apis.meta.v1.APIResource", {
  name: req(1, string),
  singularName: req(6, string),
  namespaced: req(2, bool),
  group: opt(8, string),
  version: opt(9, string),
  kind: req(3, string),
  verbs: req(4, named("v1.Verbs", wrappedListOf(string))),
  shortNames: opt(5, listOf(string), { listType: "atomic" }),
  categories: opt(7, listOf(string), { listType: "atomic" }),
  storageVersionHash: opt(10, string),
});
export interface APIResource extends Infer<typeof APIResource> {}

export const APIResourceList = kind("io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList", {
  groupVersion: req(1, string),
  resources: req(2, listOf(APIResource), { listType: "atomic" }),
});
export interface APIResourceList extends Infer<typeof APIResourceList> {}

export const RootPaths = struct("io.k8s.apimachinery.pkg.apis.meta.v1.RootPaths", {
  paths: req(1, listOf(string), { listType: "atomic" }),
});
export interface RootPaths extends Infer<typeof RootPaths> {}
