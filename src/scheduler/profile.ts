/** A scheduler's plugins, sorted by where they take part: what one `schedulerName` stands for. */
import type { Plugin } from "./framework.ts";
import type { QueuedPod } from "./queued-pod.ts";

export interface WeightedPlugin {
  readonly plugin: Plugin;
  readonly weight: number;
}

export interface Profile {
  readonly schedulerName: string;
  /** Every plugin that takes part anywhere, once. */
  readonly plugins: readonly Plugin[];
  readonly preEnqueue: readonly Plugin[];
  readonly filters: readonly Plugin[];
  readonly postFilters: readonly Plugin[];
  readonly scorers: readonly WeightedPlugin[];
  readonly permits: readonly Plugin[];
  readonly binders: readonly Plugin[];
  readonly postBinds: readonly Plugin[];
  /** By the plugin's name. */
  readonly args: ReadonlyMap<string, unknown>;
  /** 0: as many as the size of the cluster suggests. */
  readonly percentageOfNodesToScore: number;
  readonly less?: (a: QueuedPod, b: QueuedPod) => boolean;
}

/** Clusters smaller than this are always searched whole. */
export const feasibleNodesMin = 100;
const percentageMin = 5;

/** How many feasible nodes are enough. Source: schedule_one.go numFeasibleNodesToFind. */
export function feasibleNodesEnough(nodeCount: number, percentage: number): number {
  if (nodeCount < feasibleNodesMin || percentage >= 100) return nodeCount;
  const share = percentage > 0 ? percentage : Math.max(percentageMin, 50 - Math.trunc(nodeCount / 125));
  return Math.max(feasibleNodesMin, Math.trunc((nodeCount * share) / 100));
}

export const defaultSchedulerName = "default-scheduler";
