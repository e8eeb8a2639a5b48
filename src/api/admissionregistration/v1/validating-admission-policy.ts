import { dropStatus, keepStatus, statusSubresource } from "#api/strategies.ts";
import { validatePolicy, validatePolicyStatus } from "./validating-policy-validation.ts";
import { defaultMatchResources } from "./policy-validation.ts";
import { paramKindText } from "./policy-columns.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { Condition } from "#apimachinery/meta/condition.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int64,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";
import { MatchCondition, MatchResources, ParamKind, Variable } from "./policy-matching.ts";

export const Validation = struct("io.k8s.api.admissionregistration.v1.Validation", {
  expression: req(1, string),
  message: opt(2, string),
  reason: ptr(3, named("v1.StatusReason", string)),
  messageExpression: opt(4, string),
});
export interface Validation extends Infer<typeof Validation> {}

export const AuditAnnotation = struct("io.k8s.api.admissionregistration.v1.AuditAnnotation", {
  key: req(1, string),
  valueExpression: req(2, string),
});
export interface AuditAnnotation extends Infer<typeof AuditAnnotation> {}

export const ValidatingAdmissionPolicySpec = struct(
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec",
  {
    paramKind: ptr(1, ParamKind),
    matchConstraints: ptr(2, MatchResources),
    validations: opt(3, listOf(Validation), { listType: "atomic" }),
    failurePolicy: ptr(4, named("v1.FailurePolicyType", string)),
    auditAnnotations: opt(5, listOf(AuditAnnotation), { listType: "atomic" }),
    matchConditions: opt(6, listOf(MatchCondition), {
      listType: "map",
      mapKeys: ["name"],
      patch: "merge",
      mergeKey: "name",
    }),
    variables: opt(7, listOf(Variable), {
      listType: "map",
      mapKeys: ["name"],
      patch: "merge",
      mergeKey: "name",
    }),
  },
);
export interface ValidatingAdmissionPolicySpec extends Infer<
  typeof ValidatingAdmissionPolicySpec
> {}

export const ExpressionWarning = struct("io.k8s.api.admissionregistration.v1.ExpressionWarning", {
  fieldRef: req(2, string),
  warning: req(3, string),
});
export interface ExpressionWarning extends Infer<typeof ExpressionWarning> {}

export const TypeChecking = struct("io.k8s.api.admissionregistration.v1.TypeChecking", {
  expressionWarnings: opt(1, listOf(ExpressionWarning), { listType: "atomic" }),
});
export interface TypeChecking extends Infer<typeof TypeChecking> {}

export const ValidatingAdmissionPolicyStatus = struct(
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyStatus",
  {
    observedGeneration: opt(1, int64),
    typeChecking: ptr(2, TypeChecking),
    conditions: opt(3, listOf(Condition), { listType: "map", mapKeys: ["type"] }),
  },
);
export interface ValidatingAdmissionPolicyStatus extends Infer<
  typeof ValidatingAdmissionPolicyStatus
> {}

export const ValidatingAdmissionPolicy = kind(
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
  {
    metadata,
    spec: req(2, ValidatingAdmissionPolicySpec, { required: false }),
    status: opt(3, ValidatingAdmissionPolicyStatus),
  },
);
export interface ValidatingAdmissionPolicy extends Infer<typeof ValidatingAdmissionPolicy> {}

export const validatingAdmissionPolicies = defineResource<ValidatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: ValidatingAdmissionPolicy,
  strategy: {
    generation: true,
    default({ spec }) {
      spec.failurePolicy ??= "Fail";
      defaultMatchResources(spec.matchConstraints);
    },
    prepareForCreate: dropStatus,
    prepareForUpdate: keepStatus,
    validate: (policy) => [...validatePolicy(policy)],
    validateUpdate: (policy) => [...validatePolicy(policy)],
  },
  columns: [
    nameColumn,
    column("Validations", ({ spec }) => (spec.validations ?? []).length, { description: "How many rules it has.", type: "integer" }),
    column("ParamKind", ({ spec }) => paramKindText(spec.paramKind), { description: "Kind of its parameters." }),
    ageColumn,
  ],
  subresources: {
    status: statusSubresource({ validate: (policy) => [...validatePolicyStatus(policy)] }),
  },
});
