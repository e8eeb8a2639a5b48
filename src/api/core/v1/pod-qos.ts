import { addQuantities, compareQuantities, formatQuantity } from "#apimachinery/quantity.ts";
import type { PodSpec } from "./pod-spec.ts";
import { isZero, type ResourceList } from "./resource-name.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const computeResources = ["cpu", "memory"];

/**
 * How a Pod is treated when its node runs out: Guaranteed when cpu and memory of every container
 * have limits and requests equal to them, BestEffort when nothing asks for any.
 * Source: pkg/apis/core/helper/qos.
 */
export function qosClassOf(spec: PodSpec): QosClass {
  const podLevel = spec.resources;
  const own = podLevel?.requests ?? podLevel?.limits;
  const all =
    podLevel !== undefined && own !== undefined && Object.keys(own).length > 0
      ? [podLevel]
      : [...(spec.initContainers ?? []), ...spec.containers].map(
          ({ resources }) => resources ?? {},
        );
  const requests: Record<string, string> = {};
  const limits: Record<string, string> = {};
  let allLimited = true;
  for (const resources of all) {
    addCompute(requests, resources.requests);
    if (addCompute(limits, resources.limits) < computeResources.length) allLimited = false;
  }
  const requested = Object.entries(requests);
  const limitCount = Object.keys(limits).length;
  if (requested.length === 0 && limitCount === 0) return "BestEffort";
  const equal = requested.every(
    ([name, quantity]) =>
      limits[name] !== undefined && compareQuantities(quantity, limits[name]) === 0,
  );
  return allLimited && equal && requested.length === limitCount ? "Guaranteed" : "Burstable";
}

/** Returns how many of the compute resources were there, and not zero. */
function addCompute(total: Record<string, string>, added: ResourceList | undefined): number {
  let found = 0;
  for (const name of computeResources) {
    const quantity = added?.[name];
    if (quantity === undefined || isZero(quantity)) continue;
    found++;
    const own = total[name];
    total[name] = own === undefined ? quantity : formatQuantity(addQuantities(own, quantity));
  }
  return found;
}
