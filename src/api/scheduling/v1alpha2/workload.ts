import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";
import {
  PodGroupResourceClaim,
  PodGroupSchedulingConstraints,
  PodGroupSchedulingPolicy,
} from "./scheduling-policy.ts";

export const TypedLocalObjectReference = struct(
  "io.k8s.api.scheduling.v1alpha2.TypedLocalObjectReference",
  {
    apiGroup: opt(1, string),
    kind: req(2, string),
    name: req(3, string),
  },
);
export interface TypedLocalObjectReference extends Infer<typeof TypedLocalObjectReference> {}

export const PodGroupTemplate = struct("io.k8s.api.scheduling.v1alpha2.PodGroupTemplate", {
  name: req(1, string),
  schedulingPolicy: req(2, PodGroupSchedulingPolicy),
  schedulingConstraints: ptr(3, PodGroupSchedulingConstraints, { nullable: true }),
  resourceClaims: opt(4, listOf(PodGroupResourceClaim), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge,retainKeys",
    mergeKey: "name",
  }),
  disruptionMode: ptr(5, named("v1alpha2.DisruptionMode", string)),
  priorityClassName: opt(6, string),
  priority: ptr(7, int32),
});
export interface PodGroupTemplate extends Infer<typeof PodGroupTemplate> {}

export const WorkloadSpec = struct("io.k8s.api.scheduling.v1alpha2.WorkloadSpec", {
  controllerRef: ptr(1, TypedLocalObjectReference),
  podGroupTemplates: req(2, listOf(PodGroupTemplate), { listType: "map", mapKeys: ["name"] }),
});
export interface WorkloadSpec extends Infer<typeof WorkloadSpec> {}

export const Workload = kind("io.k8s.api.scheduling.v1alpha2.Workload", {
  metadata,
  spec: req(2, WorkloadSpec),
});
export interface Workload extends Infer<typeof Workload> {}

export const workloads = defineResource<Workload>({
  group: "scheduling.k8s.io",
  version: "v1alpha2",
  kind: "Workload",
  plural: "workloads",
  featureGate: "GenericWorkload",
  scope: "Namespaced",
  schema: Workload,
});
