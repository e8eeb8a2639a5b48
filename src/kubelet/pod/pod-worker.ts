/**
 * The life of one Pod on the node, as an actor.
 *
 * Invariants: 1. One step at a time; what happens meanwhile leads to one more step. 2. A Pod goes
 * from running to ending to ended, never back. 3. Every step starts from what the runtime says.
 * 4. `ended` is reached when no container runs; the Pod's object is removed after that, and its
 * directories when the object is gone. 5. Nothing is looked at without a cause: an event, a change
 * of the object, a result of a probe, or a time known before.
 */
import type { PodStatus } from "#api/core/v1/pod-status.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { Timer } from "#base/clock.ts";
import { containerState } from "../cri/messages.ts";
import { VolumeError } from "../volumes/volume-manager.ts";
import { containersOf, podDescription, uidOf } from "./container-list.ts";
import type { WaitingReason } from "./container-statuses.ts";
import { isIdle, planPod } from "./plan-pod.ts";
import { podDirectory, podLogDirectory } from "./pod-paths.ts";
import {
  emptyPodRuntime,
  type PodRuntime,
  podIpsOf,
  readPodRuntime,
  runningContainers,
} from "./pod-runtime.ts";
import { fieldContext, type PodServices } from "./pod-services.ts";
import { podStatusOf } from "./pod-status.ts";
import {
  crashKey,
  hastenKill,
  killPod,
  removeOldInstances,
  removePodRuntime,
  syncPod,
} from "./pod-sync.ts";
import { createResizer } from "./resizer.ts";
import type { ResizeRefusal } from "./resize.ts";
import type { StatusManager } from "./status-manager.ts";
import { readTerminationMessages } from "./termination-message.ts";

/** Why the node ends a Pod by itself. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
}

export interface PodWorker {
  readonly pod: Pod;
  /** What the runtime said last. */
  readonly runtime: PodRuntime;
  readonly state: "running" | "ending" | "ended";
  /** What was said of it last. */
  readonly status: PodStatus | undefined;
  /** Calls after every look at the runtime. */
  onLook(looked: () => void): Disposable;
  /** Wishes for more than the node has left now. */
  readonly resizeDeferred: boolean;
  /** In a step: what it saw last may be old. */
  readonly busy: boolean;
  /** A newer state of the object. */
  update(pod: Pod): void;
  /** Something changed in the runtime, a probe, or an object that the Pod refers to. */
  wake(cause: WakeCause): void;
  /** Ends the Pod with phase Failed. */
  fail(failure: PodFailure, graceSeconds?: number): void;
  /** The object, last seen as `pod`, is gone; resolves when nothing is left on the node. */
  remove(pod: Pod): Promise<void>;
}

export interface WakeCause {
  /** Objects that volumes are written from have changed. */
  readonly volumes?: boolean;
  /** A container that is said to have stopped: look again until the runtime says so too. */
  readonly stopped?: string;
  /** The kernel killed something in the Pod; the runtime may tell only of the sandbox. */
  readonly outOfMemory?: boolean;
}

export interface PodWorkerOptions {
  readonly pod: Pod;
  readonly services: PodServices;
  readonly statuses: StatusManager;
  /** Refused by the node: it never starts. */
  readonly refused?: PodFailure | undefined;
  /** Why the node cannot grant what the Pod wishes for; undefined when it can. */
  readonly refuseResize: (pod: Pod) => ResizeRefusal | undefined;
  readonly ended?: (pod: Pod) => void;
}

/** Retries of a step that failed as a whole. */
const retryMinMs = 500;
const retryMaxMs = 10_000;
const volumeRetryMs = 30_000;
/** The runtime hears of an exit a moment after its own event. */
const settleMs = [10, 20, 40, 80, 160, 320, 640] as const;

/** 128 + SIGKILL. */
const killedExitCode = 137;
/** An end so close to the kernel's report is taken for its consequence. */
const killedWithinMs = 5000;

