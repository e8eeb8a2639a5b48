import { validateIntOrPercent, validateShare } from "#api/apps/v1/rolling-update-validation.ts";
import { validateCounts } from "#api/core/v1/workload.ts";
import { invalid } from "#apimachinery/field-error.ts";
import { type Findings, validateSupported } from "#apimachinery/validation/checks.ts";
import { validateConditions } from "#apimachinery/validation/conditions.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import type { PodDisruptionBudget } from "./pod-disruption-budget.ts";

/** Source: pkg/apis/policy/validation/validation.go. */
const evictionPolicies = ["AlwaysAllow", "IfHealthyBudget"];

export function* validateBudget({ spec }: PodDisruptionBudget): Findings {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const value = {
      MinAvailable: minAvailable,
      Selector: selector ?? null,
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: policy ?? null,
    };
    yield invalid("spec", value, "minAvailable and maxUnavailable cannot be both set");
  }
  for (const name of ["minAvailable", "maxUnavailable"] as const) {
    const share = spec[name];
    if (share === undefined) continue;
    yield* validateIntOrPercent(share, `spec.${name}`);
    yield* validateShare(share, `spec.${name}`);
  }
  yield* validateLabelSelector(selector, "spec.selector");
  yield* validateSupported(policy, evictionPolicies, "spec.unhealthyPodEvictionPolicy");
}

export function* validateBudgetStatus({ status }: PodDisruptionBudget): Findings {
  yield* validateConditions(status?.conditions, "status.conditions");
  const counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
  yield* validateCounts(status, counts);
}
