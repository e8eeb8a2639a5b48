/** Small plugins that are off unless asked for. */
import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { isExtendedResourceName } from "#api/core/v1/resource-name.ts";
import type { Service } from "#api/core/v1/service.ts";
import { invalid } from "#apimachinery/field-error.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import { invalidStatus, notFound } from "#apimachinery/status.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import type { PluginConfiguration } from "../configuration.ts";
import { forbid, isAbout, isNamespaceKind } from "../request.ts";

function isPodWrite(request: AdmissionRequest): boolean {
  return (
    (request.operation === "CREATE" || request.operation === "UPDATE") &&
    isAbout(request, "", "pods")
  );
}

/**
 * An image on the node is of no use without the credentials to pull it. Source:
 * plugin/pkg/admission/alwayspullimages.
 */
export const alwaysPullImages: AdmissionPlugin = {
  name: "AlwaysPullImages",
  handles: isPodWrite,
  mutate({ object }) {
    const pod = object as Pod;
    const pulled = <C extends Pick<Container, "imagePullPolicy">>(container: C): C => ({
      ...container,
      imagePullPolicy: "Always",
    });
    const { spec } = pod;
    return {
      ...pod,
      spec: {
        ...spec,
        containers: (spec?.containers ?? []).map(pulled),
        ...(spec?.initContainers && { initContainers: spec.initContainers.map(pulled) }),
        ...(spec?.ephemeralContainers && {
          ephemeralContainers: spec.ephemeralContainers.map(pulled),
        }),
      },
    } as Pod;
  },
  validate({ object, name }) {
    const { spec } = object as Pod;
    const lists = ["containers", "initContainers", "ephemeralContainers"] as const;
    const errors = lists.flatMap((list) =>
      (spec?.[list] ?? []).flatMap(({ imagePullPolicy }, index) =>
        imagePullPolicy === "Always"
          ? []
          : [
              invalid(
                `spec.${list}[${index}].imagePullPolicy`,
                imagePullPolicy ?? "",
                'must be "Always"',
              ),
            ],
      ),
    );
    if (errors.length > 0) throw invalidStatus({ group: "", kind: "Pod" }, name, errors);
  },
};

/** Source: plugin/pkg/admission/denyserviceexternalips. */
export const denyServiceExternalIps: AdmissionPlugin = {
  name: "DenyServiceExternalIPs",
  handles: (request) => request.operation !== "DELETE" && isAbout(request, "", "services"),
  validate(request) {
    const before = new Set((request.oldObject as Service | undefined)?.spec?.externalIPs ?? []);
    const added = ((request.object as Service).spec?.externalIPs ?? []).filter(
      (address) => !before.has(address),
    );
    if (added.length > 0)
      throw forbid(request, "Use of external IPs is denied by admission control");
  },
};

/**
 * Nodes with rare devices can be tainted with the device's name. Source:
 * plugin/pkg/admission/extendedresourcetoleration.
 */
export const extendedResourceToleration: AdmissionPlugin = {
  name: "ExtendedResourceToleration",
  handles: isPodWrite,
  mutate({ object }) {
    const pod = object as Pod;
    const { containers = [], initContainers = [], tolerations = [] } = pod.spec ?? {};
    const names = [...containers, ...initContainers].flatMap(({ resources }) =>
      Object.keys(resources?.requests ?? {}),
    );
    const wanted = [...new Set(names)].filter(isExtendedResourceName).sort();
    const missing = wanted.filter(
      (key) => !tolerations.some((one) => one.key === key && one.operator === "Exists"),
    );
    if (missing.length === 0) return undefined;
    const added = missing.map((key) => ({ key, operator: "Exists", effect: "NoSchedule" }));
    return { ...pod, spec: { ...pod.spec, tolerations: [...tolerations, ...added] } } as Pod;
  },
};

const hostname = "kubernetes.io/hostname";

/** Source: plugin/pkg/admission/antiaffinity. */
export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: "LimitPodHardAntiAffinityTopology",
  handles: isPodWrite,
  validate(request) {
    const { affinity } = (request.object as Pod).spec ?? {};
    for (const { topologyKey } of affinity?.podAntiAffinity
      ?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (topologyKey === hostname) continue;
      throw forbid(
        request,
        `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${topologyKey} but only key ${hostname} is allowed`,
      );
    }
  },
};

/** Source: plugin/pkg/admission/namespace/exists. */
export function namespaceExists(namespaces: LiveSet<Namespace>): AdmissionPlugin {
  return {
    name: "NamespaceExists",
    handles: ({ call, definition }) => call.namespace !== "" && !isNamespaceKind(definition),
    validate({ call }) {
      if (namespaces.get("", call.namespace) !== undefined) return;
      throw notFound({ group: "", resource: "namespaces" }, call.namespace);
    },
  };
}

const nodeSelectorAnnotation = "scheduler.alpha.kubernetes.io/node-selector";

/** `a=b,c=d`. */
function labelsOf(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.split("=").map((part) => part.trim()));
  return Object.fromEntries(pairs.filter(([key]) => key).map(([key = "", value = ""]) => [key, value]));
}

/** Source: plugin/pkg/admission/podnodeselector. */
export function podNodeSelector(namespaces: LiveSet<Namespace>, configuration?: PluginConfiguration): AdmissionPlugin {
  const told = configuration?.value["podNodeSelectorPluginConfig"];
  const selectors = new Map(isJsonMap(told) ? Object.entries(told).map(([name, text]) => [name, labelsOf(String(text))]) : []);
  const wantedOf = ({ call }: AdmissionRequest): Record<string, string> => {
    const text = namespaces.get("", call.namespace)?.metadata?.annotations?.[nodeSelectorAnnotation];
    return text === undefined ? (selectors.get("clusterDefaultNodeSelector") ?? {}) : labelsOf(text);
  };
  /** Whether the pod asks for nothing but what the configuration allows its namespace. */
  const isAllowed = (pod: Pod, namespace: string): boolean => {
    const allowed = selectors.get(namespace) ?? {};
    if (Object.keys(allowed).length === 0) return true;
    return Object.entries(pod.spec?.nodeSelector ?? {}).every(([key, value]) => allowed[key] === value);
  };
  const conflicts = (pod: Pod, wanted: Record<string, string>): boolean =>
    Object.entries(wanted).some(
      ([key, value]) => (pod.spec?.nodeSelector?.[key] ?? value) !== value,
    );
  const conflictText = "pod node label selector conflicts with its namespace node label selector";
  return {
    name: "PodNodeSelector",
    handles: (request) => request.operation === "CREATE" && isAbout(request, "", "pods"),
    mutate(request) {
      const pod = request.object as Pod;
      const wanted = wantedOf(request);
      if (conflicts(pod, wanted)) throw forbid(request, conflictText);
      if (Object.keys(wanted).length === 0) return undefined;
      return {
        ...pod,
        spec: { ...pod.spec, nodeSelector: { ...pod.spec?.nodeSelector, ...wanted } },
      } as Pod;
    },
    validate(request) {
      const pod = request.object as Pod;
      if (conflicts(pod, wantedOf(request))) throw forbid(request, conflictText);
      if (isAllowed(pod, request.call.namespace)) return;
      throw forbid(request, "pod node label selector labels conflict with its namespace whitelist");
    },
  };
}
