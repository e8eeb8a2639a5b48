import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { type Infer, int32, listOf, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";
import { NodeSelector, NodeSelectorTerm } from "./node-selector.ts";

export const PreferredSchedulingTerm = struct("io.k8s.api.core.v1.PreferredSchedulingTerm", {
  weight: req(1, int32),
  preference: req(2, NodeSelectorTerm),
});
export interface PreferredSchedulingTerm extends Infer<typeof PreferredSchedulingTerm> {}

export const NodeAffinity = struct("io.k8s.api.core.v1.NodeAffinity", {
  requiredDuringSchedulingIgnoredDuringExecution: ptr(1, NodeSelector),
  preferredDuringSchedulingIgnoredDuringExecution: opt(2, listOf(PreferredSchedulingTerm), {
    listType: "atomic",
  }),
});
export interface NodeAffinity extends Infer<typeof NodeAffinity> {}

export const PodAffinityTerm = struct("io.k8s.api.core.v1.PodAffinityTerm", {
  labelSelector: ptr(1, LabelSelector),
  namespaces: opt(2, listOf(string), { listType: "atomic" }),
  topologyKey: req(3, string),
  namespaceSelector: ptr(4, LabelSelector),
  matchLabelKeys: opt(5, listOf(string), { listType: "atomic" }),
  mismatchLabelKeys: opt(6, listOf(string), { listType: "atomic" }),
});
export interface PodAffinityTerm extends Infer<typeof PodAffinityTerm> {}

export const WeightedPodAffinityTerm = struct("io.k8s.api.core.v1.WeightedPodAffinityTerm", {
  weight: req(1, int32),
  podAffinityTerm: req(2, PodAffinityTerm),
});
export interface WeightedPodAffinityTerm extends Infer<typeof WeightedPodAffinityTerm> {}

export const PodAffinity = struct("io.k8s.api.core.v1.PodAffinity", {
  requiredDuringSchedulingIgnoredDuringExecution: opt(1, listOf(PodAffinityTerm), {
    listType: "atomic",
  }),
  preferredDuringSchedulingIgnoredDuringExecution: opt(2, listOf(WeightedPodAffinityTerm), {
    listType: "atomic",
  }),
});
export interface PodAffinity extends Infer<typeof PodAffinity> {}

export const PodAntiAffinity = struct("io.k8s.api.core.v1.PodAntiAffinity", {
  requiredDuringSchedulingIgnoredDuringExecution: opt(1, listOf(PodAffinityTerm), {
    listType: "atomic",
  }),
  preferredDuringSchedulingIgnoredDuringExecution: opt(2, listOf(WeightedPodAffinityTerm), {
    listType: "atomic",
  }),
});
export interface PodAntiAffinity extends Infer<typeof PodAntiAffinity> {}

export const Affinity = struct("io.k8s.api.core.v1.Affinity", {
  nodeAffinity: ptr(1, NodeAffinity),
  podAffinity: ptr(2, PodAffinity),
  podAntiAffinity: ptr(3, PodAntiAffinity),
});
export interface Affinity extends Infer<typeof Affinity> {}
