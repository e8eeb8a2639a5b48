import { attempt, attemptExtended, type Found, messageOf, type Misfitted, postFilter } from "./attempt.ts";
import { bindPod, type BindFailure, permit, reserve } from "./binding.ts";
import type { MutableCluster } from "./cluster.ts";
import type { NamedFilter } from "./evaluation.ts";
import type { ExtenderCalls } from "./extender-calls.ts";
import type { NodeInfo } from "./node-info.ts";
import type { Nominator } from "./nominator.ts";
import type { ProfileRuntime } from "./profile-runtime.ts";
import type { Queue } from "./queue.ts";
import type { QueuedPod } from "./queued-pod.ts";
import type { Slots } from "./slots.ts";
import { startStopwatch, type Stopwatch } from "./stopwatch.ts";
import { type ReportOptions, TrialReport } from "./trial-report.ts";
import type { WaitingPods } from "./waiting-pods.ts";

export interface TrialOptions extends ReportOptions {
  readonly queue: Queue;
  readonly cluster: MutableCluster;
  readonly nominator: Nominator;
  readonly waiting: WaitingPods;
  readonly extenders: ExtenderCalls | undefined;
  /** Bindings under way. */
  readonly bindings: Slots;
  /** 0 <= n < limit. */
  readonly below: (limit: number) => number;
  /** Ends bindings. */
  readonly signal: AbortSignal;
}

/** Where a pod was put. */
interface Placed {
  readonly filters: readonly NamedFilter[];
  readonly node: NodeInfo;
}

/** One try to give a pod a node, until it is bound there, or back in the queue. */
export class Trial {
  readonly #options: TrialOptions;
  readonly #entry: QueuedPod;
  readonly #runtime: ProfileRuntime;
  readonly #stopwatch: Stopwatch;
  readonly #report: TrialReport;

  constructor(options: TrialOptions, entry: QueuedPod, runtime: ProfileRuntime) {
    this.#options = options;
    this.#entry = entry;
    this.#runtime = runtime;
    this.#stopwatch = startStopwatch(options.clock, options.metrics, runtime.profile.schedulerName);
    this.#report = new TrialReport(options, { entry, runtime, stopwatch: this.#stopwatch });
  }

  /** The scheduling cycle. A promise only when it has to wait for something; it does not fail. */
  run(): Promise<void> | undefined {
    const { info } = this.#entry;
    const { cluster, nominator, extenders, below } = this.#options;
    const parts = { runtime: this.#runtime, cluster, nominator, below, stopwatch: this.#stopwatch };
    if (extenders?.concerned(info)) {
      return attemptExtended(info, parts, extenders)
        .then((result) => this.#conclude(result))
        .catch((error: unknown) => this.#failed(error));
    }
    try {
      return this.#conclude(attempt(info, parts));
    } catch (error) {
      return void this.#failed(error);
    }
  }

  #conclude(result: Found | Misfitted): Promise<void> | undefined {
    if (result.outcome === "misfit") return this.#unplaced(result);
    return void this.#place(result);
  }

  #place(found: Found): void {
    const { cluster, waiting } = this.#options;
    const { info } = this.#entry;
    const { node } = found.choice;
    const placed: Placed = { filters: found.evaluation.filters, node };
    cluster.assume(info, node);
    const refusal = reserve(placed.filters, node);
    this.#stopwatch.lap("Reserve", refusal === undefined ? "Success" : "Error");
    if (refusal !== undefined) return this.#undo(placed, refusal);
    this.#report.assigned(found);
    const leave = permit(info, node, { runtime: this.#runtime, waiting });
    if (leave instanceof Promise) void this.#wait(leave).then((failure) => this.#permitted(placed, failure));
    else this.#permitted(placed, leave);
  }

  async #wait(leave: Promise<BindFailure | undefined>): Promise<BindFailure | undefined> {
    const { clock, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    const failure = await leave;
    metrics?.permitWaited(failure === undefined ? "allowed" : "rejected", clock.monotonicMs() - startMs);
    return failure;
  }

  #permitted(placed: Placed, failure: BindFailure | undefined): void {
    this.#stopwatch.lap("Permit", failure === undefined ? "Success" : "Unschedulable");
    if (failure !== undefined) return this.#undo(placed, failure);
    const { bindings, log } = this.#options;
    const binding = this.#bind(placed).catch((error: unknown) =>
      log.error("binding cycle failed", error, { pod: this.#entry.info.key }),
    );
    bindings.take(binding);
  }

  async #bind(placed: Placed): Promise<void> {
    const { queue, nominator, extenders, signal } = this.#options;
    const { info } = this.#entry;
    const parts = { ...placed, runtime: this.#runtime, extenders, signal, stopwatch: this.#stopwatch };
    const failure = await bindPod(info, parts);
    if (failure !== undefined) return this.#undo(placed, failure);
    queue.done(this.#entry);
    nominator.remove(info.uid);
    this.#report.bound(placed.node.name);
  }

  /** Takes the pod off the node it was assumed on. */
  #undo({ filters, node }: Placed, { status, plugin, message }: BindFailure): void {
    const { cluster, queue } = this.#options;
    const { info } = this.#entry;
    for (const { filter } of filters) filter.unreserve?.(node);
    cluster.forget(info.uid);
    queue.happened({ name: "AssignedPod/delete", object: info.pod });
    if (status.code === "Error") return this.#failed(new Error(message));
    this.#report.turnedBack(message);
    queue.putBack(this.#entry, new Set([plugin]));
  }

  /** Lets plugins make room, where there are any that may. */
  #unplaced(result: Misfitted): Promise<void> | undefined {
    if (result.nodeCount === 0 || this.#runtime.profile.postFilters.length === 0) {
      return void this.#misfitted(result, messageOf(result, ""), undefined);
    }
    return postFilter(result, this.#runtime).then(
      ({ message, nominatedNodeName }) => {
        this.#stopwatch.lap("PostFilter", nominatedNodeName ? "Success" : "Unschedulable");
        if (nominatedNodeName !== undefined) this.#options.nominator.nominate(this.#entry.info, nominatedNodeName);
        this.#misfitted(result, messageOf(result, message), nominatedNodeName);
      },
      (error: unknown) => this.#failed(error),
    );
  }

  #misfitted(result: Misfitted, message: string, nominatedNodeName: string | undefined): void {
    this.#report.misfitted(result, message, nominatedNodeName);
    // Without a node there was nobody to refuse: any plugin's hints will do.
    const { plugins } = this.#runtime.profile;
    const refusedBy = result.nodeCount === 0 ? new Set(plugins.map(({ name }) => name)) : result.refusedBy;
    this.#options.queue.putBack(this.#entry, refusedBy);
  }

  #failed(error: unknown): void {
    const { queue } = this.#options;
    // Deleted meanwhile: nothing to tell, and nobody to tell it to.
    if (queue.get(this.#entry.info.uid) === undefined) return;
    this.#report.failed(error);
    queue.putBack(this.#entry, new Set());
  }
}
