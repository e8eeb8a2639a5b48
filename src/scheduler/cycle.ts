/**
 * The loop: scheduling cycles one after the other, binding cycles beside them.
 * Source: pkg/scheduler/schedule_one.go.
 *
 * Invariants: 1. One scheduling cycle at a time. 2. At most `bindingsMax` bindings are under way;
 * the loop waits for one to end. 3. A pod whose binding fails is taken off its node, its
 * reservations are undone, and it is queued again with backoff. 4. The loop lets others run after
 * `sliceMsMax`.
 */
import { errorMessage } from "#base/error-message.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Clock } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { attempt, attemptExtended, type Found, messageOf, type Misfitted, postFilter, scoresOf } from "./attempt.ts";
import { bindPod, permit, reserve, type BindFailure } from "./binding.ts";
import type { MutableCluster } from "./cluster.ts";
import type { ExtenderCalls } from "./extender-calls.ts";
import type { SchedulerMetrics } from "./metrics.ts";
import type { Nominator } from "./nominator.ts";
import { conditionPatch, patchPodStatus, truncated } from "./pod-condition.ts";
import type { PodInfo } from "./pod-info.ts";
import type { ProfileRuntime } from "./profile-runtime.ts";
import type { QueuedPod, Queue } from "./queue.ts";
import { startStopwatch, type Stopwatch } from "./stopwatch.ts";
import type { WaitingPods } from "./waiting-pods.ts";
import type { Explanation, Explanations } from "./why.ts";

/** Bindings under way. */
export const bindingsMax = 128;
/** Longest time without letting others run. */
const sliceMsMax = 5;

export interface CyclesOptions {
  readonly queue: Queue;
  readonly cluster: MutableCluster;
  readonly nominator: Nominator;
  readonly explanations: Explanations;
  readonly waiting: WaitingPods;
  readonly extenders: ExtenderCalls | undefined;
  readonly runtimeOf: (pod: PodInfo) => ProfileRuntime | undefined;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  readonly nextTurn: () => Promise<void>;
  readonly metrics: SchedulerMetrics | undefined;
}

export interface Cycles {
  /** Nothing is scheduled before. */
  start(): void;
  wake(): void;
  idle(): Promise<void>;
}

