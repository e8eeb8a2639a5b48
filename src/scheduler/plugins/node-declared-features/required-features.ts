import type { Pod } from "#api/core/v1/pod.ts";

/**
 * Features of a kubelet that a Pod cannot do without. Those that matter for changes of a running Pod only
 * are not among them. Source: k8s.io/component-helpers/nodedeclaredfeatures/features, InferForScheduling.
 */
export function requiredFeatures({ spec }: Pod): readonly string[] {
  const features: string[] = [];
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const restartsAll = containers.some(({ restartPolicyRules }) =>
    restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
  );
  if (restartsAll) features.push("RestartAllContainersOnContainerExits");
  if (spec.hostNetwork === true && spec.hostUsers === false) features.push("UserNamespacesHostNetworkSupport");
  return features;
}
