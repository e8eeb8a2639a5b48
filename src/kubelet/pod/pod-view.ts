/** What a node sees of a Pod, and what it says of it. */
import type { PodCondition, PodStatus } from "#api/core/v1/pod-status.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { containerState } from "../cri/messages.ts";
import type { ContainerStatusInput } from "./container-statuses.ts";
import { emptyPodRuntime, type PodRuntime, readPodRuntime } from "./pod-runtime.ts";
import type { PodServices } from "./pod-services.ts";
import { podStatusOf } from "./pod-status.ts";
import type { StatusManager } from "./status-manager.ts";
import { readTerminationMessages } from "./termination-message.ts";

export interface PodView {
  /** As it was read last. */
  readonly runtime: PodRuntime;
  readonly status: PodStatus | undefined;
  /** The kernel killed something, and no end that this explains was seen yet. */
  readonly unexplained: boolean;
  /** Reads the runtime; throws when it does not answer. */
  look(): Promise<void>;
  /** Takes what somebody else has just read. */
  take(runtime: PodRuntime): void;
  /** Tells the API what the Pod is like. */
  say(pod: Pod, told: Told): PodStatus;
  /** A container is said to have stopped, which the runtime may not know yet. */
  noteStopped(containerId: string): void;
  noteOutOfMemory(): void;
  onLook(looked: () => void): Disposable;
}

/** What the view itself does not know. */
export interface Told extends Pick<ContainerStatusInput, "waiting" | "applied"> {
  readonly terminal: boolean;
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
  readonly conditions: readonly PodCondition[];
}

export interface PodViewOptions {
  readonly uid: string;
  readonly services: PodServices;
  readonly statuses: StatusManager;
  /** Look again then. */
  readonly lookAfter: (delayMs: number) => void;
}

/** The runtime hears of an exit a moment after its own event. */
const settleMs = [10, 20, 40, 80, 160, 320, 640] as const;
/** 128 + SIGKILL. */
const killedExitCode = 137;
/** An end so close to the kernel's report is taken for its consequence. */
const killedWithinMs = 5000;

export function createPodView({ uid, services, statuses, lookAfter }: PodViewOptions): PodView {
  const { world, cri } = services;
  const terminationMessages = new Map<string, string>();
  const outOfMemory = new Set<string>();
  const stopped = new Map<string, number>();
  const lookers = new Set<() => void>();
  let runtime = emptyPodRuntime;
  let killedMs: number | undefined;

  function settleStopped(): void {
    for (const [id, looks] of stopped) {
      const seen = runtime.containers.find((container) => container.id === id);
      const delayMs = settleMs[looks];
      if (seen?.state !== containerState.running || delayMs === undefined) stopped.delete(id);
      else {
        stopped.set(id, looks + 1);
        lookAfter(delayMs);
      }
    }
  }

  function explainKilled(): void {
    if (killedMs === undefined) return;
    for (const { id, state, exitCode, finishedAt } of runtime.containers) {
      if (state !== containerState.exited || exitCode !== killedExitCode) continue;
      if (Math.abs(finishedAt / 1e6 - killedMs) > killedWithinMs) continue;
      outOfMemory.add(id);
      killedMs = undefined;
      return;
    }
  }

  return {
    get runtime() {
      return runtime;
    },
    get status() {
      return statuses.get(uid);
    },
    get unexplained() {
      return killedMs !== undefined;
    },
    async look() {
      runtime = await readPodRuntime(cri.runtime, uid);
      settleStopped();
      explainKilled();
      await readTerminationMessages(runtime, { known: terminationMessages, files: world.files });
      for (const looked of lookers) looked();
    },
    take(seen) {
      runtime = seen;
    },
    say(pod, { conditions, ...told }) {
      const status = podStatusOf({
        ...told,
        pod,
        runtime,
        terminationMessages,
        outOfMemory,
        probes: services.probes,
        runtimeName: services.runtimeName,
        previous: statuses.get(uid) ?? pod.status ?? {},
        hostIps: services.node.ips,
        extraConditions: conditions,
      });
      statuses.set(pod, status);
      return status;
    },
    noteStopped: (id) => void stopped.set(id, 0),
    noteOutOfMemory: () => void (killedMs = world.clock.nowMs()),
    onLook(looked) {
      lookers.add(looked);
      return { [Symbol.dispose]: () => void lookers.delete(looked) };
    },
  };
}
