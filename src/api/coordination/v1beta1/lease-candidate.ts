import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  kind,
  microTime,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const LeaseCandidateSpec = struct("io.k8s.api.coordination.v1beta1.LeaseCandidateSpec", {
  leaseName: req(1, string),
  pingTime: ptr(2, microTime),
  renewTime: ptr(3, microTime),
  binaryVersion: req(4, string),
  emulationVersion: opt(5, string),
  strategy: opt(6, named("v1.CoordinatedLeaseStrategy", string), { required: true }),
});
export interface LeaseCandidateSpec extends Infer<typeof LeaseCandidateSpec> {}

export const LeaseCandidate = kind("io.k8s.api.coordination.v1beta1.LeaseCandidate", {
  metadata,
  spec: req(2, LeaseCandidateSpec),
});
export interface LeaseCandidate extends Infer<typeof LeaseCandidate> {}

export const leaseCandidates = defineResource<LeaseCandidate>({
  group: "coordination.k8s.io",
  version: "v1beta1",
  kind: "LeaseCandidate",
  plural: "leasecandidates",
  featureGate: "CoordinatedLeaderElection",
  scope: "Namespaced",
  schema: LeaseCandidate,
});