export function createPodWorker(options: PodWorkerOptions): PodWorker {
  const { services, statuses } = options;
  const { world, cri, lifetime } = services;
  const uid = uidOf(options.pod);
  const waiting = new Map<string, WaitingReason>();
  const messages = new Map<string, string>();
  const stopped = new Map<string, number>();
  const lookers = new Set<() => void>();
  const removed = Promise.withResolvers<void>();
  const resizer = createResizer({ pod: options.pod, services, refuse: options.refuseResize });
  let pod = resizer.pod;
  let latest = options.pod;
  let runtime = emptyPodRuntime;
  let state: PodWorker["state"] = "running";
  let failure: PodFailure | undefined = options.refused;
  let failureGraceSeconds: number | undefined;
  let objectGone = false;
  let volumesChanged = false;
  let stepping = false;
  let again = false;
  let timer: Timer | undefined;
  let failures = 0;
  let syncing = new AbortController();
  let graceSeconds = Infinity;
  let killedMs = -Infinity;
  const outOfMemory = new Set<string>();

  function wake({ volumes = false, stopped: id, outOfMemory = false }: WakeCause = {}): void {
    if (outOfMemory) killedMs = world.clock.nowMs();
    if (volumes) volumesChanged = true;
    if (id !== undefined) stopped.set(id, 0);
    again = true;
    if (!stepping && !lifetime.ended) void run();
  }

  function wakeAfter(delayMs: number): void {
    if (lifetime.ended) return;
    const dueMs = world.clock.monotonicMs() + delayMs;
    if (timer !== undefined && timer.dueMonotonicMs <= dueMs) return;
    timer?.[Symbol.dispose]();
    timer = world.clock.after(delayMs, () => {
      timer = undefined;
      wake();
    });
  }

  async function run(): Promise<void> {
    stepping = true;
    while (again && !lifetime.ended) {
      again = false;
      timer?.[Symbol.dispose]();
      timer = undefined;
      try {
        await step();
        failures = 0;
      } catch (error) {
        stepFailed(error);
      }
    }
    stepping = false;
  }

  function stepFailed(error: unknown): void {
    if (lifetime.ended) return;
    if (syncing.signal.aborted && wantsToEnd()) return void (again = true);
    if (error instanceof VolumeError) services.events.warning(pod, "FailedMount", error.message);
    else world.log.error("pod step failed", error, { pod: podDescription(pod), state });
    wakeAfter(Math.min(retryMaxMs, retryMinMs * 2 ** failures++));
  }

  function wantsToEnd(): boolean {
    return objectGone || failure !== undefined || pod.metadata?.deletionTimestamp !== undefined;
  }

  async function step(): Promise<void> {
    if (state === "ended") return killedMs > -Infinity ? explainEnd() : finish();
    await look();
    if (state === "running" && !wantsToEnd() && !isOver(pod)) await sync();
    else if (state === "running") state = "ending";
    if (state === "ending") await end();
  }

  /** Reads the runtime and says what the Pod is like. */
  async function look(used = pod): Promise<PodStatus> {
    runtime = await readPodRuntime(cri.runtime, uid);
    resizer.note(runtime, used);
    for (const [id, looks] of stopped) {
      const seen = runtime.containers.find((container) => container.id === id);
      const delayMs = settleMs[looks];
      if (seen?.state !== containerState.running || delayMs === undefined) stopped.delete(id);
      else {
        stopped.set(id, looks + 1);
        wakeAfter(delayMs);
      }
    }
    noteKilled();
    await readTerminationMessages(runtime, { known: messages, files: world.files });
    services.probes.follow(pod, runtime, { ending: state !== "running" });
    for (const looked of lookers) looked();
    return say(false);
  }

  /** The kernel's word may come after the end that it explains. */
  async function explainEnd(): Promise<void> {
    runtime = await readPodRuntime(cri.runtime, uid);
    noteKilled();
    killedMs = -Infinity;
    say(true);
    await finish();
  }

  function noteKilled(): void {
    for (const { id, state: seen, exitCode, finishedAt } of runtime.containers) {
      if (seen !== containerState.exited || exitCode !== killedExitCode) continue;
      if (Math.abs(finishedAt / 1e6 - killedMs) < killedWithinMs) outOfMemory.add(id);
    }
  }

  function say(terminal: boolean): PodStatus {
    const status = podStatusOf({
      pod,
      runtime,
      waiting,
      terminal,
      failure,
      terminationMessages: messages,
      probes: services.probes,
      runtimeName: services.runtimeName,
      previous: statuses.get(uid) ?? pod.status ?? {},
      hostIps: services.node.ips,
      outOfMemory,
      applied: resizer.applied,
      extraConditions: resizer.conditions,
    });
    statuses.set(pod, status);
    return status;
  }

  /** What cannot be written anew stays as it was: the containers go on with it. */
  async function refreshVolumes(): Promise<void> {
    if (!volumesChanged) return;
    volumesChanged = false;
    try {
      await services.volumes.refresh(pod, fieldContext(services, podIpsOf(runtime)));
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      services.events.warning(pod, "FailedMount", error.message);
      volumesChanged = true;
      wakeAfter(volumeRetryMs);
    }
  }

  async function sync(): Promise<void> {
    if (deadlinePassed()) return wake();
    syncing = new AbortController();
    await refreshVolumes();
    if (await resizer.carryOut(runtime)) {
      pod = resizer.pod;
      await look();
    }
    // Each round starts what the one before made possible: the next init container, for instance.
    for (let round = 0; round < roundsMax(pod); round++) {
      const plan = planPod(pod, runtime, services.probes);
      if (isIdle(plan)) break;
      const { signal } = syncing;
      const used = pod;
      const sandboxReady = (now: PodRuntime): void => {
        runtime = now;
        say(false);
      };
      const input = { pod: used, runtime, plan, waiting, signal, sandboxReady };
      const outcome = await syncPod(input, services);
      await look(used);
      if (wantsToEnd()) return void (again = true);
      if (outcome.retryAfterMs !== undefined) {
        wakeAfter(outcome.retryAfterMs);
        break;
      }
      if (plan.killPod && !plan.createSandbox) break;
    }
    await removeOldInstances(pod, runtime, services);
    if (isOver({ ...pod, status: statuses.get(uid) })) state = "ending";
  }

  /** Whether `activeDeadlineSeconds` is over; else wakes when it is. */
  function deadlinePassed(): boolean {
    const { activeDeadlineSeconds } = pod.spec;
    const started = statuses.get(uid)?.startTime ?? pod.status?.startTime;
    if (activeDeadlineSeconds === undefined || started === undefined) return false;
    const leftMs = Date.parse(started) + activeDeadlineSeconds * 1000 - world.clock.nowMs();
    if (leftMs > 0) {
      wakeAfter(leftMs);
      return false;
    }
    const message = "Pod was active on the node longer than the specified deadline";
    failure = { reason: "DeadlineExceeded", message };
    services.events.normal(pod, "DeadlineExceeded", message);
    return true;
  }

  async function end(): Promise<void> {
    services.probes.follow(pod, runtime, { ending: true });
    say(false);
    graceSeconds = graceOf();
    const override = failureGraceSeconds ?? (objectGone ? graceSeconds : undefined);
    await killPod({ pod, runtime, graceSeconds: override }, services);
    await look();
    if (runningContainers(runtime).length > 0) {
      again = true;
      return;
    }
    say(true);
    services.probes.forget(uid);
    await services.volumes.tearDown(uid);
    await services.cgroups.removePod(pod);
    for (const { container } of containersOf(pod))
      services.crashes.forget(crashKey(pod, container));
    state = "ended";
    options.ended?.(pod);
    await finish();
  }

  function graceOf(): number {
    const own = pod.spec.terminationGracePeriodSeconds ?? 30;
    return failureGraceSeconds ?? Math.max(1, pod.metadata?.deletionGracePeriodSeconds ?? own);
  }

  async function finish(): Promise<void> {
    if (!objectGone) return statuses.finish(pod);
    statuses.forget(uid);
    runtime = await readPodRuntime(cri.runtime, uid);
    await removePodRuntime(runtime, services);
    await world.files.remove(podDirectory(services.directories, uid));
    await world.files.remove(podLogDirectory(services.directories, pod));
    removed.resolve();
  }

  function hasten(): void {
    const next = graceOf();
    if (state !== "ending" || next >= graceSeconds) return;
    graceSeconds = next;
    hastenKill({ pod, runtime, graceSeconds: next }, services).catch((error: unknown) =>
      world.log.error("pod not hastened", error, { pod: podDescription(pod) }),
    );
  }

  const release = (): void => {
    timer?.[Symbol.dispose]();
    syncing.abort(new DOMException("kubelet is ending", "AbortError"));
  };
  lifetime.signal.addEventListener("abort", release, { once: true });
  removed.promise.then(
    () => lifetime.signal.removeEventListener("abort", release),
    () => undefined,
  );
  wake();
  return {
    get pod() {
      return pod;
    },
    get runtime() {
      return runtime;
    },
    get state() {
      return state;
    },
    get status() {
      return statuses.get(uid) ?? pod.status;
    },
    onLook(looked) {
      lookers.add(looked);
      return { [Symbol.dispose]: () => void lookers.delete(looked) };
    },
    get resizeDeferred() {
      return resizer.deferred;
    },
    get busy() {
      return stepping;
    },
    wake,
    update(next) {
      const before = latest;
      latest = next;
      resizer.wish(next);
      pod = resizer.pod;
      if (wantsToEnd()) syncing.abort(new DOMException("pod is being deleted", "AbortError"));
      hasten();
      if (!matters(before, next)) return;
      const described = (each: Pod) => [each.metadata?.labels, each.metadata?.annotations];
      wake({ volumes: !deepEqual(described(before), described(next)) });
    },
    fail(why, withinSeconds) {
      failure ??= why;
      failureGraceSeconds ??= withinSeconds;
      syncing.abort(new DOMException(why.reason, "AbortError"));
      hasten();
      wake();
    },
    remove(last) {
      pod = last;
      objectGone = true;
      syncing.abort(new DOMException("pod is gone", "AbortError"));
      wake();
      return removed.promise;
    },
  };
}

/** The phase says that nothing of the Pod will run again. */
function isOver({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** Enough for every container to be started once after another. */
function roundsMax(pod: Pod): number {
  return containersOf(pod).length + 2;
}

/** Whether the Pod must be looked at: our own writes of its status are no reason. */
function matters(before: Pod, next: Pod): boolean {
  const gates = (pod: Pod) =>
    (pod.status?.conditions ?? []).filter(({ type }) =>
      (pod.spec.readinessGates ?? []).some(({ conditionType }) => conditionType === type),
    );
  const significant = ({ metadata, spec }: Pod) => [
    spec,
    metadata?.labels,
    metadata?.annotations,
    metadata?.deletionTimestamp,
    metadata?.deletionGracePeriodSeconds,
    metadata?.generation,
  ];
  return (
    !deepEqual(significant(before), significant(next)) || !deepEqual(gates(before), gates(next))
  );
}
