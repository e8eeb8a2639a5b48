import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Toleration } from "#api/core/v1/pod-spec.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { forbid, isAbout } from "../request.ts";

const defaultsAnnotation = "scheduler.alpha.kubernetes.io/defaultTolerations";
const allowedAnnotation = "scheduler.alpha.kubernetes.io/tolerationsWhitelist";

/**
 * Tolerations that a namespace gives its pods, and those that it allows them.
 * Source: plugin/pkg/admission/podtolerationrestriction.
 */
export function podTolerationRestriction(namespaces: LiveSet<Namespace>): AdmissionPlugin {
  const annotated = ({ call }: AdmissionRequest, annotation: string): Toleration[] | undefined => {
    const text = namespaces.get("", call.namespace)?.metadata?.annotations?.[annotation];
    return text ? (JSON.parse(text) as Toleration[]) : undefined;
  };
  return {
    name: "PodTolerationRestriction",
    handles: (request) =>
      (request.operation === "CREATE" || request.operation === "UPDATE") &&
      isAbout(request, "", "pods"),
    mutate(request) {
      if (request.operation !== "CREATE") return undefined;
      const pod = request.object as Pod;
      const own = pod.spec?.tolerations ?? [];
      const added = annotated(request, defaultsAnnotation) ?? [];
      const missing = added.filter((one) => !own.some((other) => deepEqual(one, other)));
      if (missing.length === 0) return undefined;
      return { ...pod, spec: { ...pod.spec, tolerations: [...own, ...missing] } } as Pod;
    },
    validate(request) {
      const allowed = annotated(request, allowedAnnotation);
      if (allowed === undefined || allowed.length === 0) return;
      const own = (request.object as Pod).spec?.tolerations ?? [];
      if (own.every((one) => allowed.some((other) => isWithin(one, other)))) return;
      throw forbid(
        request,
        "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist",
      );
    },
  };
}

/** Whether `wider` tolerates all that `one` does. */
function isWithin(one: Toleration, wider: Toleration): boolean {
  if (wider.key && wider.key !== one.key) return false;
  if (wider.effect && wider.effect !== one.effect) return false;
  if (wider.operator === "Exists" || !wider.key) return true;
  return one.operator !== "Exists" && (one.value ?? "") === (wider.value ?? "");
}
