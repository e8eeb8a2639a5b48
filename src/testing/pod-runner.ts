import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { PodStatus } from "#api/core/v1/pod-status.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { rfc3339 } from "#base/clock.ts";
import type { ControllerWorld } from "./controller-world.ts";

export interface PodRunnerOptions {
  /** Undefined leaves the Pod as it is. Default: Running and Ready at once. */
  readonly statusOf?: (pod: Pod) => PodStatus | undefined;
  /** Node that Pods without one, and not pinned to one, are put on. Default `node-1`. */
  readonly node?: string;
}

/** Stands in for scheduler and kubelets: binds Pods, says that they run, ends them when deleted. */
export function runPods(world: ControllerWorld, options: PodRunnerOptions = {}): void {
  const { node = "node-1" } = options;
  let count = 0;
  const statusOf =
    options.statusOf ?? (() => runningStatus(rfc3339(world.clock.nowMs()), `10.0.0.${++count}`));

  function tend(pod: Pod): void {
    if (pod.metadata?.deletionTimestamp !== undefined)
      return soon(() => world.api.remove(pods, keyOfObject(pod)));
    if (pod.status?.phase !== undefined && pod.status.phase !== "Pending") return;
    const status = statusOf(pod);
    if (status === undefined) return;
    soon(() => {
      const current = world.get(pods, keyOfObject(pod));
      if (current === undefined || current.metadata?.uid !== pod.metadata?.uid) return;
      world.seed(pods, {
        ...current,
        spec: { ...current.spec, nodeName: current.spec.nodeName ?? pinnedNode(current) ?? node },
        status,
      });
    });
  }

  const soon = (run: () => void): void => void world.clock.after(1, run);
  world.informers.of(pods).subscribe({ onAdd: tend, onUpdate: tend });
}

/** The only node that the Pod's affinity allows, as a daemon's does. */
function pinnedNode({ spec }: Pod): string | undefined {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const fields = (required?.nodeSelectorTerms ?? []).flatMap(({ matchFields = [] }) => matchFields);
  return fields.find(({ key }) => key === "metadata.name")?.values?.[0];
}

export function runningStatus(now: string, podIP: string): PodStatus {
  return {
    phase: "Running",
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: now,
    conditions: [
      { type: "Ready", status: "True", lastTransitionTime: now },
      { type: "ContainersReady", status: "True", lastTransitionTime: now },
    ],
  };
}

/** A status of a Pod that ended, its only container with `exitCode`. */
export function endedStatus(now: string, exitCode: number): PodStatus {
  return {
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    startTime: now,
    containerStatuses: [
      {
        name: "main",
        image: "",
        imageID: "",
        ready: false,
        restartCount: 0,
        state: {
          terminated: {
            exitCode,
            startedAt: now,
            finishedAt: now,
            reason: exitCode === 0 ? "Completed" : "Error",
          },
        },
      },
    ],
  };
}
