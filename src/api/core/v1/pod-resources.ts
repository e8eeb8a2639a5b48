import { addQuantities, compareQuantities, formatQuantity } from "#apimachinery/quantity.ts";
import { setOwn } from "#apimachinery/maps.ts";
import type { Container } from "./container.ts";
import type { PodSpec } from "./pod-spec.ts";
import { isPodLevelResource, type ResourceList } from "./resource-name.ts";

/**
 * What a Pod asks for as a whole. Containers run together, so theirs add up; init containers run
 * one after the other, each beside the sidecars started before it, so the largest moment counts.
 * Source: k8s.io/component-helpers/resource.
 */
export type ResourceSide = "requests" | "limits";

export function isSidecar(container: Pick<Container, "restartPolicy">): boolean {
  return container.restartPolicy === "Always";
}

/** Of the containers alone: neither Pod-level resources nor overhead. */
export function aggregateContainers(
  spec: Pick<PodSpec, "containers" | "initContainers">,
  side: ResourceSide,
): Record<string, string> {
  const total: Record<string, string> = {};
  for (const { resources } of spec.containers) addTo(total, resources?.[side]);
  const sidecars: Record<string, string> = {};
  const initPeak: Record<string, string> = {};
  for (const container of spec.initContainers ?? []) {
    const own = container.resources?.[side];
    if (isSidecar(container)) {
      addTo(total, own);
      addTo(sidecars, own);
      raiseTo(initPeak, sidecars);
    } else {
      const moment = { ...sidecars };
      addTo(moment, own);
      raiseTo(initPeak, moment);
    }
  }
  raiseTo(total, initPeak);
  return total;
}

/** With Pod-level resources in place of the containers', and overhead. */
export function podRequests(spec: PodSpec): Record<string, string> {
  const total = aggregateContainers(spec, "requests");
  for (const [name, quantity] of Object.entries(spec.resources?.requests ?? {})) {
    if (isPodLevelResource(name)) setOwn(total, name, quantity);
  }
  addTo(total, spec.overhead);
  return total;
}

export function podLimits(spec: PodSpec): Record<string, string> {
  const total = aggregateContainers(spec, "limits");
  for (const [name, quantity] of Object.entries(spec.resources?.limits ?? {})) {
    if (isPodLevelResource(name)) setOwn(total, name, quantity);
  }
  for (const [name, quantity] of Object.entries(spec.overhead ?? {})) {
    const own = total[name];
    if (own !== undefined) setOwn(total, name, formatQuantity(addQuantities(own, quantity)));
  }
  return total;
}

function addTo(total: Record<string, string>, added: ResourceList | undefined): void {
  for (const [name, quantity] of Object.entries(added ?? {})) {
    const own = total[name];
    setOwn(
      total,
      name,
      own === undefined ? quantity : formatQuantity(addQuantities(own, quantity)),
    );
  }
}

function raiseTo(total: Record<string, string>, floor: ResourceList): void {
  for (const [name, quantity] of Object.entries(floor)) {
    const own = total[name];
    if (own === undefined || compareQuantities(own, quantity) < 0) setOwn(total, name, quantity);
  }
}
