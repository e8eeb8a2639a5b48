/**
 * What a Pod takes of a node. Source: k8s.io/component-helpers/resource PodRequests, and the
 * scheduler's PodInfo.CalculateResource.
 */
import type { Container } from "#api/core/v1/container.ts";
import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { isSidecar } from "#api/core/v1/pod-resources.ts";
import { isPodLevelResource } from "#api/core/v1/resource-name.ts";
import { type Amounts, amountOf, amountsOf } from "./resource-vector.ts";

/** What a container that asks for nothing counts as in scores. */
export const defaultMilliCpuRequest = 100;
export const defaultMemoryRequestBytes = 200 * 1024 * 1024;

export interface PodRequests {
  readonly amounts: Amounts;
  /** As `amounts`, with defaults for containers that ask for none. */
  readonly nonZeroMilliCpu: number;
  readonly nonZeroMemoryBytes: number;
}

type Totals = Map<string, number>;
type Quantities = Readonly<Record<string, string>> | undefined;

export function podRequestsOf(pod: Pod): PodRequests {
  const exact = requestsOf(pod, false);
  const filled = requestsOf(pod, true);
  return {
    amounts: amountsOf(exact),
    nonZeroMilliCpu: filled.get("cpu") ?? 0,
    nonZeroMemoryBytes: filled.get("memory") ?? 0,
  };
}

function requestsOf(pod: Pod, filled: boolean): Totals {
  const { spec } = pod;
  const podLevel = spec.resources?.requests;
  const total = aggregate(pod, filled);
  for (const [name, quantity] of Object.entries(podLevel ?? {})) {
    if (isPodLevelResource(name)) total.set(name, amountOf(name, quantity));
  }
  addTo(total, totalsOf(spec.overhead));
  return total;
}

function aggregate(pod: Pod, filled: boolean): Totals {
  const { spec, status } = pod;
  const infeasible = isResizeInfeasible(pod);
  const statuses = statusesOf(status?.containerStatuses);
  const initStatuses = statusesOf(status?.initContainerStatuses);
  const total: Totals = new Map();
  for (const container of spec.containers) {
    addTo(total, containerRequests(container, { filled, infeasible, status: statuses.get(container.name) }));
  }
  const sidecars: Totals = new Map();
  const peak: Totals = new Map();
  for (const container of spec.initContainers ?? []) {
    const sidecar = isSidecar(container);
    const known = sidecar ? initStatuses.get(container.name) : undefined;
    const own = containerRequests(container, { filled, infeasible, status: known });
    if (sidecar) {
      addTo(total, own);
      addTo(sidecars, own);
      raiseTo(peak, sidecars);
    } else {
      addTo(own, sidecars);
      raiseTo(peak, own);
    }
  }
  raiseTo(total, peak);
  return total;
}

interface Circumstances {
  readonly filled: boolean;
  readonly infeasible: boolean;
  readonly status: ContainerStatus | undefined;
}

/** While a container is being resized, the larger of what it has and what it asks for counts. */
function containerRequests(container: Container, { filled, infeasible, status }: Circumstances): Totals {
  const own = totalsOf(container.resources?.requests);
  if (status !== undefined) {
    const held = totalsOf(status.resources?.requests);
    raiseTo(held, totalsOf(status.allocatedResources));
    if (infeasible && held.size > 0) return filled ? withDefaults(held) : held;
    raiseTo(own, held);
  }
  return filled ? withDefaults(own) : own;
}

function withDefaults(requests: Totals): Totals {
  if (!requests.has("cpu")) requests.set("cpu", defaultMilliCpuRequest);
  if (!requests.has("memory")) requests.set("memory", defaultMemoryRequestBytes);
  return requests;
}

function isResizeInfeasible({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(({ type, reason }) => type === "PodResizePending" && reason === "Infeasible");
}

function statusesOf(statuses: readonly ContainerStatus[] | undefined): Map<string, ContainerStatus> {
  return new Map((statuses ?? []).map((status) => [status.name, status]));
}

function totalsOf(quantities: Quantities): Totals {
  const totals: Totals = new Map();
  for (const name in quantities) totals.set(name, amountOf(name, quantities[name] as string));
  return totals;
}

function addTo(total: Totals, added: Totals): void {
  for (const [name, amount] of added) total.set(name, (total.get(name) ?? 0) + amount);
}

function raiseTo(total: Totals, floor: Totals): void {
  for (const [name, amount] of floor) {
    const own = total.get(name);
    if (own === undefined || own < amount) total.set(name, amount);
  }
}
