import { GroupVersionKind } from "#apimachinery/meta/group-version.ts";
import { ListMeta } from "#apimachinery/meta/list-meta.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { type Infer, kind, listOf, named, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const APISubresourceDiscovery = struct(
  "io.k8s.api.apidiscovery.v2.APISubresourceDiscovery",
  {
    subresource: req(1, string),
    responseKind: ptr(2, GroupVersionKind),
    acceptedTypes: opt(3, listOf(GroupVersionKind), {
      listType: "map",
      mapKeys: ["group", "version", "kind"],
    }),
    verbs: req(4, listOf(string), { listType: "set" }),
  },
);
export interface APISubresourceDiscovery extends Infer<typeof APISubresourceDiscovery> {}

export const APIResourceDiscovery = struct("io.k8s.api.apidiscovery.v2.APIResourceDiscovery", {
  resource: req(1, string),
  responseKind: ptr(2, GroupVersionKind),
  scope: req(3, named("v2.ResourceScope", string)),
  singularResource: req(4, string),
  verbs: req(5, listOf(string), { listType: "set" }),
  shortNames: opt(6, listOf(string), { listType: "set" }),
  categories: opt(7, listOf(string), { listType: "set" }),
  subresources: opt(8, listOf(APISubresourceDiscovery), {
    listType: "map",
    mapKeys: ["subresource"],
  }),
});
export interface APIResourceDiscovery extends Infer<typeof APIResourceDiscovery> {}

export const APIVersionDiscovery = struct("io.k8s.api.apidiscovery.v2.APIVersionDiscovery", {
  version: req(1, string),
  resources: opt(2, listOf(APIResourceDiscovery), { listType: "map", mapKeys: ["resource"] }),
  freshness: opt(3, named("v2.DiscoveryFreshness", string)),
});
export interface APIVersionDiscovery extends Infer<typeof APIVersionDiscovery> {}

export const APIGroupDiscovery = kind("io.k8s.api.apidiscovery.v2.APIGroupDiscovery", {
  metadata,
  versions: opt(2, listOf(APIVersionDiscovery), { listType: "map", mapKeys: ["version"] }),
});
export interface APIGroupDiscovery extends Infer<typeof APIGroupDiscovery> {}

export const APIGroupDiscoveryList = kind("io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList", {
  metadata: req(1, ListMeta, { required: false }),
  items: req(2, listOf(APIGroupDiscovery)),
});
export interface APIGroupDiscoveryList extends Infer<typeof APIGroupDiscoveryList> {}
