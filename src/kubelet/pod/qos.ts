import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { compareQuantities, quantitySign } from "#apimachinery/quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const qosResources = ["cpu", "memory"] as const;

/** Source: pkg/apis/core/v1/helper/qos ComputePodQOS. */
export function qosClassOf(pod: Pod): QosClass {
  const set = pod.status?.qosClass;
  if (set === "Guaranteed" || set === "Burstable" || set === "BestEffort") return set;
  return computeQosClass(pod);
}

export function computeQosClass(pod: Pod): QosClass {
  const podLevel = pod.spec.resources;
  const asked =
    podLevel !== undefined && hasAny(podLevel)
      ? [podLevel]
      : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(resourcesOf);
  if (!asked.some(hasAny)) return "BestEffort";
  return asked.every(isGuaranteed) ? "Guaranteed" : "Burstable";
}

type Resources = NonNullable<Container["resources"]>;

function resourcesOf({ resources }: Container): Resources {
  return resources ?? {};
}

function hasAny({ requests = {}, limits = {} }: Resources): boolean {
  return qosResources.some((name) => isPositive(requests[name]) || isPositive(limits[name]));
}

/** Requests that are absent were defaulted to the limits by the API server. */
function isGuaranteed({ requests = {}, limits = {} }: Resources): boolean {
  return qosResources.every((name) => {
    const limit = limits[name];
    if (limit === undefined || !isPositive(limit)) return false;
    return compareQuantities(requests[name] ?? limit, limit) === 0;
  });
}

function isPositive(quantity: string | undefined): boolean {
  return quantity !== undefined && quantitySign(quantity) > 0;
}
