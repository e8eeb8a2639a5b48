import { validatePolicyBinding } from "./validating-policy-validation.ts";
import { defaultMatchResources } from "./policy-validation.ts";
import { paramRefText } from "./policy-columns.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, named, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";
import { MatchResources, ParamRef } from "./policy-matching.ts";

export const ValidatingAdmissionPolicyBindingSpec = struct(
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec",
  {
    policyName: opt(1, string, { required: true }),
    paramRef: ptr(2, ParamRef),
    matchResources: ptr(3, MatchResources),
    validationActions: opt(4, listOf(named("v1.ValidationAction", string)), { required: true, listType: "set" }),
  },
);
export interface ValidatingAdmissionPolicyBindingSpec extends Infer<
  typeof ValidatingAdmissionPolicyBindingSpec
> {}

export const ValidatingAdmissionPolicyBinding = kind(
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
  {
    metadata,
    spec: req(2, ValidatingAdmissionPolicyBindingSpec),
  },
);
export interface ValidatingAdmissionPolicyBinding extends Infer<
  typeof ValidatingAdmissionPolicyBinding
> {}

export const validatingAdmissionPolicyBindings = defineResource<ValidatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: ValidatingAdmissionPolicyBinding,
  strategy: {
    generation: true,
    default: ({ spec }) => defaultMatchResources(spec.matchResources),
    validate: (binding) => [...validatePolicyBinding(binding)],
    validateUpdate: (binding) => [...validatePolicyBinding(binding)],
  },
  columns: [
    nameColumn,
    column("PolicyName", ({ spec }) => spec.policyName ?? "", { description: "Policy that is bound." }),
    column("ParamRef", ({ spec }) => paramRefText(spec.paramRef), { description: "Parameters of the policy." }),
    ageColumn,
  ],
});
