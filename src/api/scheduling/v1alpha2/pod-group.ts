import { Condition } from "#apimachinery/meta/condition.ts";
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

export const WorkloadPodGroupTemplateReference = struct(
  "io.k8s.api.scheduling.v1alpha2.WorkloadPodGroupTemplateReference",
  {
    workloadName: req(1, string),
    podGroupTemplateName: req(2, string),
  },
);
export interface WorkloadPodGroupTemplateReference extends Infer<
  typeof WorkloadPodGroupTemplateReference
> {}

export const PodGroupTemplateReference = struct(
  "io.k8s.api.scheduling.v1alpha2.PodGroupTemplateReference",
  {
    workload: ptr(1, WorkloadPodGroupTemplateReference, { nullable: true }),
  },
  { unions: [{ fields: { workload: "Workload" } }] },
);
export interface PodGroupTemplateReference extends Infer<typeof PodGroupTemplateReference> {}

export const PodGroupSpec = struct("io.k8s.api.scheduling.v1alpha2.PodGroupSpec", {
  podGroupTemplateRef: ptr(1, PodGroupTemplateReference, { nullable: true }),
  schedulingPolicy: req(2, PodGroupSchedulingPolicy),
  schedulingConstraints: ptr(3, PodGroupSchedulingConstraints),
  resourceClaims: opt(4, listOf(PodGroupResourceClaim), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge,retainKeys",
    mergeKey: "name",
  }),
  disruptionMode: ptr(5, named("v1alpha2.DisruptionMode", string), { default: "Pod" }),
  priorityClassName: opt(6, string),
  priority: ptr(7, int32),
});
export interface PodGroupSpec extends Infer<typeof PodGroupSpec> {}

export const PodGroupResourceClaimStatus = struct(
  "io.k8s.api.scheduling.v1alpha2.PodGroupResourceClaimStatus",
  {
    name: req(1, string),
    resourceClaimName: ptr(2, string),
  },
);
export interface PodGroupResourceClaimStatus extends Infer<typeof PodGroupResourceClaimStatus> {}

export const PodGroupStatus = struct("io.k8s.api.scheduling.v1alpha2.PodGroupStatus", {
  conditions: opt(1, listOf(Condition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
  resourceClaimStatuses: opt(2, listOf(PodGroupResourceClaimStatus), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge,retainKeys",
    mergeKey: "name",
  }),
});
export interface PodGroupStatus extends Infer<typeof PodGroupStatus> {}

export const PodGroup = kind("io.k8s.api.scheduling.v1alpha2.PodGroup", {
  metadata,
  spec: req(2, PodGroupSpec),
  status: opt(3, PodGroupStatus),
});
export interface PodGroup extends Infer<typeof PodGroup> {}

export const podGroups = defineResource<PodGroup>({
  group: "scheduling.k8s.io",
  version: "v1alpha2",
  kind: "PodGroup",
  plural: "podgroups",
  featureGate: "GenericWorkload",
  scope: "Namespaced",
  schema: PodGroup,
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
