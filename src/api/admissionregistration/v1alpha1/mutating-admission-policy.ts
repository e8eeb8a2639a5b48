import { mutatingPolicyColumns, mutatingPolicyStrategy } from "../v1/mutating-policy-strategy.ts";
import { sameShape } from "#api/strategies.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, named, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";
import { MatchCondition, MatchResources, ParamKind, Variable } from "./policy-matching.ts";

export const ApplyConfiguration = struct(
  "io.k8s.api.admissionregistration.v1alpha1.ApplyConfiguration",
  {
    expression: opt(1, string),
  },
);
export interface ApplyConfiguration extends Infer<typeof ApplyConfiguration> {}

export const JSONPatch = struct("io.k8s.api.admissionregistration.v1alpha1.JSONPatch", {
  expression: opt(1, string),
});
export interface JSONPatch extends Infer<typeof JSONPatch> {}

export const Mutation = struct("io.k8s.api.admissionregistration.v1alpha1.Mutation", {
  patchType: req(2, named("v1alpha1.PatchType", string)),
  applyConfiguration: ptr(3, ApplyConfiguration),
  jsonPatch: ptr(4, JSONPatch),
});
export interface Mutation extends Infer<typeof Mutation> {}

export const MutatingAdmissionPolicySpec = struct(
  "io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicySpec",
  {
    paramKind: ptr(1, ParamKind),
    matchConstraints: ptr(2, MatchResources),
    variables: opt(3, listOf(Variable), { listType: "atomic" }),
    mutations: opt(4, listOf(Mutation), { listType: "atomic" }),
    failurePolicy: ptr(5, named("v1alpha1.FailurePolicyType", string)),
    matchConditions: opt(6, listOf(MatchCondition), {
      listType: "map",
      mapKeys: ["name"],
      patch: "merge",
      mergeKey: "name",
    }),
    reinvocationPolicy: opt(7, string),
  },
);
export interface MutatingAdmissionPolicySpec extends Infer<typeof MutatingAdmissionPolicySpec> {}

export const MutatingAdmissionPolicy = kind(
  "io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicy",
  {
    metadata,
    spec: req(2, MutatingAdmissionPolicySpec, { required: false }),
  },
);
export interface MutatingAdmissionPolicy extends Infer<typeof MutatingAdmissionPolicy> {}

export const mutatingAdmissionPolicies = defineResource<MutatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1alpha1",
  kind: "MutatingAdmissionPolicy",
  plural: "mutatingadmissionpolicies",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: MutatingAdmissionPolicy,
  conversion: sameShape,
  strategy: mutatingPolicyStrategy,
  columns: mutatingPolicyColumns,
  storage: { version: "v1beta1" },
});
