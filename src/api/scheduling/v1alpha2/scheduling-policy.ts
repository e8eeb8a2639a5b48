import { type Infer, int32, listOf, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const BasicSchedulingPolicy = struct(
  "io.k8s.api.scheduling.v1alpha2.BasicSchedulingPolicy",
  {},
);
export interface BasicSchedulingPolicy extends Infer<typeof BasicSchedulingPolicy> {}

export const GangSchedulingPolicy = struct("io.k8s.api.scheduling.v1alpha2.GangSchedulingPolicy", {
  minCount: req(1, int32),
});
export interface GangSchedulingPolicy extends Infer<typeof GangSchedulingPolicy> {}

export const PodGroupSchedulingPolicy = struct(
  "io.k8s.api.scheduling.v1alpha2.PodGroupSchedulingPolicy",
  {
    basic: ptr(1, BasicSchedulingPolicy),
    gang: ptr(2, GangSchedulingPolicy),
  },
  { unions: [{ fields: { basic: "Basic", gang: "Gang" } }] },
);
export interface PodGroupSchedulingPolicy extends Infer<typeof PodGroupSchedulingPolicy> {}

export const PodGroupResourceClaim = struct(
  "io.k8s.api.scheduling.v1alpha2.PodGroupResourceClaim",
  {
    name: req(1, string),
    resourceClaimName: ptr(2, string),
    resourceClaimTemplateName: ptr(3, string),
  },
);
export interface PodGroupResourceClaim extends Infer<typeof PodGroupResourceClaim> {}

export const TopologyConstraint = struct("io.k8s.api.scheduling.v1alpha2.TopologyConstraint", {
  key: req(1, string),
});
export interface TopologyConstraint extends Infer<typeof TopologyConstraint> {}

export const PodGroupSchedulingConstraints = struct(
  "io.k8s.api.scheduling.v1alpha2.PodGroupSchedulingConstraints",
  {
    topology: opt(1, listOf(TopologyConstraint), { listType: "atomic" }),
  },
);
export interface PodGroupSchedulingConstraints extends Infer<
  typeof PodGroupSchedulingConstraints
> {}
