/**
 * Changing the resources of running containers. The spec says what is wished for, the node grants
 * it when it fits, the runtime carries it out; everything else works with what was granted.
 * Source: KEP-1287, kubelet/allocation/allocation_manager.go, kuberuntime computePodResizeAction.
 */
import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import type { Container, ResourceRequirements } from "#api/core/v1/container.ts";
import type { PodCondition } from "#api/core/v1/pod-status.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { compareQuantities, quantityMilliValue, quantityValue } from "#apimachinery/quantity.ts";
import { isStaticPod } from "./container-list.ts";
import { podAmount } from "./resources.ts";

/** By container name. */
export type Granted = ReadonlyMap<string, ResourceRequirements>;

const resizable = ["cpu", "memory"] as const;
type Resizable = (typeof resizable)[number];

export function wishedResources(pod: Pod): Granted {
  return new Map(resizableContainers(pod).map(({ name, resources = {} }) => [name, resources]));
}

/** What an earlier life of the kubelet had granted, as the status tells. */
export function rememberedResources(pod: Pod): Granted {
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  const told = new Map(statuses.map((status) => [status.name, status]));
  return new Map(
    resizableContainers(pod).map(({ name, resources = {} }) => {
      const status: ContainerStatus | undefined = told.get(name);
      if (status?.allocatedResources === undefined) return [name, resources];
      const { limits = resources.limits } = status.resources ?? {};
      return [
        name,
        { ...resources, requests: status.allocatedResources, ...(limits && { limits }) },
      ];
    }),
  );
}

function resizableContainers({ spec }: Pod): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** The Pod with what was granted in place of what is wished for. */
export function withGranted(pod: Pod, granted: Granted): Pod {
  const replace = (container: Container): Container => {
    const resources = granted.get(container.name);
    return resources === undefined ? container : { ...container, resources };
  };
  const { initContainers, containers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(replace),
      ...(initContainers && { initContainers: initContainers.map(replace) }),
    },
  };
}

export function changedResources(
  a: ResourceRequirements | undefined,
  b: ResourceRequirements | undefined,
): Resizable[] {
  const differs = (x: string | undefined, y: string | undefined): boolean =>
    x === undefined || y === undefined ? x !== y : compareQuantities(x, y) !== 0;
  return resizable.filter(
    (resource) =>
      differs(a?.requests?.[resource], b?.requests?.[resource]) ||
      differs(a?.limits?.[resource], b?.limits?.[resource]),
  );
}

export function isResized(pod: Pod, granted: Granted): boolean {
  return resizableContainers(pod).some(
    ({ name, resources }) => changedResources(resources, granted.get(name)).length > 0,
  );
}

/** Whether a change of these resources needs a restart of the container. */
export function needsRestart(
  { resizePolicy = [] }: Container,
  changed: readonly string[],
): boolean {
  return resizePolicy.some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === "RestartContainer" && changed.includes(resourceName),
  );
}

export interface ResizeRefusal {
  readonly reason: "Deferred" | "Infeasible";
  readonly message: string;
}

/** Undefined when the node can grant what the Pod wishes for. */
export function refuseResize(
  pod: Pod,
  node: Node,
  others: readonly Pod[],
): ResizeRefusal | undefined {
  if (isStaticPod(pod)) {
    return { reason: "Infeasible", message: "In-place resize of static-pods is not supported" };
  }
  const allocatable = node.status?.allocatable ?? {};
  for (const resource of resizable) {
    const quantity = allocatable[resource] ?? "0";
    const have = resource === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity);
    const asked = podAmount(pod, "requests", resource).amount;
    if (asked > have) {
      const message = `Node didn't have enough capacity: ${resource}, requested: ${asked}, capacity: ${have}`;
      return { reason: "Infeasible", message };
    }
    const used = others.reduce(
      (sum, other) => sum + podAmount(other, "requests", resource).amount,
      0,
    );
    if (asked + used > have) {
      const message = `Node didn't have enough resource: ${resource}, requested: ${asked}, used: ${used}, capacity: ${have}`;
      return { reason: "Deferred", message };
    }
  }
  return undefined;
}

export function resizePending(pod: Pod, { reason, message }: ResizeRefusal): PodCondition {
  return resizeCondition(pod, { type: "PodResizePending", status: "True", reason, message });
}

export function resizeFailed(pod: Pod, message: string): PodCondition {
  return resizeCondition(pod, {
    type: "PodResizeInProgress",
    status: "True",
    reason: "Error",
    message,
  });
}

function resizeCondition({ metadata }: Pod, condition: PodCondition): PodCondition {
  const generation = metadata?.generation;
  return { ...condition, ...(generation !== undefined && { observedGeneration: generation }) };
}
