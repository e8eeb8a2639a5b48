import type { Pod } from "#api/core/v1/pod.ts";
import type { AdmissionPlugin } from "../admission.ts";

/** How long pods stay on a node that is not ready or not reachable, seconds. */
const tolerationSeconds = 300;
const taints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/**
 * Lets pods stay five minutes on a node that went away. Source:
 * plugin/pkg/admission/defaulttolerationseconds.
 */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  handles: ({ definition, operation, call }) =>
    definition.group === "" &&
    definition.plural === "pods" &&
    (operation === "CREATE" || operation === "UPDATE") &&
    call.subresource === "",
  mutate({ object }) {
    const pod = object as Pod;
    const tolerations = pod.spec?.tolerations ?? [];
    const missing = taints.filter(
      (taint) =>
        !tolerations.some(
          ({ key, effect }) => (key === taint || !key) && (effect === "NoExecute" || !effect),
        ),
    );
    if (missing.length === 0) return undefined;
    const added = missing.map((key) => ({
      key,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds,
    }));
    return { ...pod, spec: { ...pod.spec, tolerations: [...tolerations, ...added] } } as Pod;
  },
};
