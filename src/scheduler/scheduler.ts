/**
 * Gives pods their nodes: takes the most urgent pod, finds the best node, assumes it there, and
 * writes the binding while it goes on with the next one. Source: pkg/scheduler.
 */
import type { Pod } from "#api/core/v1/pod.ts";
import type { Clock } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import { nextTurn } from "#base/os/turn.ts";
import type { Client } from "#client/client.ts";
import { createHappeningRecorder, type HappeningRecorder } from "#client/event-series.ts";
import type { Informers } from "#client/informer-factory.ts";
import { createCluster } from "./cluster.ts";
import { readConfiguration, type SchedulerConfiguration } from "./configuration.ts";
import { createExtenderCalls, type ExtenderCalls, type PostJson } from "./extender-calls.ts";
import type { Context, Plugin } from "./framework.ts";
import type { PodInfo } from "./pod-info.ts";
import { createListers } from "./listers.ts";
import { createSchedulerMetrics, type Measured, type SchedulerMetrics } from "./metrics.ts";
import { createNominator } from "./nominator.ts";
import { createProfileRuntime, interestsOf, type ProfileRuntime } from "./profile-runtime.ts";
import { createQueue, type Queue } from "./queue.ts";
import { createCycles } from "./cycle.ts";
import { followCluster } from "./follow.ts";
import { verdictsOf } from "./verdicts.ts";
import { createWaitingPods } from "./waiting-pods.ts";
import { createExplanations, type Explanation } from "./why.ts";

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The scheduler stops with it. */
  readonly lifetime: Lifetime;
  /** Absent: events are written with `client`, one source for each profile. */
  readonly events?: HappeningRecorder;
  /** Name of the machine, as events tell it. @default "localhost" */
  readonly host?: string;
  /** A KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1; throws what is wrong with it. */
  readonly configuration?: unknown;
  /** Plugins that profiles may name, beside those that come along. */
  readonly plugins?: readonly Plugin[];
  /** Of NodeDeclaredFeatures, GenericWorkload, GangScheduling and more. Absent: all of that is off. */
  readonly featureEnabled?: (gate: string) => boolean;
  /** How extenders are called; needed when the configuration has any. */
  readonly postJson?: PostJson;
  /** Absent: nothing is counted. */
  readonly metrics?: MetricRegistry;
  /** Lets others run, between batches of pods; the event loop's next turn when absent. */
  readonly nextTurn?: () => Promise<void>;
}

export interface Scheduler {
  /** The last attempt of a pod, as far as it is remembered. */
  why(namespace: string, name: string): Explanation | undefined;
  readonly queue: Pick<Queue, "counts">;
  /** Resolves when nothing can be done at the moment and every binding is written. */
  idle(): Promise<void>;
}

export function startScheduler(options: SchedulerOptions): Scheduler {
  const { client, informers, clock, random, log, lifetime } = options;
  const featureEnabled = options.featureEnabled ?? (() => false);
  const added = options.plugins ?? [];
  const configuration = readConfiguration(options.configuration, { added, featureEnabled });
  const cluster = createCluster();
  const nominator = createNominator();
  const explanations = createExplanations();
  const waiting = createWaitingPods(clock);
  const extenders = extendersOf(configuration, options);
  const metrics = metricsOf(options, {
    counts: () => queue.counts,
    refusedBy: () => queue.refusedBy,
    cluster: () => cluster,
  });
  const parts = { client, clock, random, log, cluster, nominator, waiting, extenders, metrics };
  const runtimes = runtimesOf(configuration, options, {
    ...parts,
    listers: createListers(informers),
    preempting: new Set<string>(),
    reconsider: (uid) => queue.reconsider(uid),
    featureEnabled,
  });
  const runtimeOf = ({ spec }: Pod): ProfileRuntime | undefined => runtimes.get(spec.schedulerName ?? "");

  function gate(info: PodInfo): string | undefined {
    const held = runtimeOf(info.pod)?.gate(info);
    if (held === undefined) return undefined;
    const explanation = gatedExplanation(info, held.message, { atMs: clock.nowMs(), nodeCount: cluster.nodeCount });
    explanations.record(info.key, () => explanation);
    return held.plugin;
  }

  const { less } = configuration.profiles[0] ?? {};
  const queue = createQueue({
    clock,
    interests: interestsOf(configuration.profiles),
    gate,
    helps: (event, info, refusedBy) => runtimeOf(info.pod)?.helps(event, info, refusedBy) ?? false,
    ...(less && { less }),
    initialBackoffMs: configuration.initialBackoffMs,
    backoffMsMax: configuration.backoffMsMax,
    onReady: () => cycles.wake(),
    onIncoming: (name, reason) => metrics?.incoming(name, reason),
  });
  lifetime.use(queue);
  const cycles = createCycles({
    ...parts,
    queue,
    explanations,
    runtimeOf: (info) => runtimeOf(info.pod),
    lifetime,
    nextTurn: options.nextTurn ?? nextTurn,
  });
  const groups = featureEnabled("GangScheduling");
  const followed = followCluster({ ...parts, groups, informers, lifetime, queue, explanations, runtimeOf });
  void followed.synced.then(() => cycles.start());
  return {
    why(namespace, name) {
      const explanation = explanations.get(`${namespace}/${name}`);
      const queued = explanation && queue.get(explanation.uid);
      const runtime = queued && runtimeOf(queued.info.pod);
      if (explanation === undefined || queued === undefined || runtime === undefined) return explanation;
      return { ...explanation, verdicts: verdictsOf(queued.info, runtime, cluster) };
    },
    queue,
    idle: () => cycles.idle(),
  };
}

function metricsOf({ metrics, lifetime }: SchedulerOptions, measured: Measured): SchedulerMetrics | undefined {
  return metrics && lifetime.use(createSchedulerMetrics(metrics, measured));
}

function extendersOf({ extenders }: SchedulerConfiguration, options: SchedulerOptions): ExtenderCalls | undefined {
  const { postJson, lifetime } = options;
  if (extenders.length === 0) return undefined;
  if (postJson === undefined) throw new Error("extenders cannot be called: no way to post");
  return createExtenderCalls({ extenders, postJson, signal: lifetime.signal });
}

/** By name of the scheduler that a profile is. */
function runtimesOf(
  { profiles }: SchedulerConfiguration,
  options: SchedulerOptions,
  base: Omit<Context, "args" | "events">,
): ReadonlyMap<string, ProfileRuntime> {
  const { client, clock, log, lifetime, host = "localhost" } = options;
  const runtimes = new Map<string, ProfileRuntime>();
  for (const profile of profiles) {
    const controller = profile.schedulerName;
    const events = options.events ?? createHappeningRecorder({ client, clock, log, lifetime, controller, host });
    runtimes.set(controller, createProfileRuntime({ profile, cluster: base.cluster, base, events }));
  }
  return runtimes;
}

function gatedExplanation(
  { key, uid }: PodInfo,
  message: string,
  now: { readonly atMs: number; readonly nodeCount: number },
): Explanation {
  return { pod: key, uid, attempts: 0, ...now, outcome: "Gated", message, refusals: [], scores: [] };
}
