import {
  mutatingPolicyBindingColumns,
  mutatingPolicyBindingStrategy,
} from "../v1/mutating-policy-strategy.ts";
import { sameShape } from "#api/strategies.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";
import { MatchResources, ParamRef } from "./policy-matching.ts";

export const MutatingAdmissionPolicyBindingSpec = struct(
  "io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicyBindingSpec",
  {
    policyName: opt(1, string),
    paramRef: ptr(2, ParamRef),
    matchResources: ptr(3, MatchResources),
  },
);
export interface MutatingAdmissionPolicyBindingSpec extends Infer<
  typeof MutatingAdmissionPolicyBindingSpec
> {}

export const MutatingAdmissionPolicyBinding = kind(
  "io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicyBinding",
  {
    metadata,
    spec: req(2, MutatingAdmissionPolicyBindingSpec, { required: false }),
  },
);
export interface MutatingAdmissionPolicyBinding extends Infer<
  typeof MutatingAdmissionPolicyBinding
> {}

export const mutatingAdmissionPolicyBindings = defineResource<MutatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1alpha1",
  kind: "MutatingAdmissionPolicyBinding",
  plural: "mutatingadmissionpolicybindings",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: MutatingAdmissionPolicyBinding,
  conversion: sameShape,
  strategy: mutatingPolicyBindingStrategy,
  columns: mutatingPolicyBindingColumns,
  storage: { version: "v1beta1" },
});
