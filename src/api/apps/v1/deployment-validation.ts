import type { PodRules } from "#api/core/v1/pod-rules.ts";
import {
  compiledSelector,
  validateCollisionCount,
  validateCounts,
  validateCountsWithin,
  validateSelectorPresent,
  validateWorkloadSelector,
  validateWorkloadTemplate,
} from "#api/core/v1/workload.ts";
import { forbidden, invalid, notSupported } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateImmutable,
  validateNonNegative,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { type Deployment, type DeploymentSpec, DeploymentStrategy } from "./deployment.ts";
import { isZero, validateIntOrPercent, validateShare } from "./rolling-update-validation.ts";

/** Source: pkg/apis/apps/validation/validation.go. */
export function* validateDeployment({ spec }: Deployment, rules: PodRules): Findings {
  const { selector } = spec;
  yield* validateNonNegative(spec.replicas, "spec.replicas");
  yield* validateSelectorPresent(selector);
  yield* validateWorkloadSelector(selector, "deployment");
  const compiled = compiledSelector(selector);
  if (compiled === undefined) {
    yield invalid("spec.selector", selector, "invalid label selector");
  } else {
    const template = { selector: compiled, rules, owner: "ReplicaSet" };
    yield* validateWorkloadTemplate(spec.template, template);
  }
  yield* validateStrategy(spec.strategy);
  const { minReadySeconds = 0, progressDeadlineSeconds: progress } = spec;
  yield* validateNonNegative(minReadySeconds, "spec.minReadySeconds");
  yield* validateNonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit");
  if (progress === undefined) return;
  yield* validateNonNegative(progress, "spec.progressDeadlineSeconds");
  if (progress <= minReadySeconds) {
    const detail = "must be greater than minReadySeconds";
    yield invalid("spec.progressDeadlineSeconds", progress, detail);
  }
}

function* validateStrategy(strategy: DeploymentSpec["strategy"] = {}): Findings {
  const { type = "", rollingUpdate: rolling } = strategy;
  const path = "spec.strategy";
  if (type === "Recreate") {
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    if (rolling !== undefined) yield forbidden(`${path}.rollingUpdate`, detail);
  } else if (type === "RollingUpdate") {
    if (rolling === undefined) return;
    const { maxUnavailable = 0, maxSurge = 0 } = rolling;
    const at = `${path}.rollingUpdate`;
    yield* validateIntOrPercent(maxUnavailable, `${at}.maxUnavailable`);
    yield* validateIntOrPercent(maxSurge, `${at}.maxSurge`);
    if (isZero(maxUnavailable) && isZero(maxSurge)) {
      yield invalid(`${at}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0");
    }
    yield* validateShare(maxUnavailable, `${at}.maxUnavailable`);
  } else {
    const value = internalValue(DeploymentStrategy, strategy);
    yield notSupported(path, value, ["Recreate", "RollingUpdate"]);
  }
}

export function* validateDeploymentUpdate(
  deployment: Deployment,
  old: Deployment,
  rules: PodRules,
): Findings {
  yield* validateDeployment(deployment, rules);
  yield* validateImmutable(deployment.spec.selector, old.spec.selector, "spec.selector");
}

export function* validateDeploymentStatus({ status }: Deployment, old: Deployment): Findings {
  yield* validateCounts(status, [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
  ]);
  const within = ["updatedReplicas", "readyReplicas", "availableReplicas"];
  yield* validateCountsWithin(status, within, { limit: "replicas" });
  const ready = { limit: "readyReplicas", text: "readyReplicas" };
  yield* validateCountsWithin(status, ["availableReplicas"], ready);
  yield* validateCollisionCount(status, old.status);
}
