import type { Pod } from "#api/core/v1/pod.ts";
import type { Clock } from "#base/clock.ts";
import { errorMessage } from "#base/error-message.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";
import { type Found, type Misfitted, scoresOf } from "./attempt.ts";
import type { Cluster } from "./cluster.ts";
import type { SchedulerMetrics } from "./metrics.ts";
import { conditionPatch, patchPodStatus, truncated } from "./pod-condition.ts";
import type { ProfileRuntime } from "./profile-runtime.ts";
import type { Queue } from "./queue.ts";
import type { QueuedPod } from "./queued-pod.ts";
import type { Stopwatch } from "./stopwatch.ts";
import type { Explanation, Explanations } from "./why.ts";

export interface ReportOptions {
  readonly queue: Pick<Queue, "get">;
  readonly cluster: Pick<Cluster, "nodeCount">;
  readonly explanations: Explanations;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: SchedulerMetrics | undefined;
}

/** A try to find a node for a pod. */
export interface TrialSubject {
  readonly entry: QueuedPod;
  readonly runtime: ProfileRuntime;
  readonly stopwatch: Stopwatch;
}

interface Failure {
  /** Of the condition `PodScheduled`. */
  readonly reason: string;
  readonly message: string;
  readonly nominatedNodeName?: string | undefined;
}

/** Tells how a try ended: in metrics, explanations, events, and the pod's conditions. */
export class TrialReport {
  readonly #options: ReportOptions;
  readonly #subject: TrialSubject;

  constructor(options: ReportOptions, subject: TrialSubject) {
    this.#options = options;
    this.#subject = subject;
  }

  /** A node was chosen; the binding is still to come. */
  assigned(found: Found): void {
    const nodeName = found.choice.node.name;
    const message = `Successfully assigned ${this.#subject.entry.info.key} to ${nodeName}`;
    this.#explain({ outcome: "Scheduled", message, nodeName, refusals: [], scores: scoresOf(found) });
  }

  bound(nodeName: string): void {
    const { entry, runtime } = this.#subject;
    const { metrics, clock } = this.#options;
    this.#count("Scheduled");
    const nowMs = clock.monotonicMs();
    metrics?.scheduled(entry, nowMs - (entry.firstActiveMs ?? nowMs));
    runtime.events.record({
      regarding: entry.info.pod,
      type: "Normal",
      reason: "Scheduled",
      action: "Binding",
      note: `Successfully assigned ${entry.info.key} to ${nodeName}`,
    });
  }

  /** Refused on the node that was chosen. */
  turnedBack(message: string): void {
    this.#count("Unschedulable");
    void this.#tell({ reason: "Unschedulable", message });
  }

  misfitted(result: Misfitted, message: string, nominatedNodeName: string | undefined): void {
    const { refusals, nodeCount } = result;
    this.#count("Unschedulable");
    this.#explain({ outcome: "Unschedulable", message, refusals, scores: [], nodeCount });
    void this.#tell({ reason: "Unschedulable", message, nominatedNodeName });
  }

  failed(error: unknown): void {
    const message = errorMessage(error);
    this.#options.log.error("scheduling failed; retrying", error, { pod: this.#subject.entry.info.key });
    this.#count("Error");
    this.#explain({ outcome: "Error", message, refusals: [], scores: [] });
    void this.#tell({ reason: "SchedulerError", message });
  }

  #count(outcome: Explanation["outcome"]): void {
    const { runtime, stopwatch } = this.#subject;
    const tookMs = this.#options.clock.monotonicMs() - stopwatch.startMs;
    this.#options.metrics?.attempted(outcome, runtime.profile.schedulerName, tookMs);
  }

  #explain(
    told: Pick<Explanation, "outcome" | "message" | "refusals" | "scores"> & {
      readonly nodeName?: string;
      readonly nodeCount?: number;
    },
  ): void {
    const { info, attempts } = this.#subject.entry;
    const { clock, cluster, explanations } = this.#options;
    const { nodeCount } = cluster;
    const explanation = { pod: info.key, uid: info.uid, attempts, atMs: clock.nowMs(), nodeCount, ...told };
    explanations.record(info.key, () => explanation);
  }

  async #tell({ reason, message, nominatedNodeName }: Failure): Promise<void> {
    const { info } = this.#subject.entry;
    const { queue, clock, client, log } = this.#options;
    tellFailure(this.#subject.runtime, info.pod, truncated(message));
    const current = queue.get(info.uid)?.info.pod ?? info.pod;
    const change = { type: "PodScheduled", status: "False", reason, message } as const;
    const patch = conditionPatch(current, change, { nowMs: clock.nowMs(), nominatedNodeName });
    if (patch === undefined) return;
    await patchPodStatus(client, info.key, patch).catch((error: unknown) =>
      log.debug("pod status not patched", { pod: info.key, error }),
    );
  }
}

export function tellFailure({ events }: ProfileRuntime, regarding: Pod, note: string): void {
  events.record({ regarding, type: "Warning", reason: "FailedScheduling", action: "Scheduling", note });
}
