import type { Node, Taint } from "#api/core/v1/node.ts";

/** Condition -> status -> key of the NoSchedule taint that it brings. */
const taintsOfConditions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: "node.kubernetes.io/not-ready", Unknown: "node.kubernetes.io/unreachable" },
  MemoryPressure: { True: "node.kubernetes.io/memory-pressure" },
  DiskPressure: { True: "node.kubernetes.io/disk-pressure" },
  PIDPressure: { True: "node.kubernetes.io/pid-pressure" },
  NetworkUnavailable: { True: "node.kubernetes.io/network-unavailable" },
};
const unschedulableKey = "node.kubernetes.io/unschedulable";
const managedKeys: ReadonlySet<string> = new Set([
  ...Object.values(taintsOfConditions).flatMap((keys) => Object.values(keys)),
  unschedulableKey,
]);

export const notReadyKey = "node.kubernetes.io/not-ready";
export const unreachableKey = "node.kubernetes.io/unreachable";

export function readyStatusOf({ status }: Node): string | undefined {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status;
}

/** The key of the NoExecute taint that a node should have. */
export function executeTaintKey(node: Node): string | undefined {
  const ready = readyStatusOf(node);
  if (ready === "False") return notReadyKey;
  return ready === "Unknown" ? unreachableKey : undefined;
}

/** The taints of a node with those that its conditions bring; NoExecute ones are not touched. */
export function withConditionTaints(node: Node, now: string): Taint[] {
  const wanted = new Set<string>();
  for (const { type, status } of node.status?.conditions ?? []) {
    const key = taintsOfConditions[type]?.[status];
    if (key !== undefined) wanted.add(key);
  }
  if (node.spec.unschedulable === true) wanted.add(unschedulableKey);
  const kept = (node.spec.taints ?? []).filter(
    ({ key, effect }) => effect !== "NoSchedule" || !managedKeys.has(key) || wanted.has(key),
  );
  for (const { key, effect } of kept) if (effect === "NoSchedule") wanted.delete(key);
  return [...kept, ...[...wanted].map((key) => ({ key, effect: "NoSchedule", timeAdded: now }))];
}

/** The taints with exactly this NoExecute taint of ours, or none. */
export function withExecuteTaint(
  taints: readonly Taint[],
  key: string | undefined,
  now: string,
): Taint[] {
  const ours = (taint: Taint): boolean =>
    taint.effect === "NoExecute" && (taint.key === notReadyKey || taint.key === unreachableKey);
  const kept = taints.filter((taint) => !ours(taint) || taint.key === key);
  if (key === undefined || kept.some((taint) => ours(taint))) return kept;
  return [...kept, { key, effect: "NoExecute", timeAdded: now }];
}
