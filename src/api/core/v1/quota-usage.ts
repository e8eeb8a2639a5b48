/**
 * What objects count against ResourceQuotas: one rule for the admission that charges them and the
 * controller that recounts. Source: pkg/quota/v1/evaluator/core, apiserver quota/v1/generic.
 */
import type { KubeObject } from "#apimachinery/object.ts";
import { addQuantities, formatQuantity } from "#apimachinery/quantity.ts";
import { setOwn } from "#apimachinery/maps.ts";
import type { PersistentVolumeClaim } from "./persistent-volume-claim.ts";
import { qosClassOf } from "./pod-qos.ts";
import { podLimits, podRequests } from "./pod-resources.ts";
import type { Pod } from "./pod.ts";
import { isExtendedResourceName, isHugePageName, type ResourceList } from "./resource-name.ts";
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from "./resource-quota.ts";
import type { Service } from "./service.ts";

export interface QuotaTarget {
  readonly group: string;
  readonly plural: string;
}

/** Core resources that are counted under their plain name too. */
const plainNames: ReadonlySet<string> = new Set([
  "configmaps",
  "persistentvolumeclaims",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
]);

/** `count/deployments.apps`, `count/pods`. */
export function countName({ group, plural }: QuotaTarget): string {
  return group === "" ? `count/${plural}` : `count/${plural}.${group}`;
}

/** Every resource name that `object` counts under, with how much. */
export function quotaUsageOf(
  target: QuotaTarget,
  object: KubeObject,
  nowMs: number,
): Record<string, string> {
  const usage: Record<string, string> = { [countName(target)]: "1" };
  if (target.group !== "") return usage;
  if (plainNames.has(target.plural)) usage[target.plural] = "1";
  if (target.plural === "pods") addPod(usage, object as Pod, nowMs);
  if (target.plural === "services") addService(usage, object as Service);
  if (target.plural === "persistentvolumeclaims") addClaim(usage, object as PersistentVolumeClaim);
  return usage;
}

/** The sum of usages, per name. */
export function addUsage(total: Record<string, string>, usage: ResourceList): void {
  for (const [name, quantity] of Object.entries(usage)) {
    const own = Object.hasOwn(total, name) ? total[name] : undefined;
    setOwn(
      total,
      name,
      own === undefined ? quantity : formatQuantity(addQuantities(own, quantity)),
    );
  }
}

/** Ended Pods, and those whose grace is over, use nothing. */
function usesResources({ metadata, status }: Pod, nowMs: number): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return nowMs <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function addPod(usage: Record<string, string>, pod: Pod, nowMs: number): void {
  if (!usesResources(pod, nowMs)) return;
  usage["pods"] = "1";
  for (const [name, quantity] of Object.entries(podRequests(pod.spec))) {
    const standard =
      name === "cpu" || name === "memory" || name === "ephemeral-storage" || isHugePageName(name);
    if (standard) setOwn(usage, name, quantity);
    if (standard || isExtendedResourceName(name)) setOwn(usage, `requests.${name}`, quantity);
  }
  for (const [name, quantity] of Object.entries(podLimits(pod.spec))) {
    if (name === "cpu" || name === "memory" || name === "ephemeral-storage")
      usage[`limits.${name}`] = quantity;
  }
}

function addService(usage: Record<string, string>, { spec }: Service): void {
  const ports = spec.ports ?? [];
  if (spec.type === "NodePort") usage["services.nodeports"] = String(ports.length);
  if (spec.type !== "LoadBalancer") return;
  usage["services.loadbalancers"] = "1";
  const allocated =
    spec.allocateLoadBalancerNodePorts !== false
      ? ports
      : ports.filter(({ nodePort = 0 }) => nodePort !== 0);
  usage["services.nodeports"] = String(allocated.length);
}

function addClaim(
  usage: Record<string, string>,
  { metadata, spec, status }: PersistentVolumeClaim,
): void {
  const storageClass =
    metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ??
    spec.storageClassName ??
    "";
  const suffix = `${storageClass}.storageclass.storage.k8s.io`;
  if (storageClass !== "") setOwn(usage, `${suffix}/persistentvolumeclaims`, "1");
  const asked = spec.resources?.requests?.["storage"];
  // A claim that is being shrunk back still holds what was allocated.
  const storage = status?.allocatedResources?.["storage"] ?? asked;
  if (storage === undefined) return;
  usage["requests.storage"] = storage;
  if (storageClass !== "") setOwn(usage, `${suffix}/requests.storage`, storage);
}

/** Whether `object` falls into all scopes of the quota. Only Pods and claims have any. */
export function matchesQuotaScopes(
  spec: ResourceQuotaSpec,
  target: QuotaTarget,
  object: KubeObject,
): boolean {
  const requirements: ScopedResourceSelectorRequirement[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  if (requirements.length === 0) return true;
  if (target.group !== "") return false;
  if (target.plural === "pods")
    return requirements.every((each) => podInScope(each, object as Pod));
  if (target.plural !== "persistentvolumeclaims") return false;
  return requirements.every((each) => claimInScope(each, object as PersistentVolumeClaim));
}

function podInScope(requirement: ScopedResourceSelectorRequirement, pod: Pod): boolean {
  const { spec } = pod;
  switch (requirement.scopeName) {
    case "Terminating":
      return (spec.activeDeadlineSeconds ?? -1) >= 0;
    case "NotTerminating":
      return (spec.activeDeadlineSeconds ?? -1) < 0;
    case "BestEffort":
      return qosClassOf(spec) === "BestEffort";
    case "NotBestEffort":
      return qosClassOf(spec) !== "BestEffort";
    case "CrossNamespacePodAffinity":
      return reachesOtherNamespaces(pod);
    case "PriorityClass":
      return valueInScope(requirement, spec.priorityClassName ?? "");
    default:
      return false;
  }
}

function claimInScope(
  requirement: ScopedResourceSelectorRequirement,
  { spec }: PersistentVolumeClaim,
): boolean {
  return (
    requirement.scopeName === "VolumeAttributesClass" &&
    valueInScope(requirement, spec.volumeAttributesClassName ?? "")
  );
}

function valueInScope(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  value: string,
): boolean {
  switch (operator) {
    case "In":
      return values.includes(value);
    case "NotIn":
      return !values.includes(value);
    case "Exists":
      return value !== "";
    case "DoesNotExist":
      return value === "";
    default:
      return false;
  }
}

function reachesOtherNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm,
    ),
  ]);
  return terms.some(
    ({ namespaces, namespaceSelector }) =>
      (namespaces ?? []).length > 0 || namespaceSelector !== undefined,
  );
}
