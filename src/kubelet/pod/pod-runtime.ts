import type { RuntimeContainerStatus, PodSandboxStatus } from "../cri/messages.ts";
import { containerState, sandboxState } from "../cri/messages.ts";
import { isRuntimeError, type RuntimeService } from "../cri/runtime.ts";
import { labelNames } from "./runtime-labels.ts";

/** What the runtime knows of one Pod. */
export interface PodRuntime {
  /** Newest first. */
  readonly sandboxes: readonly PodSandboxStatus[];
  /** All instances that were not removed, of all containers, newest first. */
  readonly containers: readonly RuntimeContainerStatus[];
}

export const emptyPodRuntime: PodRuntime = { sandboxes: [], containers: [] };

export async function readPodRuntime(runtime: RuntimeService, uid: string): Promise<PodRuntime> {
  const labels = { [labelNames.podUid]: uid };
  const [sandboxes, containers] = await Promise.all([
    runtime.listPodSandboxes(labels),
    runtime.listContainers(labels),
  ]);
  const [sandboxStatuses, containerStatuses] = await Promise.all([
    present(sandboxes.map(({ id }) => runtime.podSandboxStatus(id))),
    present(containers.map(({ id }) => runtime.containerStatus(id))),
  ]);
  return {
    sandboxes: sandboxStatuses.toSorted(newestFirst),
    containers: containerStatuses.toSorted(newestFirst),
  };
}

/** Drops what was removed between the list and the look. */
async function present<T>(looks: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(looks);
  return results.flatMap((result) => {
    if (result.status === "fulfilled") return [result.value];
    if (isRuntimeError(result.reason, "NOT_FOUND")) return [];
    throw result.reason;
  });
}

function newestFirst(a: { readonly createdAt: number }, b: { readonly createdAt: number }): number {
  return b.createdAt - a.createdAt;
}

export function latestContainer(
  runtime: PodRuntime,
  name: string,
): RuntimeContainerStatus | undefined {
  return runtime.containers.find((container) => container.metadata?.name === name);
}

export function isRunning(container: RuntimeContainerStatus | undefined): boolean {
  return container?.state === containerState.running;
}

export function runningContainers(runtime: PodRuntime): readonly RuntimeContainerStatus[] {
  return runtime.containers.filter(isRunning);
}

export function readySandbox(runtime: PodRuntime): PodSandboxStatus | undefined {
  return runtime.sandboxes.find(({ state }) => state === sandboxState.ready);
}

/** Addresses of the newest sandbox, none for a Pod on the node's network. */
export function podIpsOf(runtime: PodRuntime): readonly string[] {
  const [newest] = runtime.sandboxes;
  const network = newest?.network;
  if (newest === undefined || network === undefined || network.ip === "") return [];
  return [network.ip, ...network.additionalIps.map(({ ip }) => ip)];
}
