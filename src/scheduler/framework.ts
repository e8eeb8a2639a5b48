/**
 * The contract between the scheduler and its plugins. A plugin is data: a frozen value that says
 * at which points it takes part. Source: k8s.io/kube-scheduler/framework.
 *
 * A plugin that judges nodes makes, for each pod, a `NodeFilter` (what upstream splits into
 * PreFilter, its extensions and Filter) and a `NodeScorer` (PreScore, Score, NormalizeScore).
 * Their results for a node are kept and shared by all pods of one class (`PodInfo.classKey`)
 * until the node changes; whoever looks at other nodes as well says so with `changed`.
 */
import { errorMessage } from "#base/error-message.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";
import type { HappeningRecorder } from "#client/event-series.ts";
import type { EventHint, EventName } from "./cluster-events.ts";
import type { Cluster } from "./cluster.ts";
import type { ExtenderCalls } from "./extender-calls.ts";
import type { Listers } from "./listers.ts";
import type { SchedulerMetrics } from "./metrics.ts";
import type { NodeInfo } from "./node-info.ts";
import type { Nominator } from "./nominator.ts";
import type { PodInfo } from "./pod-info.ts";
import type { QueuedPod } from "./queued-pod.ts";
import type { WaitingPods } from "./waiting-pods.ts";

/** `Unschedulable` may be cured by preemption, `UnschedulableAndUnresolvable` may not. */
export type Code = "Unschedulable" | "UnschedulableAndUnresolvable" | "Pending" | "Error";

/** A refusal. Success is `undefined` everywhere. */
export interface Status {
  readonly code: Code;
  /** As they stand in events: `Insufficient cpu`. */
  readonly reasons: readonly string[];
  /** Set with code `Error`. */
  readonly error?: unknown;
}

/** Refusals made so far, so that equal ones are one value. */
const interned = new Map<string, Status>();
/** Beyond it all are forgotten, and equal ones made anew. */
export const internedStatusesMax = 4096;

export function unschedulable(...reasons: string[]): Status {
  return intern("Unschedulable", reasons);
}

/** No change on the node short of its own can help. */
export function unresolvable(...reasons: string[]): Status {
  return intern("UnschedulableAndUnresolvable", reasons);
}

/** Waits for something outside the scheduler. */
export function pending(...reasons: string[]): Status {
  return intern("Pending", reasons);
}

export function failed(error: unknown): Status {
  const reason = errorMessage(error);
  return { code: "Error", reasons: [reason], error };
}

function intern(code: Code, reasons: readonly string[]): Status {
  const key = `${code}\n${reasons.join("\n")}`;
  let status = interned.get(key);
  if (status === undefined) {
    status = Object.freeze({ code, reasons: Object.freeze([...reasons]) });
    if (interned.size >= internedStatusesMax) interned.clear();
    interned.set(key, status);
  }
  return status;
}

export type { NodeInfo } from "./node-info.ts";
export type { PodInfo } from "./pod-info.ts";

/** What plugins are given. `args` are the plugin's own, of the profile. */
export interface Context<Args = unknown> {
  readonly args: Args;
  readonly cluster: Cluster;
  readonly listers: Listers;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: HappeningRecorder;
  readonly nominator: Nominator;
  /** Uids of pods whose victims are being removed. */
  readonly preempting: Set<string>;
  readonly waiting: WaitingPods;
  /** Others that have a say, over HTTP. */
  readonly extenders: Pick<ExtenderCalls, "concerned" | "preempt"> | undefined;
  readonly metrics: Pick<SchedulerMetrics, "preemptionAttempted" | "preempted"> | undefined;
  /** Looks again at a pod that a `preEnqueue` held back. */
  readonly reconsider: (uid: string) => void;
  readonly featureEnabled: (gate: string) => boolean;
}

/** One pod's test of nodes. */
export interface NodeFilter {
  /** Undefined: the pod fits there. */
  check(node: NodeInfo): Status | undefined;
  /** Only these nodes can do (upstream's PreFilterResult). */
  readonly nodeNames?: ReadonlySet<string>;
  /**
   * Present when results depend on other nodes too: tells of a node's state, also of one only
   * supposed (some pods more or less). True when checks of other nodes may have changed by it.
   */
  changed?(node: NodeInfo): boolean;
  /** The node was chosen: takes what the pod needs there. */
  reserve?(node: NodeInfo): Status | undefined;
  /** Undoes `reserve`, also a failed one, when the pod is not bound. */
  unreserve?(node: NodeInfo): void;
  /** Runs before the binding is written, outside the cycle. */
  preBind?(node: NodeInfo, signal: AbortSignal): Promise<Status | undefined>;
}

