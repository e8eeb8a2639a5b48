import type { PodFailurePolicy, PodFailurePolicyRule } from "#api/batch/v1/job-spec.ts";
import type { Pod } from "#api/core/v1/pod.ts";

export interface PolicyVerdict {
  readonly action: "FailJob" | "FailIndex" | "Ignore" | "Count";
  /** Why the Job fails; with `FailJob` only. */
  readonly message?: string;
}

/** The first rule that the failed Pod matches; `Count` when none does. Source: pod_failure_policy.go. */
export function judgeFailure(policy: PodFailurePolicy | undefined, pod: Pod): PolicyVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const why = matchExitCodes(rule, pod) ?? matchConditions(rule, pod);
    if (why === undefined) continue;
    const action = rule.action as PolicyVerdict["action"];
    const message = `${why} matching ${action} rule at index ${index}`;
    return action === "FailJob" ? { action, message } : { action };
  }
  return { action: "Count" };
}

function matchExitCodes({ onExitCodes }: PodFailurePolicyRule, pod: Pod): string | undefined {
  if (onExitCodes === undefined) return undefined;
  const { containerName, operator, values } = onExitCodes;
  for (const status of [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
  ]) {
    const exitCode = status.state?.terminated?.exitCode ?? 0;
    if (exitCode === 0 || (containerName !== undefined && containerName !== status.name)) continue;
    if (values.includes(exitCode) !== (operator === "In")) continue;
    return `Container ${status.name} for pod ${placeOf(pod)} failed with exit code ${exitCode}`;
  }
  return undefined;
}

function matchConditions(
  { onPodConditions = [] }: PodFailurePolicyRule,
  pod: Pod,
): string | undefined {
  for (const { type, status } of onPodConditions ?? []) {
    const found = pod.status?.conditions?.some(
      (condition) => condition.type === type && condition.status === (status || "True"),
    );
    if (found) return `Pod ${placeOf(pod)} has condition ${type}`;
  }
  return undefined;
}

function placeOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}
