import type { PodRules } from "#api/core/v1/pod-rules.ts";
import {
  compiledSelector,
  validateCollisionCount,
  validateCounts,
  validateWorkloadSelector,
  validateWorkloadTemplate,
} from "#api/core/v1/workload.ts";
import { invalid, notSupported, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateImmutable,
  validateNonNegative,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { type DaemonSet, type DaemonSetSpec, DaemonSetUpdateStrategy } from "./daemon-set.ts";
import { isZero, validateIntOrPercent, validateShare } from "./rolling-update-validation.ts";

/** Source: pkg/apis/apps/validation/validation.go. */
export function* validateDaemonSet({ spec }: DaemonSet, rules: PodRules): Findings {
  yield* validateWorkloadSelector(spec.selector, "daemonset");
  const selector = compiledSelector(spec.selector);
  if (selector !== undefined) {
    yield* validateWorkloadTemplate(spec.template, { selector, rules, owner: "DaemonSet" });
  }
  yield* validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds");
  yield* validateUpdateStrategy(spec.updateStrategy);
  yield* validateNonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit");
}

function* validateUpdateStrategy(strategy: DaemonSetSpec["updateStrategy"] = {}): Findings {
  const { type = "", rollingUpdate: rolling } = strategy;
  const path = "spec.updateStrategy";
  if (type === "OnDelete") return;
  if (type !== "RollingUpdate") {
    const value = internalValue(DaemonSetUpdateStrategy, strategy);
    yield notSupported(path, value, ["RollingUpdate", "OnDelete"]);
    return;
  }
  const at = `${path}.rollingUpdate`;
  if (rolling === undefined) {
    yield required(at, "");
    return;
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rolling;
  yield* validateIntOrPercent(maxUnavailable, `${at}.maxUnavailable`);
  yield* validateIntOrPercent(maxSurge, `${at}.maxSurge`);
  if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
    const detail = "may not be set when maxUnavailable is non-zero";
    yield invalid(`${at}.maxSurge`, maxSurge, detail);
  } else if (isZero(maxUnavailable) && isZero(maxSurge)) {
    yield required(`${at}.maxUnavailable`, "cannot be 0 when maxSurge is 0");
  }
  yield* validateShare(maxUnavailable, `${at}.maxUnavailable`);
  yield* validateShare(maxSurge, `${at}.maxSurge`);
}

export function* validateDaemonSetUpdate(
  set: DaemonSet,
  old: DaemonSet,
  rules: PodRules,
): Findings {
  yield* validateImmutable(set.spec.selector, old.spec.selector, "spec.selector");
  yield* validateDaemonSet(set, rules);
}

export function* validateDaemonSetStatus({ status }: DaemonSet, old: DaemonSet): Findings {
  yield* validateCounts(status, [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ]);
  yield* validateCollisionCount(status, old.status);
}