/** Turns raw scores of feasible nodes, in place, into 0..`nodeScoreMax`. */
export type Normalize = (scores: Float64Array, feasible: Int32Array, count: number) => void;

export const nodeScoreMax = 100;

/** One pod's marks for nodes. */
export interface NodeScorer {
  /** An integer. */
  score(node: NodeInfo): number;
  /** Absent: scores are 0..`nodeScoreMax` as they are. */
  readonly normalize?: Normalize;
  /** Present when scores depend on other nodes: they are all taken again with each pod. */
  changed?(node: NodeInfo): void;
  /** Tells of the nodes that passed the filters; their indexes. With `changed` only. */
  prepare?(feasible: Int32Array, count: number): void;
}

/** Outcome of a permit: go, refused, or wait until allowed, rejected or out of time. */
export type Permit = Status | { readonly waitMs: number } | undefined;

/** What a postFilter found: whom the pod waits for, and where. */
export interface PostFilterResult {
  /** "" clears what there is; undefined leaves it. */
  readonly nominatedNodeName?: string;
  readonly status?: Status;
}

/** What a postFilter works with. */
export interface FailedAttempt {
  readonly pod: PodInfo;
  /** The last verdict of a node. */
  statusOf(node: NodeInfo): Status | undefined;
  /** Checks the pod on a node as it would be. */
  fits(supposed: NodeInfo): Status | undefined;
  /**
   * What `find` finds about a node, kept for pods of the class until something about the node, its
   * nominated pods or `basis` (by identity) changes. Not kept where other nodes matter too.
   */
  remember<T>(node: NodeInfo, basis: unknown, find: () => T): T;
}

export interface PluginShape<Args> {
  readonly name: string;
  /** Arguments where the profile gives none. */
  readonly args?: Args;
  /** Reads the arguments of a profile's `pluginConfig`; throws what is wrong with them. */
  readArgs?(given: unknown): Args;
  /** Changes in the cluster that may let through a pod that this plugin refused. */
  readonly enqueueOn?: readonly (EventName | EventHint)[];
  /** Pods whose class does not say all that the plugin looks at. */
  unique?(pod: Pod, context: Context<Args>): boolean;
  /** Whether `a` comes before `b`; a strict total order. */
  queueLess?(a: QueuedPod, b: QueuedPod): boolean;
  preEnqueue?(pod: PodInfo, context: Context<Args>): Status | undefined;
  /** A `Status` refuses the pod on every node; undefined: the plugin has nothing against any. */
  filter?(pod: PodInfo, context: Context<Args>): NodeFilter | Status | undefined;
  postFilter?(attempt: FailedAttempt, context: Context<Args>): PostFilterResult | Promise<PostFilterResult>;
  /** Undefined: the plugin prefers none. */
  score?(pod: PodInfo, context: Context<Args>): NodeScorer | undefined;
  permit?(pod: PodInfo, node: NodeInfo, context: Context<Args>): Permit;
  /** Absent result: the pod is not for this plugin to bind. */
  bind?(pod: PodInfo, nodeName: string, context: Context<Args>): Promise<"bound" | undefined>;
  postBind?(pod: PodInfo, nodeName: string, context: Context<Args>): void;
}

/** A plugin whose arguments' type is known to itself only. */
export type Plugin = PluginShape<unknown>;

/** Hides the type of the arguments: the framework hands a plugin only what its own `readArgs` gave. */
export function definePlugin<Args = unknown>(shape: PluginShape<Args>): Plugin {
  return Object.freeze(shape) as Plugin;
}

export function isStatus(result: NodeFilter | Status): result is Status {
  return "code" in result;
}

/**
 * Scales to the greatest one: that becomes 100. Reverse: the greatest becomes 0.
 * Source: plugins/helper DefaultNormalizeScore.
 */
export function normalizeToMax(reverse: boolean): Normalize {
  const normalize: Normalize = (scores, feasible, count) => {
    let max = 0;
    for (let i = 0; i < count; i++) max = Math.max(max, scores[feasible[i] as number] as number);
    for (let i = 0; i < count; i++) {
      const at = feasible[i] as number;
      const scaled = max === 0 ? 0 : Math.floor((nodeScoreMax * (scores[at] as number)) / max);
      scores[at] = reverse ? nodeScoreMax - scaled : scaled;
    }
  };
  scaling.add(normalize);
  return normalize;
}

const scaling = new WeakSet<Normalize>();

/** Made by `normalizeToMax`: a score of 0 means nothing for the others. */
export function scalesToMax(normalize: Normalize): boolean {
  return scaling.has(normalize);
}
