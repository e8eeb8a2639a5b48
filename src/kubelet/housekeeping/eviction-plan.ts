/** Whom to evict when the node runs out of something. Pure. Source: kubelet/eviction/helpers.go. */
import type { Pod } from "#api/core/v1/pod.ts";
import { formatQuantity, quantityOf, quantityValue } from "#apimachinery/quantity.ts";
import { isCritical } from "../pod/container-list.ts";
import { podAmount } from "../pod/resources.ts";

export type EvictionSignal = "memory.available" | "nodefs.available";

/** Source: kubelet's default hard thresholds. */
export const memoryAvailableMinBytes = 100 << 20;
export const diskAvailableMinShare = 0.1;

export interface SignalState {
  readonly signal: EvictionSignal;
  readonly availableBytes: number;
  readonly thresholdBytes: number;
}

export function isCrossed({ availableBytes, thresholdBytes }: SignalState): boolean {
  return availableBytes < thresholdBytes;
}

export interface PodConsumption {
  readonly pod: Pod;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** By container name. */
  readonly containers: ReadonlyMap<
    string,
    { readonly memoryBytes: number; readonly diskBytes: number }
  >;
}

const resourceOf: Record<EvictionSignal, "memory" | "ephemeral-storage"> = {
  "memory.available": "memory",
  "nodefs.available": "ephemeral-storage",
};

function usedBytes(
  signal: EvictionSignal,
  use: { memoryBytes: number; diskBytes: number },
): number {
  return signal === "memory.available" ? use.memoryBytes : use.diskBytes;
}

/**
 * The order of eviction: Pods that use more than they asked for first, then those of lower
 * priority, then those that exceed their request the most. Critical Pods are not in it.
 */
export function rankForEviction(
  signal: EvictionSignal,
  consumptions: readonly PodConsumption[],
): PodConsumption[] {
  const resource = resourceOf[signal];
  const excess = (each: PodConsumption): number =>
    usedBytes(signal, each) - podAmount(each.pod, "requests", resource).amount;
  return consumptions
    .filter(({ pod }) => !isCritical(pod))
    .toSorted((a, b) => {
      const exceeding = Number(excess(b) > 0) - Number(excess(a) > 0);
      if (exceeding !== 0) return exceeding;
      const priority = (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0);
      return priority !== 0 ? priority : excess(b) - excess(a);
    });
}

/** The Pod's message. Source: eviction/helpers.go evictionMessage. */
export function evictionMessage(
  { signal, availableBytes, thresholdBytes }: SignalState,
  { pod, containers }: PodConsumption,
): string {
  const resource = resourceOf[signal];
  const binary = (bytes: number): string => formatQuantity(quantityOf(bytes, "BinarySI"));
  let message =
    `The node was low on resource: ${resource}. Threshold quantity: ${binary(thresholdBytes)}, ` +
    `available: ${kibibytes(availableBytes)}. `;
  for (const container of pod.spec.containers) {
    const use = containers.get(container.name);
    const request = container.resources?.requests?.[resource] ?? "0";
    const used = use === undefined ? 0 : usedBytes(signal, use);
    if (used <= quantityValue(request)) continue;
    message +=
      `Container ${container.name} was using ${kibibytes(used)}, request is ${request}, ` +
      `has larger consumption of ${resource}. `;
  }
  return message;
}

function kibibytes(bytes: number): string {
  return `${Math.trunc(bytes / 1024)}Ki`;
}

export interface LocalUse {
  readonly pod: Pod;
  /** Of emptyDir volumes on disk, by volume. */
  readonly emptyDirs: ReadonlyMap<string, number>;
  /** Of writable layers and logs, by container. */
  readonly containers: ReadonlyMap<string, number>;
}

/** Why the Pod's own limits end it. Source: eviction_manager.go localStorageEviction. */
export function localStorageExcess({ pod, emptyDirs, containers }: LocalUse): string | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    if (limit === undefined || quantityValue(limit) === 0) continue;
    if ((emptyDirs.get(name) ?? 0) > quantityValue(limit)) {
      return `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(limit)}. `;
    }
  }
  const total = [...emptyDirs.values(), ...containers.values()].reduce(
    (sum, bytes) => sum + bytes,
    0,
  );
  const podLimit = podAmount(pod, "limits", "ephemeral-storage");
  if (podLimit.whole && podLimit.amount > 0 && total > podLimit.amount) {
    const shown = formatQuantity(quantityOf(podLimit.amount, "BinarySI"));
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${shown}. `;
  }
  for (const { name, resources } of pod.spec.containers) {
    const limit = resources?.limits?.["ephemeral-storage"];
    if (limit === undefined || (containers.get(name) ?? 0) <= quantityValue(limit)) continue;
    return `Container ${name} exceeded its local ephemeral storage limit ${JSON.stringify(limit)}. `;
  }
  return undefined;
}
