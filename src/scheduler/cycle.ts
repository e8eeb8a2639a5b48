/**
 * The loop: scheduling cycles one after the other, binding cycles beside them.
 * Source: pkg/scheduler/schedule_one.go.
 *
 * Invariants: 1. One scheduling cycle at a time. 2. At most `bindingsMax` bindings are under way;
 * the loop waits for one to end. 3. A pod whose binding fails is taken off its node, its
 * reservations are undone, and it is queued again with backoff. 4. The loop lets others run after
 * `sliceMsMax`.
 */
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
  let attemptStartMs = 0;
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
      attemptStartMs = clock.monotonicMs();
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
    const conclude = (result: Found | Misfitted): Promise<void> | undefined => {
      if (result.outcome === "misfit") return unplaced(entry, runtime, result);
      return void place(entry, runtime, result);
    };
    const failed = (error: unknown): void => failedByError(entry, runtime, error);
    if (extenders?.concerned(info)) {
      return attemptExtended(info, { runtime, cluster, nominator, below }, extenders).then(conclude).catch(failed);
    }
    try {
      return conclude(attempt(info, { runtime, cluster, nominator, below }));
    } catch (error) {
      return void failed(error);
    }
  }

  function place(entry: QueuedPod, runtime: ProfileRuntime, found: Found): void {
    const { info } = entry;
    const { node } = found.choice;
    const { filters } = found.evaluation;
    cluster.assume(info, node);
    const refusal = reserve(filters, node);
    if (refusal !== undefined) return undone(entry, runtime, { ...refusal, filters, node });
    const scores = scoresOf(found);
    const leave = permit(info, node, { runtime, waiting: options.waiting });
    const goOn = (failure: BindFailure | undefined): void => {
      if (failure !== undefined) undone(entry, runtime, { ...failure, filters, node });
      else bind(entry, runtime, { filters, node });
    };
    if (leave instanceof Promise) void leave.then(goOn);
    else goOn(leave);
    explain(entry, {
      outcome: "Scheduled",
      message: `Successfully assigned ${info.key} to ${node.name}`,
      nodeName: node.name,
      refusals: [],
      scores,
      nodeCount: cluster.nodeCount,
    });
  }

  function bind(entry: QueuedPod, runtime: ProfileRuntime, { filters, node }: Placed): void {
    const { info } = entry;
    const binding = bindPod(info, {
      node,
      filters,
      runtime,
      extenders: options.extenders,
      signal: lifetime.signal,
    })
      .then((failure) => {
        if (failure !== undefined) return undone(entry, runtime, { ...failure, filters, node });
        queue.done(entry);
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
  function undone(entry: QueuedPod, runtime: ProfileRuntime, { status, plugin, message, filters, node }: Undone): void {
    for (const { filter } of filters) filter.unreserve?.(node);
    cluster.forget(entry.info.uid);
    queue.happened({ name: "AssignedPod/delete", object: entry.info.pod });
    if (status.code === "Error") return failedByError(entry, runtime, new Error(message));
    void report(entry, runtime, { message, reason: "Unschedulable" });
    queue.putBack(entry, new Set([plugin]));
  }

  function unplaced(entry: QueuedPod, runtime: ProfileRuntime, result: Misfitted): Promise<void> | undefined {
    const { info } = entry;
    if (result.nodeCount === 0 || runtime.profile.postFilters.length === 0) {
      return void refused(entry, runtime, { result, postFilterMessage: "" });
    }
    return postFilter(result, runtime).then(
      ({ message, nominatedNodeName }) => {
        if (nominatedNodeName !== undefined) options.nominator.nominate(info, nominatedNodeName);
        refused(entry, runtime, { result, postFilterMessage: message, nominatedNodeName });
      },
      (error: unknown) => failedByError(entry, runtime, error),
    );
  }

  function refused(
    entry: QueuedPod,
    runtime: ProfileRuntime,
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
    const message = messageOf(result, postFilterMessage);
    const { refusals, nodeCount } = result;
    explain(entry, { outcome: "Unschedulable", message, refusals, scores: [], nodeCount });
    // Without a node there was nobody to refuse: any plugin's hints will do.
    const refusedBy = nodeCount === 0 ? new Set(runtime.profile.plugins.map(({ name }) => name)) : result.refusedBy;
    queue.putBack(entry, refusedBy);
    void report(entry, runtime, { message, reason: "Unschedulable", nominatedNodeName });
  }

  function failedByError(entry: QueuedPod, runtime: ProfileRuntime, error: unknown): void {
    // Deleted meanwhile: nothing to tell, and nobody to tell it to.
    if (queue.get(entry.info.uid) === undefined) return;
    const message = error instanceof Error ? error.message : String(error);
    log.error("scheduling failed; retrying", error, { pod: entry.info.key });
    explain(entry, {
      outcome: "Error",
      message,
      refusals: [],
      scores: [],
      nodeCount: cluster.nodeCount,
    });
    queue.putBack(entry, new Set());
    void report(entry, runtime, { message, reason: "SchedulerError" });
  }

  async function report(
    { info }: QueuedPod,
    runtime: ProfileRuntime,
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
    { info, attempts }: QueuedPod,
    told: Pick<Explanation, "outcome" | "message" | "refusals" | "scores" | "nodeCount"> & {
      readonly nodeName?: string;
    },
  ): void {
    const explanation = { pod: info.key, uid: info.uid, attempts, atMs: clock.nowMs(), ...told };
    options.explanations.record(info.key, () => explanation);
    const profile = info.pod.spec.schedulerName ?? "";
    options.metrics?.attempted(told.outcome, profile, clock.monotonicMs() - attemptStartMs);
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
