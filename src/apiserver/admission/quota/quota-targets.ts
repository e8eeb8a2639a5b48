import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { countName, type QuotaTarget } from "#api/core/v1/quota-usage.ts";
import { isExtendedResourceName, isHugePageName } from "#api/core/v1/resource-name.ts";
import type { AdmissionRequest } from "../request.ts";

/** What a quota must name explicitly in each container. */
const constrained = [
  "cpu",
  "memory",
  "requests.cpu",
  "requests.memory",
  "limits.cpu",
  "limits.memory",
];

const plain: Readonly<Record<string, readonly string[]>> = {
  configmaps: ["configmaps"],
  persistentvolumeclaims: ["persistentvolumeclaims", "requests.storage"],
  pods: [
    "pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
  ],
  replicationcontrollers: ["replicationcontrollers"],
  resourcequotas: ["resourcequotas"],
  secrets: ["secrets"],
  services: ["services", "services.nodeports", "services.loadbalancers"],
};

/** Whether objects of a kind can count under a name of a quota. Source: MatchingResources. */
export function countsUnder(target: QuotaTarget, name: string): boolean {
  if (name === countName(target)) return true;
  if (target.group !== "") return false;
  if (plain[target.plural]?.includes(name) === true) return true;
  if (target.plural === "persistentvolumeclaims")
    return name.includes(".storageclass.storage.k8s.io/");
  if (target.plural !== "pods") return false;
  const asked = name.startsWith("requests.") ? name.slice("requests.".length) : name;
  if (isHugePageName(asked)) return true;
  if (asked === name) return false;
  return plain["pods"]?.includes(asked) === true || isExtendedResourceName(asked);
}

/** Requests that quotas count: creations, and changes of kinds whose size can change. */
export function isCounted({ operation, definition, call }: AdmissionRequest): boolean {
  const { group, plural } = definition;
  if (definition.handler !== undefined || (group === "" && plural === "events")) return false;
  if (operation === "CREATE") return call.subresource === "";
  if (operation !== "UPDATE" || group !== "") return false;
  if (plural === "pods") return call.subresource === "resize";
  return call.subresource === "" && (plural === "services" || plural === "persistentvolumeclaims");
}

/**
 * What a pod must say for a quota to count it: `limits.memory for: a,b; requests.cpu for: c`;
 * "" when it says everything. Source: pkg/quota/v1/evaluator/core/pods.go Constraints.
 */
export function missingRequests({ spec }: Pod, names: readonly string[]): string {
  const wanted = constrained.filter((name) => names.includes(name));
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const missing: string[] = [];
  for (const name of wanted.toSorted()) {
    const without = containers
      .filter((container) => !declares(container, name))
      .map((container) => container.name);
    if (without.length > 0) missing.push(`${name} for: ${[...new Set(without)].sort().join(",")}`);
  }
  return missing.join("; ");
}

function declares({ resources }: Container, name: string): boolean {
  const [first = "", second] = name.split(".");
  if (first === "limits") return resources?.limits?.[second ?? ""] !== undefined;
  return resources?.requests?.[second ?? first] !== undefined;
}
