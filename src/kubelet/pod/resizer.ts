import { goQuote } from "#apimachinery/field-error.ts";
import { quantityValue } from "#apimachinery/quantity.ts";
import { errorMessage } from "#base/error-message.ts";
import type { Container, ResourceRequirements } from "#api/core/v1/container.ts";
import type { PodCondition } from "#api/core/v1/pod-status.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { findContainer, isSidecar } from "./container-list.ts";
import { killContainer } from "./container-runner.ts";
import { type PodRuntime, podIpsOf, runningContainers } from "./pod-runtime.ts";
import type { PodServices } from "./pod-services.ts";
import { linuxResources } from "./resources.ts";
import {
  changedResources,
  type Granted,
  isResized,
  needsRestart,
  rememberedResources,
  resizeFailed,
  resizePending,
  type ResizeRefusal,
  wishedResources,
  withGranted,
} from "./resize.ts";

/** Grants and carries out the changes of one Pod's resources. */
export interface Resizer {
  /** The Pod with what is granted. */
  readonly pod: Pod;
  /** What the Pod wishes for does not fit now, but may later. */
  readonly deferred: boolean;
  readonly conditions: readonly PodCondition[];
  /** By container id: what its cgroup was set to. */
  readonly applied: ReadonlyMap<string, ResourceRequirements>;
  /** Ids of containers that were ended here. */
  readonly ended: ReadonlySet<string>;
  /** Containers that are new in `runtime` were started as `pod` says. */
  note(runtime: PodRuntime, pod: Pod): void;
  /** A newer state of the object. */
  wish(pod: Pod): void;
  /**
   * Makes running containers what was granted: first all that can be changed as they run, with the
   * next call those that must restart for it.
   */
  carryOut(runtime: PodRuntime): Promise<"nothing" | "changed" | "failed">;
}

export interface ResizerOptions {
  readonly pod: Pod;
  readonly services: PodServices;
  readonly refuse: (pod: Pod) => ResizeRefusal | undefined;
}

export function createResizer({ pod: first, services, refuse }: ResizerOptions): Resizer {
  const applied = new Map<string, ResourceRequirements>();
  const ended = new Set<string>();
  let granted: Granted = rememberedResources(first);
  let wished = first;
  let refusal: ResizeRefusal | undefined;
  let failure: string | undefined;
  settle();

  function settle(): void {
    refusal = isResized(wished, granted) ? refuse(wished) : undefined;
    if (refusal === undefined) granted = wishedResources(wished);
  }

  function effective(): Pod {
    return refusal === undefined ? wished : withGranted(wished, granted);
  }

  /** A container that was just started has what was granted; of an older one the status tells. */
  function note(runtime: PodRuntime, pod: Pod): void {
    const running = runningContainers(runtime);
    for (const { id, metadata } of running) {
      if (applied.has(id)) continue;
      const container = findContainer(pod, metadata?.name ?? "")?.container;
      const told = first.status?.containerStatuses?.find(({ containerID }) =>
        containerID?.endsWith(id),
      );
      applied.set(id, told?.resources ?? container?.resources ?? {});
    }
    const ids = new Set(running.map(({ id }) => id));
    for (const id of applied.keys()) if (!ids.has(id)) applied.delete(id);
    const known = new Set(runtime.containers.map(({ id }) => id));
    for (const id of ended) if (!known.has(id)) ended.delete(id);
  }

  interface Due {
    readonly id: string;
    readonly container: Container;
    readonly restart: boolean;
  }

  function dueIn(runtime: PodRuntime, pod: Pod): Due[] {
    return runningContainers(runtime).flatMap(({ id, metadata }) => {
      const found = findContainer(pod, metadata?.name ?? "");
      if (found === undefined || (found.kind === "init" && !isSidecar(found.container))) return [];
      const { container } = found;
      const changed = changedResources(applied.get(id), container.resources);
      if (changed.length === 0) return [];
      return [{ id, container, restart: needsRestart(container, changed) }];
    });
  }

  async function carryOut(runtime: PodRuntime): Promise<"nothing" | "changed" | "failed"> {
    if (refusal?.reason === "Deferred") settle();
    const pod = effective();
    const due = dueIn(runtime, pod);
    if (due.length === 0) {
      const failed = failure !== undefined;
      failure = undefined;
      return failed ? "changed" : "nothing";
    }
    const inPlace = due.filter(({ restart }) => !restart);
    try {
      await refuseLowMemory(inPlace);
      // A limit of the Pod must be raised before those inside it, and lowered after them.
      await services.cgroups.ensurePod(pod).catch(() => undefined);
      for (const { id, container } of inPlace) await update(pod, id, container);
      if (inPlace.length === 0) await Promise.all(due.map((each) => end(pod, runtime, each)));
      await services.cgroups.ensurePod(pod);
      failure = undefined;
      return "changed";
    } catch (error) {
      failure = errorMessage(error);
      return "failed";
    }
  }

  /** What a container uses is not taken from it. Source: kuberuntime validateMemoryResizeAction. */
  async function refuseLowMemory(due: readonly Due[]): Promise<void> {
    const faults: string[] = [];
    for (const { id, container } of due) {
      const limit = memoryLimitBytes(container.resources);
      if (limit === undefined || limit >= (memoryLimitBytes(applied.get(id)) ?? Infinity)) continue;
      const { memory } = await services.cri.runtime.containerStats(id);
      const used = memory?.usageBytes?.value ?? memory?.workingSetBytes?.value ?? 0;
      if (used < limit) continue;
      const named = `container ${goQuote(container.name)}`;
      faults.push(`attempting to set ${named} memory limit (${limit}) below current usage (${used})`);
    }
    if (faults.length === 0) return;
    const text = faults.length === 1 ? faults.join() : `[${faults.join(", ")}]`;
    throw new Error(`cannot decrease memory limits: ${text}`);
  }

  async function update(pod: Pod, id: string, container: Container): Promise<void> {
    const { memoryCapacityBytes } = services.node;
    const { oomScoreAdj: _, ...linux } = linuxResources(pod, container, { memoryCapacityBytes });
    await services.cri.runtime.updateContainerResources(id, linux);
    applied.set(id, container.resources ?? {});
  }

  function end(pod: Pod, runtime: PodRuntime, { id, container }: Due): Promise<void> {
    const [podIp = ""] = podIpsOf(runtime);
    const message = `Container ${container.name} resize requires restart`;
    const kill = { pod, container, containerId: id, podIp, reason: "", message } as const;
    ended.add(id);
    return killContainer(kill, services);
  }

  return {
    get pod() {
      return effective();
    },
    get deferred() {
      return refusal?.reason === "Deferred";
    },
    get conditions() {
      return [
        ...(refusal === undefined ? [] : [resizePending(wished, refusal)]),
        ...(failure === undefined ? [] : [resizeFailed(wished, failure)]),
      ];
    },
    applied,
    ended,
    note,
    wish(pod) {
      wished = pod;
      settle();
    },
    carryOut,
  };
}

function memoryLimitBytes(resources: ResourceRequirements | undefined): number | undefined {
  const limit = resources?.limits?.["memory"];
  return limit === undefined ? undefined : quantityValue(limit);
}
