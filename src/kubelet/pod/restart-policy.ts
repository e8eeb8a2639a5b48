import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";

/**
 * Whether a container that ended with `exitCode` is started again: its own rules, then its own
 * policy, then the Pod's. Source: pkg/api/v1/pod ContainerShouldRestart, KEP-5307.
 */
export function restartsAfter(container: Container, pod: Pod, exitCode: number): boolean {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    if (exitCodes === undefined || action !== "Restart") continue;
    const listed = (exitCodes.values ?? []).includes(exitCode);
    if (listed === (exitCodes.operator === "In")) return true;
  }
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? "Always";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** The Pod's policy lets a failed container start again. Source: shouldRestartOnFailure. */
export function restartsOnFailure(pod: Pod): boolean {
  return pod.spec.restartPolicy !== "Never";
}
