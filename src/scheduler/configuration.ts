/** KubeSchedulerConfiguration, read into profiles. Source: kubescheduler.config.k8s.io/v1. */
import { defaultPlugins } from "./plugins.ts";
import { defaultSchedulerName, type Profile, type WeightedPlugin } from "./profile.ts";

export interface SchedulerConfiguration {
  readonly profiles: readonly Profile[];
  readonly initialBackoffMs: number;
  readonly backoffMsMax: number;
}

export function readConfiguration(_given: unknown): SchedulerConfiguration {
  return {
    profiles: [profileOf(defaultSchedulerName, defaultPlugins)],
    initialBackoffMs: 1000,
    backoffMsMax: 10_000,
  };
}

function profileOf(schedulerName: string, enabled: readonly WeightedPlugin[]): Profile {
  const plugins = enabled.map(({ plugin }) => plugin);
  return {
    schedulerName,
    plugins,
    preEnqueue: plugins.filter((plugin) => plugin.preEnqueue),
    filters: plugins.filter((plugin) => plugin.filter),
    postFilters: plugins.filter((plugin) => plugin.postFilter),
    scorers: enabled.filter(({ plugin }) => plugin.score),
    permits: plugins.filter((plugin) => plugin.permit),
    binders: plugins.filter((plugin) => plugin.bind),
    postBinds: plugins.filter((plugin) => plugin.postBind),
    args: new Map(),
    percentageOfNodesToScore: 0,
  };
}
