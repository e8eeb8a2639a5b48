import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { type Toleration, Toleration as TolerationSchema } from "#api/core/v1/pod-spec.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { type Infer, kind, listOf, opt } from "#apimachinery/schema.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { decodeConfiguration, type PluginConfiguration } from "../configuration.ts";
import { forbid, isAbout } from "../request.ts";

const defaultsAnnotation = "scheduler.alpha.kubernetes.io/defaultTolerations";
const allowedAnnotation = "scheduler.alpha.kubernetes.io/tolerationsWhitelist";

const ConfigurationSchema = kind("io.k8s.kubernetes.plugin.admission.podtolerationrestriction.v1alpha1.Configuration", {
  default: opt(1, listOf(TolerationSchema)),
  whitelist: opt(2, listOf(TolerationSchema)),
});

type ClusterTolerations = Pick<Infer<typeof ConfigurationSchema>, "default" | "whitelist">;

function clusterTolerations(configuration: PluginConfiguration | undefined): ClusterTolerations {
  if (configuration === undefined) return {};
  const accepted = { apiVersions: ["podtolerationrestriction.admission.k8s.io/v1alpha1"], kind: "Configuration" };
  return decodeConfiguration<Infer<typeof ConfigurationSchema>>(configuration, ConfigurationSchema, accepted);
}

/**
 * Tolerations that a namespace gives its pods, and those that it allows them.
 * Source: plugin/pkg/admission/podtolerationrestriction.
 */
export function podTolerationRestriction(namespaces: LiveSet<Namespace>, configuration?: PluginConfiguration): AdmissionPlugin {
  const cluster = clusterTolerations(configuration);
  /** What the namespace says, or else the configuration. */
  const tolerationsOf = ({ call }: AdmissionRequest, annotation: string, otherwise: readonly Toleration[]): readonly Toleration[] => {
    const text = namespaces.get("", call.namespace)?.metadata?.annotations?.[annotation];
    if (text === undefined) return otherwise;
    return text === "" ? [] : (JSON.parse(text) as Toleration[]);
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
      const added = tolerationsOf(request, defaultsAnnotation, cluster.default ?? []);
      const missing = added.filter((one) => !own.some((other) => deepEqual(one, other)));
      if (missing.length === 0) return undefined;
      return { ...pod, spec: { ...pod.spec, tolerations: [...own, ...missing] } } as Pod;
    },
    validate(request) {
      const allowed = tolerationsOf(request, allowedAnnotation, cluster.whitelist ?? []);
      if (allowed.length === 0) return;
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
