/**
 * The life of one Pod on the node, as an actor.
 *
 * Invariants: 1. One step at a time; what happens meanwhile leads to one more step. 2. A Pod goes
 * from running to ending to ended, never back. 3. Every step starts from what the runtime says.
 * 4. `ended` is reached when no container runs; the Pod's object is removed after that, and its
 * directories when the object is gone. 5. Nothing is looked at without a cause: an event, a change
 * of the object, a result of a probe, or a time known before.
 */
import type { PodCondition, PodStatus } from "#api/core/v1/pod-status.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { VolumeError } from "../volumes/volume-manager.ts";
import { containersOf, podDescription, uidOf } from "./container-list.ts";
import type { WaitingReason } from "./container-statuses.ts";
import { isIdle, planPod } from "./plan-pod.ts";
import { podDirectory, podLogDirectory } from "./pod-paths.ts";
import { type PodRuntime, podIpsOf, runningContainers } from "./pod-runtime.ts";
import { fieldContext, type PodServices } from "./pod-services.ts";
import {
  crashKeys,
  hastenKill,
  killPod,
  removeOldInstances,
  removePodRuntime,
  syncPod,
} from "./pod-sync.ts";
import { createPodView } from "./pod-view.ts";
import { createResizer } from "./resizer.ts";
import type { ResizeRefusal } from "./resize.ts";
import type { StatusManager } from "./status-manager.ts";
import { createWakeLoop } from "./wake-loop.ts";

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
  /** The result of a probe: told at once, however long the step takes that is under way. */
  readonly probed?: boolean;
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

