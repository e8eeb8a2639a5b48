import { metadata } from "#apimachinery/meta/object-meta.ts";
import {
  bool,
  type Infer,
  kind,
  listOf,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";
import { GroupResources } from "./event.ts";

export const PolicyRule = struct("io.k8s.apiserver.pkg.apis.audit.v1.PolicyRule", {
  level: req(1, string),
  users: opt(2, listOf(string), { listType: "atomic" }),
  userGroups: opt(3, listOf(string), { listType: "atomic" }),
  verbs: opt(4, listOf(string), { listType: "atomic" }),
  resources: opt(5, listOf(GroupResources), { listType: "atomic" }),
  namespaces: opt(6, listOf(string), { listType: "atomic" }),
  nonResourceURLs: opt(7, listOf(string), { listType: "atomic" }),
  omitStages: opt(8, listOf(string), { listType: "atomic" }),
  omitManagedFields: ptr(9, bool),
});
export interface PolicyRule extends Infer<typeof PolicyRule> {}

export const Policy = kind("io.k8s.apiserver.pkg.apis.audit.v1.Policy", {
  metadata,
  rules: req(2, listOf(PolicyRule), { listType: "atomic" }),
  omitStages: opt(3, listOf(string), { listType: "atomic" }),
  omitManagedFields: opt(4, bool),
});
export interface Policy extends Infer<typeof Policy> {}
