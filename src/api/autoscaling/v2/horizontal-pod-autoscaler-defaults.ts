import type {
  HorizontalPodAutoscaler,
  HPAScalingPolicy,
  HPAScalingRules,
} from "./horizontal-pod-autoscaler.ts";
import type { MetricSpec } from "./metric.ts";

/** Source: pkg/apis/autoscaling/v2/defaults.go and pkg/apis/autoscaling/annotations.go. */
const utilizationDefault = 80;
const periodSeconds = 15;

const scaleUpPolicies: readonly HPAScalingPolicy[] = [
  { type: "Pods", value: 4, periodSeconds },
  { type: "Percent", value: 100, periodSeconds },
];
const scaleDownPolicies: readonly HPAScalingPolicy[] = [
  { type: "Percent", value: 100, periodSeconds },
];

/** The metric of autoscalers that name none. */
export function cpuMetric(averageUtilization = utilizationDefault): MetricSpec {
  const target = { type: "Utilization", averageUtilization };
  return { type: "Resource", resource: { name: "cpu", target } };
}

export function defaultAutoscaler({ spec }: HorizontalPodAutoscaler): void {
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) spec.metrics = [cpuMetric()];
  const { behavior } = spec;
  if (behavior === undefined) return;
  behavior.scaleUp = withDefaults(behavior.scaleUp, scaleUpPolicies);
  behavior.scaleUp.stabilizationWindowSeconds ??= 0;
  behavior.scaleDown = withDefaults(behavior.scaleDown, scaleDownPolicies);
}

function withDefaults(
  rules: HPAScalingRules | undefined,
  policies: readonly HPAScalingPolicy[],
): HPAScalingRules {
  return {
    ...rules,
    selectPolicy: rules?.selectPolicy ?? "Max",
    policies: rules?.policies ?? policies.map((policy) => ({ ...policy })),
  };
}
