import { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { bool, type Infer, int32, int64, listOf, named, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const PodFailurePolicyOnExitCodesRequirement = struct(
  "io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement",
  {
    containerName: ptr(1, string),
    operator: req(2, named("v1.PodFailurePolicyOnExitCodesOperator", string)),
    values: req(3, listOf(int32), { listType: "set" }),
  },
);
export interface PodFailurePolicyOnExitCodesRequirement extends Infer<typeof PodFailurePolicyOnExitCodesRequirement> {}

export const PodFailurePolicyOnPodConditionsPattern = struct(
  "io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern",
  {
    type: req(1, named("v1.PodConditionType", string)),
    status: req(2, named("v1.ConditionStatus", string), { required: false }),
  },
);
export interface PodFailurePolicyOnPodConditionsPattern extends Infer<typeof PodFailurePolicyOnPodConditionsPattern> {}

export const PodFailurePolicyRule = struct("io.k8s.api.batch.v1.PodFailurePolicyRule", {
  action: req(1, named("v1.PodFailurePolicyAction", string)),
  onExitCodes: ptr(2, PodFailurePolicyOnExitCodesRequirement),
  onPodConditions: opt(3, listOf(PodFailurePolicyOnPodConditionsPattern), { listType: "atomic" }),
});
export interface PodFailurePolicyRule extends Infer<typeof PodFailurePolicyRule> {}

export const PodFailurePolicy = struct("io.k8s.api.batch.v1.PodFailurePolicy", {
  rules: req(1, listOf(PodFailurePolicyRule), { listType: "atomic" }),
});
export interface PodFailurePolicy extends Infer<typeof PodFailurePolicy> {}

export const SuccessPolicyRule = struct("io.k8s.api.batch.v1.SuccessPolicyRule", {
  succeededIndexes: ptr(1, string),
  succeededCount: ptr(2, int32),
});
export interface SuccessPolicyRule extends Infer<typeof SuccessPolicyRule> {}

export const SuccessPolicy = struct("io.k8s.api.batch.v1.SuccessPolicy", {
  rules: req(1, listOf(SuccessPolicyRule), { listType: "atomic" }),
});
export interface SuccessPolicy extends Infer<typeof SuccessPolicy> {}

export const JobSpec = struct("io.k8s.api.batch.v1.JobSpec", {
  parallelism: ptr(1, int32),
  completions: ptr(2, int32),
  activeDeadlineSeconds: ptr(3, int64),
  podFailurePolicy: ptr(11, PodFailurePolicy),
  successPolicy: ptr(16, SuccessPolicy),
  backoffLimit: ptr(7, int32),
  backoffLimitPerIndex: ptr(12, int32),
  maxFailedIndexes: ptr(13, int32),
  selector: ptr(4, LabelSelector),
  manualSelector: ptr(5, bool),
  template: req(6, PodTemplateSpec),
  ttlSecondsAfterFinished: ptr(8, int32),
  completionMode: ptr(9, named("v1.CompletionMode", string)),
  suspend: ptr(10, bool),
  podReplacementPolicy: ptr(14, named("v1.PodReplacementPolicy", string)),
  managedBy: ptr(15, string),
});
export interface JobSpec extends Infer<typeof JobSpec> {}
