import type { PodRules } from "#api/core/v1/pod-rules.ts";
import {
  compiledSelector,
  validateCounts,
  validateCountsWithin,
  validateSelectorPresent,
  validateWorkloadSelector,
  validateWorkloadTemplate,
} from "#api/core/v1/workload.ts";
import { invalid } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateImmutable,
  validateNonNegative,
} from "#apimachinery/validation/checks.ts";
import type { ReplicaSet } from "./replica-set.ts";

/** Source: pkg/apis/apps/validation/validation.go. */
export function* validateReplicaSet({ spec }: ReplicaSet, rules: PodRules): Findings {
  const { selector } = spec;
  yield* validateNonNegative(spec.replicas, "spec.replicas");
  yield* validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds");
  yield* validateSelectorPresent(selector);
  yield* validateWorkloadSelector(selector, "deployment");
  const compiled = compiledSelector(selector);
  if (compiled === undefined) {
    yield invalid("spec.selector", selector, "invalid label selector");
    return;
  }
  const template = { selector: compiled, rules, owner: "ReplicaSet" };
  yield* validateWorkloadTemplate(spec.template, template);
}

export function* validateReplicaSetUpdate(
  set: ReplicaSet,
  old: ReplicaSet,
  rules: PodRules,
): Findings {
  yield* validateReplicaSet(set, rules);
  yield* validateImmutable(set.spec.selector, old.spec.selector, "spec.selector");
}

/** ReplicationControllers count the same. */
export function* validateReplicaCounts(status: object | undefined): Findings {
  yield* validateCounts(status, [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "terminatingReplicas",
    "observedGeneration",
  ]);
  const within = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
  yield* validateCountsWithin(status, within, { limit: "replicas" });
  const ready = { limit: "readyReplicas", text: "readyReplicas" };
  yield* validateCountsWithin(status, ["availableReplicas"], ready);
}