export function createCycles(options: CyclesOptions): Cycles {
  const { queue, cluster, clock, log, lifetime } = options;
  const bindings = createSlots(bindingsMax);
  let started = false;
  let running: Promise<void> | undefined;
  const below = (limit: number): number => options.random.below(limit);

  function wake(): void {
    if (!started || running !== undefined || lifetime.ended) return;
    running = Promise.resolve()
      .then(run)
      .catch((error: unknown) => log.error("scheduling loop failed", error))
      .finally(() => {
        running = undefined;
        const { active } = queue.counts;
        if (active > 0) wake();
      });
  }

  async function run(): Promise<void> {
    let sliceEndsMs = clock.monotonicMs() + sliceMsMax;
    while (!lifetime.ended) {
      const entry = queue.pop();
      if (entry === undefined) return;
      const pausing = scheduleOne(entry);
      if (pausing !== undefined) await pausing;
      if (bindings.full) await bindings.freed();
      if (clock.monotonicMs() < sliceEndsMs) continue;
      await options.nextTurn();
      sliceEndsMs = clock.monotonicMs() + sliceMsMax;
    }
  }

  /** A promise only when the cycle has to wait for something. */
  function scheduleOne(entry: QueuedPod): Promise<void> | undefined {
    const { info } = entry;
    const runtime = options.runtimeOf(info);
    if (runtime === undefined || cluster.pod(info.uid) !== undefined) return void queue.done(entry);
    if (info.terminating) {
      tellFailure(runtime, info.pod, `skip schedule deleting pod: ${info.key}`);
      return void queue.done(entry);
    }
    const { nominator, extenders } = options;
    const stopwatch = startStopwatch(clock, options.metrics, runtime.profile.schedulerName);
    const trial: Trial = { entry, runtime, stopwatch };
    const conclude = (result: Found | Misfitted): Promise<void> | undefined => {
      if (result.outcome === "misfit") return unplaced(trial, result);
      return void place(trial, result);
    };
    const failed = (error: unknown): void => failedByError(trial, error);
    const parts = { runtime, cluster, nominator, below, stopwatch };
    if (extenders?.concerned(info)) return attemptExtended(info, parts, extenders).then(conclude).catch(failed);
    try {
      return conclude(attempt(info, parts));
    } catch (error) {
      return void failed(error);
    }
  }

  function place(trial: Trial, found: Found): void {
    const { entry, runtime, stopwatch } = trial;
    const { info } = entry;
    const { node } = found.choice;
    const { filters } = found.evaluation;
    cluster.assume(info, node);
    const refusal = reserve(filters, node);
    stopwatch.lap("Reserve", refusal === undefined ? "Success" : "Error");
    if (refusal !== undefined) return undone(trial, { ...refusal, filters, node });
    const scores = scoresOf(found);
    const leave = permit(info, node, { runtime, waiting: options.waiting });
    const goOn = (failure: BindFailure | undefined): void => {
      stopwatch.lap("Permit", failure === undefined ? "Success" : "Unschedulable");
      if (failure !== undefined) undone(trial, { ...failure, filters, node });
      else bind(trial, { filters, node });
    };
    if (leave instanceof Promise) void waitForLeave(leave).then(goOn);
    else goOn(leave);
    explain(trial, {
      outcome: "Scheduled",
      message: `Successfully assigned ${info.key} to ${node.name}`,
      nodeName: node.name,
      refusals: [],
      scores,
      nodeCount: cluster.nodeCount,
    });
  }

  async function waitForLeave(leave: Promise<BindFailure | undefined>): Promise<BindFailure | undefined> {
    const startMs = clock.monotonicMs();
    const failure = await leave;
    options.metrics?.permitWaited(failure === undefined ? "allowed" : "rejected", clock.monotonicMs() - startMs);
    return failure;
  }

  function bind(trial: Trial, { filters, node }: Placed): void {
    const { entry, runtime, stopwatch } = trial;
    const { info } = entry;
    const binding = bindPod(info, {
      node,
      filters,
      runtime,
      extenders: options.extenders,
      signal: lifetime.signal,
      stopwatch,
    })
      .then((failure) => {
        if (failure !== undefined) return undone(trial, { ...failure, filters, node });
        queue.done(entry);
        counted(trial, "Scheduled");
        options.nominator.remove(info.uid);
        runtime.events.record({
          regarding: info.pod,
          type: "Normal",
          reason: "Scheduled",
          action: "Binding",
          note: `Successfully assigned ${info.key} to ${node.name}`,
        });
      })
      .catch((error: unknown) => log.error("binding cycle failed", error, { pod: info.key }));
    bindings.take(binding);
  }

  /** Takes a pod off the node it was assumed on. */
  function undone(trial: Trial, { status, plugin, message, filters, node }: Undone): void {
    const { entry } = trial;
    for (const { filter } of filters) filter.unreserve?.(node);
    cluster.forget(entry.info.uid);
    queue.happened({ name: "AssignedPod/delete", object: entry.info.pod });
    if (status.code === "Error") return failedByError(trial, new Error(message));
    counted(trial, "Unschedulable");
    void report(trial, { message, reason: "Unschedulable" });
    queue.putBack(entry, new Set([plugin]));
  }

  function unplaced(trial: Trial, result: Misfitted): Promise<void> | undefined {
    const { entry, runtime, stopwatch } = trial;
    if (result.nodeCount === 0 || runtime.profile.postFilters.length === 0) {
      return void refused(trial, { result, postFilterMessage: "" });
    }
    return postFilter(result, runtime).then(
      ({ message, nominatedNodeName }) => {
        stopwatch.lap("PostFilter", nominatedNodeName ? "Success" : "Unschedulable");
        if (nominatedNodeName !== undefined) options.nominator.nominate(entry.info, nominatedNodeName);
        refused(trial, { result, postFilterMessage: message, nominatedNodeName });
      },
      (error: unknown) => failedByError(trial, error),
    );
  }

  function refused(
    trial: Trial,
    {
      result,
      postFilterMessage,
      nominatedNodeName,
    }: {
      readonly result: Misfitted;
      readonly postFilterMessage: string;
      readonly nominatedNodeName?: string | undefined;
    },
  ): void {
    const { entry, runtime } = trial;
    const message = messageOf(result, postFilterMessage);
    const { refusals, nodeCount } = result;
    counted(trial, "Unschedulable");
    explain(trial, { outcome: "Unschedulable", message, refusals, scores: [], nodeCount });
    // Without a node there was nobody to refuse: any plugin's hints will do.
    const refusedBy = nodeCount === 0 ? new Set(runtime.profile.plugins.map(({ name }) => name)) : result.refusedBy;
    queue.putBack(entry, refusedBy);
    void report(trial, { message, reason: "Unschedulable", nominatedNodeName });
  }

  function failedByError(trial: Trial, error: unknown): void {
    const { entry } = trial;
    // Deleted meanwhile: nothing to tell, and nobody to tell it to.
    if (queue.get(entry.info.uid) === undefined) return;
    const message = errorMessage(error);
    log.error("scheduling failed; retrying", error, { pod: entry.info.key });
    counted(trial, "Error");
    explain(trial, {
      outcome: "Error",
      message,
      refusals: [],
      scores: [],
      nodeCount: cluster.nodeCount,
    });
    queue.putBack(entry, new Set());
    void report(trial, { message, reason: "SchedulerError" });
  }

  async function report(
    { entry: { info }, runtime }: Trial,
    said: {
      readonly message: string;
      readonly reason: string;
      readonly nominatedNodeName?: string | undefined;
    },
  ): Promise<void> {
    const { message, reason, nominatedNodeName } = said;
    tellFailure(runtime, info.pod, truncated(message));
    const current = queue.get(info.uid)?.info.pod ?? info.pod;
    const change = { type: "PodScheduled", status: "False", reason, message } as const;
    const patch = conditionPatch(current, change, { nowMs: clock.nowMs(), nominatedNodeName });
    if (patch === undefined) return;
    await patchPodStatus(options.client, info.key, patch).catch((error: unknown) =>
      log.debug("pod status not patched", { pod: info.key, error }),
    );
  }

  function explain(
    { entry: { info, attempts } }: Trial,
    told: Pick<Explanation, "outcome" | "message" | "refusals" | "scores" | "nodeCount"> & {
      readonly nodeName?: string;
    },
  ): void {
    const explanation = { pod: info.key, uid: info.uid, attempts, atMs: clock.nowMs(), ...told };
    options.explanations.record(info.key, () => explanation);
  }

  function counted({ entry, runtime, stopwatch }: Trial, outcome: Explanation["outcome"]): void {
    const nowMs = clock.monotonicMs();
    options.metrics?.attempted(outcome, runtime.profile.schedulerName, nowMs - stopwatch.startMs);
    if (outcome === "Scheduled") options.metrics?.scheduled(entry, nowMs - (entry.firstActiveMs ?? nowMs));
  }

  return {
    start() {
      started = true;
      wake();
    },
    wake,
    async idle() {
      for (;;) {
        if (running !== undefined) await running;
        else if (bindings.count > 0) await bindings.freed();
        else return;
      }
    },
  };
}

function tellFailure({ events }: ProfileRuntime, regarding: Pod, note: string): void {
  events.record({ regarding, type: "Warning", reason: "FailedScheduling", action: "Scheduling", note });
}

/** One attempt for a pod, until it is bound or given up. */
interface Trial {
  readonly entry: QueuedPod;
  readonly runtime: ProfileRuntime;
  readonly stopwatch: Stopwatch;
}

interface Placed {
  readonly filters: Found["evaluation"]["filters"];
  readonly node: Found["choice"]["node"];
}

type Undone = BindFailure & Placed;

/** Promises under way, up to a number. */
function createSlots(max: number) {
  const taken = new Set<Promise<unknown>>();
  return {
    get count() {
      return taken.size;
    },
    get full() {
      return taken.size >= max;
    },
    take(promise: Promise<unknown>): void {
      const own = promise.finally(() => taken.delete(own));
      taken.add(own);
    },
    freed: () => Promise.race(taken),
  };
}
