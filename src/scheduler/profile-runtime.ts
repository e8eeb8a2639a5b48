/** A profile at work: its plugins' contexts, and what is known of its classes of pods. */
import type { HappeningRecorder } from "#client/event-series.ts";
import type { ClusterEvent, EventHint, EventName } from "./cluster-events.ts";
import type { Cluster } from "./cluster.ts";
import { capacityFor, type Columns, createColumns } from "./columns.ts";
import { type Evaluation, evaluate, type Refusal } from "./evaluation.ts";
import type { Context } from "./framework.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Profile } from "./profile.ts";

/** Classes of pods whose results are kept; the one longest unused is dropped first. */
export const evaluationsMax = 64;
/** From that many pods of a class on, all nodes are looked at: it pays, and decides better. */
const usesForWholeSearch = 3;
/** Unless every node has to be looked at each time, and there are more than so many. */
const wideSearchNodesMax = 500;

export interface ProfileRuntime {
  readonly profile: Profile;
  readonly events: HappeningRecorder;
  contextOf(plugin: string): Context;
  /** Where the next search among many nodes begins. */
  searchStart: number;
  evaluationOf(pod: PodInfo): Evaluation | Refusal;
  /** Whether a class is worth a search of all nodes. */
  wholeSearch(evaluation: Evaluation): boolean;
  /** Name and message of what keeps the pod out of the queue. */
  gate(pod: PodInfo): { readonly plugin: string; readonly message: string } | undefined;
  helps(event: ClusterEvent, pod: PodInfo, refusedBy: ReadonlySet<string>): boolean;
}

export interface RuntimeOptions {
  readonly profile: Profile;
  readonly cluster: Cluster;
  readonly base: Omit<Context, "args" | "events">;
  readonly events: HappeningRecorder;
}

export function createProfileRuntime({ profile, cluster, base, events }: RuntimeOptions): ProfileRuntime {
  const contexts = new Map<string, Context>(
    profile.plugins.map(({ name, args }) => [name, { ...base, events, args: profile.args.get(name) ?? args }]),
  );
  const evaluations = new Map<string, Evaluation>();
  const hints = hintsOf(profile);
  let scratch: Columns | undefined;

  function contextOf(plugin: string): Context {
    const context = contexts.get(plugin);
    if (context === undefined) throw new Error(`plugin ${plugin} is not in profile ${profile.schedulerName}`);
    return context;
  }

  const newColumns = (): Columns => createColumns(capacityFor(cluster.nodes.length));

  /** For pods that are a class of their own: one at a time, so one set of columns does. */
  function scratchColumns(): Columns {
    if (scratch === undefined || scratch.capacity < cluster.nodes.length) scratch = newColumns();
    else scratch.clear();
    return scratch;
  }

  function fresh(evaluation: Evaluation | undefined): Evaluation | undefined {
    if (evaluation === undefined || evaluation.epoch !== cluster.epoch) return undefined;
    return evaluation.capacity < cluster.nodes.length ? undefined : evaluation;
  }

  function remember(key: string, evaluation: Evaluation): void {
    evaluations.delete(key);
    evaluations.set(key, evaluation);
    if (evaluations.size <= evaluationsMax) return;
    const oldest = evaluations.keys().next().value;
    if (oldest !== undefined) evaluations.delete(oldest);
  }

  return {
    profile,
    events,
    contextOf,
    searchStart: 0,
    evaluationOf(pod) {
      const shared = profile.plugins.every((plugin) => plugin.unique?.(pod.pod, contextOf(plugin.name)) !== true);
      const columnsFor = (named: boolean): Columns => (shared && !named ? newColumns() : scratchColumns());
      const find = (): Evaluation | Refusal => evaluate(pod, { profile, cluster, contextOf, columnsFor });
      if (!shared) return find();
      const known = fresh(evaluations.get(pod.classKey));
      const result = known ?? find();
      if ("choose" in result && !result.named) remember(pod.classKey, result);
      return result;
    },
    wholeSearch: (evaluation) =>
      evaluation.uses >= usesForWholeSearch && (!evaluation.wide || cluster.nodeCount <= wideSearchNodesMax),
    gate(pod) {
      for (const plugin of profile.preEnqueue) {
        const status = plugin.preEnqueue?.(pod, contextOf(plugin.name));
        if (status !== undefined) return { plugin: plugin.name, message: status.reasons.join(", ") };
      }
      return undefined;
    },
    helps(event, pod, refusedBy) {
      if (refusedBy.size === 0 || event.name === "ForceActivate" || event.name === "UnschedulableTimeout") return true;
      for (const name of refusedBy) {
        const matching = hints.get(name)?.get(event.name);
        if (matching?.some((hint) => hint === event.name || (typeof hint === "object" && hint.helps(event, pod))))
          return true;
      }
      return false;
    },
  };
}

/** Plugins by the events that they have hints for. */
export function interestsOf(profiles: readonly Profile[]): ReadonlyMap<EventName, ReadonlySet<string>> {
  const interests = new Map<EventName, Set<string>>();
  for (const { name, enqueueOn = [] } of profiles.flatMap(({ plugins }) => plugins)) {
    for (const hint of enqueueOn) {
      const on = typeof hint === "string" ? hint : hint.on;
      interests.set(on, (interests.get(on) ?? new Set<string>()).add(name));
    }
  }
  return interests;
}

type Hint = string | EventHint;

function hintsOf({ plugins }: Profile): Map<string, Map<string, Hint[]>> {
  const all = new Map<string, Map<string, Hint[]>>();
  for (const { name, enqueueOn = [] } of plugins) {
    const byEvent = new Map<string, Hint[]>();
    for (const hint of enqueueOn) {
      const on = typeof hint === "string" ? hint : hint.on;
      byEvent.set(on, [...(byEvent.get(on) ?? []), hint]);
    }
    all.set(name, byEvent);
  }
  return all;
}
