/**
 * Gives pods their nodes: takes the most urgent pod, finds the best node, assumes it there, and
 * writes the binding while it goes on with the next one. Source: pkg/scheduler.
 */
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
import { createExtenderCalls, type PostJson } from "./extender-calls.ts";
import type { Plugin } from "./framework.ts";
import type { PodInfo } from "./pod-info.ts";
import { createListers } from "./listers.ts";
import { createSchedulerMetrics } from "./metrics.ts";
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
  const configuration: SchedulerConfiguration = readConfiguration(options.configuration, {
    added: options.plugins ?? [],
    featureEnabled,
  });
  const [{ less } = {}] = configuration.profiles;
  const cluster = createCluster();
  const nominator = createNominator();
  const explanations = createExplanations();
  const waiting = createWaitingPods(clock);
  const metrics =
    options.metrics &&
    lifetime.use(
      createSchedulerMetrics(options.metrics, {
        counts: () => queue.counts,
        refusedBy: () => queue.refusedBy,
        cluster: () => cluster,
      }),
    );
  const { postJson } = options;
  if (configuration.extenders.length > 0 && postJson === undefined)
    throw new Error("extenders cannot be called: no way to post");
  const extenders =
    configuration.extenders.length === 0 || postJson === undefined
      ? undefined
      : createExtenderCalls({
          extenders: configuration.extenders,
          postJson,
          signal: lifetime.signal,
        });
  const base = {
    extenders,
    metrics,
    cluster,
    listers: createListers(informers),
    client,
    clock,
    random,
    log,
    nominator,
    preempting: new Set<string>(),
    waiting,
    reconsider: (uid: string) => queue.reconsider(uid),
    featureEnabled,
  };
  const runtimes = new Map<string, ProfileRuntime>();
  for (const profile of configuration.profiles) {
    const controller = profile.schedulerName;
    const { host = "localhost" } = options;
    const events = options.events ?? createHappeningRecorder({ client, clock, log, lifetime, controller, host });
    runtimes.set(controller, createProfileRuntime({ profile, cluster, base, events }));
  }
  const runtimeOf = (pod: { readonly spec: { readonly schedulerName?: string | undefined } }) =>
    runtimes.get(pod.spec.schedulerName ?? "");

  const explainGate = (info: PodInfo, message: string): Explanation => ({
    pod: info.key,
    uid: info.uid,
    attempts: 0,
    atMs: clock.nowMs(),
    outcome: "Gated",
    message,
    nodeCount: cluster.nodeCount,
    refusals: [],
    scores: [],
  });
  const queue = createQueue({
    clock,
    interests: interestsOf(configuration.profiles),
    gate(info) {
      const held = runtimeOf(info.pod)?.gate(info);
      if (held !== undefined) {
        const explanation = explainGate(info, held.message);
        explanations.record(info.key, () => explanation);
      }
      return held?.plugin;
    },
    helps: (event, info, refusedBy) => runtimeOf(info.pod)?.helps(event, info, refusedBy) ?? false,
    ...(less && { less }),
    initialBackoffMs: configuration.initialBackoffMs,
    backoffMsMax: configuration.backoffMsMax,
    onReady: () => cycles.wake(),
    onIncoming: (name, reason) => metrics?.incoming(name, reason),
  });
  lifetime.use(queue);
  const cycles = createCycles({
    queue,
    cluster,
    nominator,
    explanations,
    waiting,
    extenders,
    runtimeOf: (info) => runtimeOf(info.pod),
    client,
    clock,
    random,
    log,
    lifetime,
    nextTurn: options.nextTurn ?? nextTurn,
    metrics,
  });
  const followed = followCluster({
    groups: featureEnabled("GangScheduling"),
    waiting,
    informers,
    lifetime,
    cluster,
    queue,
    nominator,
    explanations,
    runtimeOf,
  });
  void followed.synced.then(() => cycles.start());
  return {
    why(namespace, name) {
      const explanation = explanations.get(`${namespace}/${name}`);
      const waiting = explanation && queue.get(explanation.uid);
      const runtime = waiting && runtimeOf(waiting.info.pod);
      if (explanation === undefined || waiting === undefined || runtime === undefined) return explanation;
      return { ...explanation, verdicts: verdictsOf(waiting.info, runtime, cluster) };
    },
    queue,
    idle: cycles.idle,
  };
}
