import { statusSubresource } from "#api/strategies.ts";
import {
  type AutoscalerRules,
  validateAutoscaler,
  validateAutoscalerStatus,
} from "./horizontal-pod-autoscaler-validation.ts";
import { autoscalerColumns } from "./horizontal-pod-autoscaler-columns.ts";
import { defaultAutoscaler } from "./horizontal-pod-autoscaler-defaults.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource, type FeatureReader } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  int64,
  kind,
  listOf,
  named,
  opt,
  ptr,
  quantity,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";
import { CrossVersionObjectReference, MetricSpec, MetricStatus } from "./metric.ts";

export const HPAScalingPolicy = struct("io.k8s.api.autoscaling.v2.HPAScalingPolicy", {
  type: req(1, named("v2.HPAScalingPolicyType", string)),
  value: req(2, int32),
  periodSeconds: req(3, int32),
});
export interface HPAScalingPolicy extends Infer<typeof HPAScalingPolicy> {}

export const HPAScalingRules = struct("io.k8s.api.autoscaling.v2.HPAScalingRules", {
  stabilizationWindowSeconds: ptr(3, int32),
  selectPolicy: ptr(1, named("v2.ScalingPolicySelect", string)),
  policies: opt(2, listOf(HPAScalingPolicy), { listType: "atomic" }),
  tolerance: ptr(4, quantity),
});
export interface HPAScalingRules extends Infer<typeof HPAScalingRules> {}

export const HorizontalPodAutoscalerBehavior = struct(
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior",
  {
    scaleUp: ptr(1, HPAScalingRules),
    scaleDown: ptr(2, HPAScalingRules),
  },
);
export interface HorizontalPodAutoscalerBehavior extends Infer<
  typeof HorizontalPodAutoscalerBehavior
> {}

export const HorizontalPodAutoscalerSpec = struct(
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec",
  {
    scaleTargetRef: req(1, CrossVersionObjectReference),
    minReplicas: ptr(2, int32),
    maxReplicas: req(3, int32),
    metrics: opt(4, listOf(MetricSpec), { listType: "atomic" }),
    behavior: ptr(5, HorizontalPodAutoscalerBehavior),
  },
);
export interface HorizontalPodAutoscalerSpec extends Infer<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerCondition = struct(
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition",
  {
    type: req(1, named("v2.HorizontalPodAutoscalerConditionType", string)),
    status: req(2, named("v1.ConditionStatus", string)),
    lastTransitionTime: opt(3, time),
    reason: opt(4, string),
    message: opt(5, string),
  },
);
export interface HorizontalPodAutoscalerCondition extends Infer<
  typeof HorizontalPodAutoscalerCondition
> {}

export const HorizontalPodAutoscalerStatus = struct(
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus",
  {
    observedGeneration: ptr(1, int64),
    lastScaleTime: ptr(2, time),
    currentReplicas: opt(3, int32),
    desiredReplicas: req(4, int32),
    currentMetrics: req(5, listOf(MetricStatus), { required: false, listType: "atomic" }),
    conditions: opt(6, listOf(HorizontalPodAutoscalerCondition), {
      listType: "map",
      mapKeys: ["type"],
      patch: "merge",
      mergeKey: "type",
    }),
  },
);
export interface HorizontalPodAutoscalerStatus extends Infer<
  typeof HorizontalPodAutoscalerStatus
> {}

export const HorizontalPodAutoscaler = kind("io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler", {
  metadata,
  spec: req(2, HorizontalPodAutoscalerSpec),
  status: opt(3, HorizontalPodAutoscalerStatus),
});
export interface HorizontalPodAutoscaler extends Infer<typeof HorizontalPodAutoscaler> {}

export const horizontalPodAutoscalers = defineResource<HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  scope: "Namespaced",
  schema: HorizontalPodAutoscaler,
  strategy: {
    default: defaultAutoscaler,
    prepareForCreate(autoscaler) {
      autoscaler.status = emptyStatus;
    },
    prepareForUpdate(autoscaler, { old }) {
      autoscaler.status = old.status ?? emptyStatus;
    },
    validate: (autoscaler, { features }) => [...validateAutoscaler(autoscaler, rulesOf(features))],
    validateUpdate: (autoscaler, { features, old }) => [
      ...validateAutoscaler(autoscaler, rulesOf(features, old)),
    ],
  },
  columns: autoscalerColumns,
  subresources: {
    status: statusSubresource({
      validate: (autoscaler) => [...validateAutoscalerStatus(autoscaler)],
    }),
  },
});

const emptyStatus: HorizontalPodAutoscalerStatus = Object.freeze({
  desiredReplicas: 0,
  currentMetrics: [],
});

function rulesOf(features: FeatureReader, old?: HorizontalPodAutoscaler): AutoscalerRules {
  const mayBeZero = features.enabled("HPAScaleToZero") || old?.spec.minReplicas === 0;
  return { minReplicasMin: mayBeZero ? 0 : 1 };
}
