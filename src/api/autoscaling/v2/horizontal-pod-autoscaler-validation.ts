import { invalid, notSupported, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateNonNegative,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { checkPathSegment } from "#apimachinery/validation/names.ts";
import { validateNonNegativeQuantity } from "#api/core/v1/resource-name.ts";
import type { HorizontalPodAutoscaler, HPAScalingRules } from "./horizontal-pod-autoscaler.ts";
import { validateMetrics } from "./metric-validation.ts";
import type { CrossVersionObjectReference } from "./metric.ts";

/** Source: pkg/apis/autoscaling/validation/validation.go. */
const periodSecondsMax = 1800;
const stabilizationSecondsMax = 3600;

export interface AutoscalerRules {
  /** Gate HPAScaleToZero. */
  readonly minReplicasMin: number;
}

export function* validateAutoscaler(
  { spec }: HorizontalPodAutoscaler,
  { minReplicasMin }: AutoscalerRules,
): Findings {
  const { minReplicas, maxReplicas } = spec;
  if (minReplicas !== undefined && minReplicas < minReplicasMin) {
    const detail = `must be greater than or equal to ${minReplicasMin}`;
    yield invalid("spec.minReplicas", minReplicas, detail);
  }
  if (maxReplicas === 0) yield required("spec.maxReplicas", "must be set and greater than 0");
  else if (maxReplicas < 1) {
    yield invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to 1");
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const detail = "must be greater than or equal to `minReplicas`";
    yield invalid("spec.maxReplicas", maxReplicas, detail);
  }
  const path = "spec.scaleTargetRef";
  yield* validateTargetReference(spec.scaleTargetRef, path);
  yield* validateApiVersion(spec.scaleTargetRef.apiVersion ?? "", `${path}.apiVersion`);
  yield* validateMetrics(spec.metrics ?? [], minReplicas);
  yield* validateRules(spec.behavior?.scaleUp, "spec.behavior.scaleUp");
  yield* validateRules(spec.behavior?.scaleDown, "spec.behavior.scaleDown");
}

export function* validateTargetReference(
  { kind, name }: CrossVersionObjectReference,
  path: string,
): Findings {
  if (kind === "") yield required(`${path}.kind`, "");
  else yield* invalidTexts(`${path}.kind`, kind, checkPathSegment(kind));
  if (name === "") yield required(`${path}.name`, "");
  else yield* invalidTexts(`${path}.name`, name, checkPathSegment(name));
}

function* validateApiVersion(apiVersion: string, path: string): Findings {
  const parts = apiVersion.split("/");
  if (parts.length > 2) {
    yield invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  } else if (apiVersion === "" || (parts.length === 2 && parts[0] === "")) {
    yield invalid(path, apiVersion, "apiVersion must specify API group");
  }
}

function* validateRules(rules: HPAScalingRules | undefined, path: string): Findings {
  if (rules === undefined) return;
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  if (seconds !== undefined) {
    const at = `${path}.stabilizationWindowSeconds`;
    if (seconds < 0) yield invalid(at, seconds, "must be greater than or equal to zero");
    if (seconds > stabilizationSecondsMax) {
      yield invalid(at, seconds, `must be less than or equal to ${stabilizationSecondsMax}`);
    }
  }
  yield* validateSupported(selectPolicy, ["Disabled", "Max", "Min"], `${path}.selectPolicy`);
  if (policies.length === 0) yield required(`${path}.policies`, "must specify at least one Policy");
  for (const [i, policy] of policies.entries()) {
    const at = `${path}.policies[${i}]`;
    if (policy.type !== "Pods" && policy.type !== "Percent") {
      yield notSupported(`${at}.type`, policy.type, ["Percent", "Pods"]);
    }
    if (policy.value <= 0) yield invalid(`${at}.value`, policy.value, "must be greater than zero");
    const { periodSeconds: period } = policy;
    if (period <= 0) yield invalid(`${at}.periodSeconds`, period, "must be greater than zero");
    if (period > periodSecondsMax) {
      const detail = `must be less than or equal to ${periodSecondsMax}`;
      yield invalid(`${at}.periodSeconds`, period, detail);
    }
  }
  if (tolerance !== undefined) yield* validateNonNegativeQuantity(tolerance, `${path}.tolerance`);
}

export function* validateAutoscalerStatus({ status }: HorizontalPodAutoscaler): Findings {
  yield* validateNonNegative(status?.currentReplicas, "status.currentReplicas");
  yield* validateNonNegative(status?.desiredReplicas, "status.desiredReplicas");
}
