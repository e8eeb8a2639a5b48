import type { Container } from "#api/core/v1/container.ts";
import type { EphemeralContainer } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";

/** Which list of the spec a container stands in. */
export type ContainerKind = "init" | "regular" | "ephemeral";

export interface ListedContainer {
  readonly container: Container;
  readonly kind: ContainerKind;
}

/** All containers of a Pod: init, then regular, then ephemeral ones. */
export function containersOf(pod: Pod): readonly ListedContainer[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec;
  return [
    ...initContainers.map((container) => ({ container, kind: "init" }) as const),
    ...containers.map((container) => ({ container, kind: "regular" }) as const),
    ...ephemeralContainers.map(
      (each) => ({ container: asContainer(each), kind: "ephemeral" }) as const,
    ),
  ];
}

export function findContainer(pod: Pod, name: string): ListedContainer | undefined {
  return containersOf(pod).find(({ container }) => container.name === name);
}

export function asContainer({ targetContainerName: _, ...common }: EphemeralContainer): Container {
  return common;
}

/** An init container that keeps running beside the regular ones. Source: KEP-753. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/** `spec.containers{name}`: where events about a container point. */
export function fieldPathOf({ container, kind }: ListedContainer): string {
  const list = { init: "initContainers", regular: "containers", ephemeral: "ephemeralContainers" }[
    kind
  ];
  return `spec.${list}{${container.name}}`;
}

export function uidOf(pod: Pod): string {
  return pod.metadata?.uid ?? "";
}

/** `name_namespace(uid)`, as messages name a Pod. Source: kubelet/util/format. */
export function podDescription(pod: Pod): string {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  return `${name}_${namespace}(${uidOf(pod)})`;
}

export function isHostNetwork(pod: Pod): boolean {
  return pod.spec.hostNetwork === true;
}

/** Static Pods carry their source; those of the API server carry none, or `api`. */
export function isStaticPod(pod: Pod): boolean {
  const source = pod.metadata?.annotations?.["kubernetes.io/config.source"];
  return source !== undefined && source !== "api";
}

/** The API's picture of a static Pod: has no life of its own. */
export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata?.annotations?.["kubernetes.io/config.mirror"] !== undefined;
}

/** Source: pkg/apis/scheduling SystemCriticalPriority. */
const systemCriticalPriority = 2_000_000_000;

/** May neither be evicted nor preempted. Source: kubelet/types IsCriticalPod. */
export function isCritical(pod: Pod): boolean {
  return isStaticPod(pod) || isMirrorPod(pod) || (pod.spec.priority ?? 0) >= systemCriticalPriority;
}