export function createPodWorker(options: PodWorkerOptions): PodWorker {
  const { services, statuses } = options;
  const { world, lifetime } = services;
  const uid = uidOf(options.pod);
  const loop = createWakeLoop({ clock: world.clock, lifetime, step, failed: stepFailed });
  const view = createPodView({ uid, services, statuses, lookAfter: loop.wakeAfter });
  const resizer = createResizer({ pod: options.pod, services, refuse: options.refuseResize });
  const waiting = new Map<string, WaitingReason>();
  const removed = Promise.withResolvers<void>();
  let pod = resizer.pod;
  let latest = options.pod;
  let state: PodWorker["state"] = "running";
  let failure: PodFailure | undefined = options.refused;
  let failureGraceSeconds: number | undefined;
  let objectGone = false;
  let volumesChanged = false;
  let syncing = new AbortController();
  let graceSeconds = Infinity;

  function stepFailed(error: unknown, failuresBefore: number): void {
    if (syncing.signal.aborted && wantsToEnd()) return loop.wake();
    if (error instanceof VolumeError) services.events.warning(pod, "FailedMount", error.message);
    else world.log.error("pod step failed", error, { pod: podDescription(pod), state });
    loop.wakeAfter(Math.min(retryMaxMs, retryMinMs * 2 ** failuresBefore));
  }

  function wantsToEnd(): boolean {
    return objectGone || failure !== undefined || pod.metadata?.deletionTimestamp !== undefined;
  }

  async function step(): Promise<void> {
    if (state === "ended") return afterEnd();
    await look();
    if (state === "running" && !wantsToEnd() && !isOver(pod)) await sync();
    else if (state === "running") state = "ending";
    if (state === "ending") await end();
  }

  /** Reads the runtime and says what the Pod is like; new containers are as `used` wanted them. */
  async function look(used = pod): Promise<void> {
    await view.look();
    resizer.note(view.runtime, used);
    services.probes.follow(pod, view.runtime, { ending: state !== "running" });
    tell();
  }

  function tell(): void {
    say(wantsToEnd() && !runs());
  }

  function runs(): boolean {
    return runningContainers(view.runtime).length > 0;
  }

  function say(terminal: boolean): void {
    const conditions = [...resizer.conditions, ...disruptionOf(failure)];
    view.say(pod, { waiting, terminal, failure, conditions, applied: resizer.applied });
  }

  async function sync(): Promise<void> {
    if (deadlinePassed()) return loop.wake();
    syncing = new AbortController();
    await refreshVolumes();
    await resize();
    // Each round starts what the one before made possible: the next init container, for instance.
    for (let round = 0; round < roundsMax(pod); round++) if (!(await syncRound())) break;
    if (wantsToEnd()) return loop.wake();
    await removeOldInstances(pod, view.runtime, services);
    if (isOver({ ...pod, status: view.status })) state = "ending";
  }

  async function resize(): Promise<void> {
    for (;;) {
      const outcome = await resizer.carryOut(view.runtime);
      pod = resizer.pod;
      if (outcome === "nothing") return;
      await look();
      if (outcome === "failed") return loop.wakeAfter(retryMaxMs);
    }
  }

  /** Returns whether another round may find more to do. */
  async function syncRound(): Promise<boolean> {
    const used = pod;
    const plan = planPod(used, view.runtime, services.probes);
    if (isIdle(plan)) return false;
    const sandboxReady = (runtime: PodRuntime): void => {
      view.take(runtime);
      say(false);
    };
    const { signal } = syncing;
    const outcome = await syncPod(
      {
        pod: used,
        runtime: view.runtime,
        plan,
        waiting,
        resized: resizer.ended,
        signal,
        sandboxReady,
      },
      services,
    );
    await look(used);
    if (wantsToEnd() || (plan.killPod && !plan.createSandbox)) return false;
    if (outcome.retryAfterMs === undefined) return true;
    loop.wakeAfter(outcome.retryAfterMs);
    return false;
  }

  /** What cannot be written anew stays as it was: the containers go on with it. */
  async function refreshVolumes(): Promise<void> {
    if (!volumesChanged) return;
    volumesChanged = false;
    try {
      await services.volumes.refresh(pod, fieldContext(services, podIpsOf(view.runtime)));
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      services.events.warning(pod, "FailedMount", error.message);
      volumesChanged = true;
      loop.wakeAfter(volumeRetryMs);
    }
  }

  /** Whether `activeDeadlineSeconds` is over; else wakes when it is. */
  function deadlinePassed(): boolean {
    const { activeDeadlineSeconds } = pod.spec;
    const started = view.status?.startTime ?? pod.status?.startTime;
    if (activeDeadlineSeconds === undefined || started === undefined) return false;
    const leftMs = Date.parse(started) + activeDeadlineSeconds * 1000 - world.clock.nowMs();
    if (leftMs > 0) {
      loop.wakeAfter(leftMs);
      return false;
    }
    const message = "Pod was active on the node longer than the specified deadline";
    failure = { reason: "DeadlineExceeded", message };
    services.events.normal(pod, "DeadlineExceeded", message);
    return true;
  }

  async function end(): Promise<void> {
    services.probes.follow(pod, view.runtime, { ending: true });
    if (runs()) say(false);
    graceSeconds = graceOf();
    const override = failureGraceSeconds ?? (objectGone ? graceSeconds : undefined);
    await killPod({ pod, runtime: view.runtime, graceSeconds: override }, services);
    await look();
    if (runs()) return loop.wake();
    say(true);
    services.probes.forget(uid);
    await services.volumes.tearDown(uid);
    await services.cgroups.removePod(pod);
    services.crashes.forget(crashKeys(pod));
    state = "ended";
    options.ended?.(pod);
    await finish();
  }

  function graceOf(): number {
    const own = pod.spec.terminationGracePeriodSeconds ?? 30;
    return failureGraceSeconds ?? Math.max(1, pod.metadata?.deletionGracePeriodSeconds ?? own);
  }

  /** The kernel's word may come after the end that it explains. */
  async function afterEnd(): Promise<void> {
    if (view.unexplained) {
      await view.look();
      say(true);
    }
    await finish();
  }

  async function finish(): Promise<void> {
    if (!objectGone) return statuses.finish(pod);
    statuses.forget(uid);
    await view.look();
    await removePodRuntime(view.runtime, services);
    await world.files.remove(podDirectory(services.directories, uid));
    await world.files.remove(podLogDirectory(services.directories, pod));
    removed.resolve();
  }

  /** Ends what goes on with less patience than before, if there is less. */
  function hasten(): void {
    const next = graceOf();
    if (state !== "ending" || next >= graceSeconds) return;
    graceSeconds = next;
    hastenKill({ pod, runtime: view.runtime, graceSeconds: next }, services).catch(
      (error: unknown) => world.log.error("pod not hastened", error, { pod: podDescription(pod) }),
    );
  }

  function breakOff(why: string): void {
    syncing.abort(new DOMException(why, "AbortError"));
  }

  function wake(cause: WakeCause): void {
    if (cause.volumes === true) volumesChanged = true;
    if (cause.stopped !== undefined) view.noteStopped(cause.stopped);
    if (cause.outOfMemory === true) view.noteOutOfMemory();
    if (cause.probed === true && loop.busy && state !== "ended") tell();
    loop.wake();
  }

  const release = (): void => {
    loop[Symbol.dispose]();
    breakOff("kubelet is ending");
  };
  lifetime.signal.addEventListener("abort", release, { once: true });
  void removed.promise.then(() => lifetime.signal.removeEventListener("abort", release));
  loop.wake();
  return {
    get pod() {
      return pod;
    },
    get runtime() {
      return view.runtime;
    },
    get state() {
      return state;
    },
    get status() {
      return view.status ?? pod.status;
    },
    get resizeDeferred() {
      return resizer.deferred;
    },
    get busy() {
      return loop.busy;
    },
    onLook: view.onLook,
    wake,
    update(next) {
      const before = latest;
      latest = next;
      resizer.wish(next);
      pod = resizer.pod;
      if (wantsToEnd()) breakOff("pod is being deleted");
      hasten();
      if (!matters(before, next)) return;
      const described = (each: Pod) => [each.metadata?.labels, each.metadata?.annotations];
      wake({ volumes: !deepEqual(described(before), described(next)) });
    },
    fail(why, withinSeconds) {
      failure ??= why;
      failureGraceSeconds ??= withinSeconds;
      breakOff(why.reason);
      hasten();
      loop.wake();
    },
    remove(last) {
      pod = last;
      objectGone = true;
      breakOff("pod is gone");
      loop.wake();
      return removed.promise;
    },
  };
}

/** Pods that are evicted tell controllers so. Source: eviction_manager.go evictPod. */
function disruptionOf(failure: PodFailure | undefined): PodCondition[] {
  if (failure?.reason !== "Evicted") return [];
  const { message } = failure;
  return [{ type: "DisruptionTarget", status: "True", reason: "TerminationByKubelet", message }];
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
