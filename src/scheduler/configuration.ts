/** KubeSchedulerConfiguration, read into profiles. Source: kubescheduler.config.k8s.io/v1. */
import { errorMessage } from "#base/error-message.ts";
import { type Extender, readExtender } from "./extender.ts";
import type { Plugin } from "./framework.ts";
import type { ResourcesFitArgs } from "./plugins/node-resources-fit/args.ts";
import { nodeResourcesFit } from "./plugins/node-resources-fit/plugin.ts";
import { defaultPlugins } from "./plugins.ts";
import { defaultSchedulerName, type Profile, type WeightedPlugin } from "./profile.ts";

export interface SchedulerConfiguration {
  readonly profiles: readonly Profile[];
  readonly extenders: readonly Extender[];
  readonly initialBackoffMs: number;
  readonly backoffMsMax: number;
}

interface PluginRef {
  readonly name: string;
  readonly weight?: number;
}

interface PluginSet {
  readonly enabled?: readonly PluginRef[];
  readonly disabled?: readonly PluginRef[];
}

interface GivenProfile {
  readonly schedulerName?: string;
  readonly percentageOfNodesToScore?: number;
  readonly plugins?: Readonly<Record<string, PluginSet>>;
  readonly pluginConfig?: readonly { readonly name: string; readonly args?: unknown }[];
}

interface Given {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly profiles?: readonly GivenProfile[];
  readonly extenders?: readonly unknown[];
  readonly percentageOfNodesToScore?: number;
  readonly podInitialBackoffSeconds?: number;
  readonly podMaxBackoffSeconds?: number;
}

const apiVersion = "kubescheduler.config.k8s.io/v1";

export interface ReadOptions {
  /** Plugins beside those that come along. */
  readonly added?: readonly Plugin[];
  readonly featureEnabled?: (gate: string) => boolean;
}

/** Throws what is wrong with it. */
export function readConfiguration(
  given: unknown,
  { added = [], featureEnabled = () => false }: ReadOptions = {},
): SchedulerConfiguration {
  const config = (given ?? {}) as Given;
  if (given !== undefined && (config.apiVersion !== apiVersion || config.kind !== "KubeSchedulerConfiguration")) {
    throw new Error(
      `no kind ${JSON.stringify(config.kind ?? "")} is registered for version ${JSON.stringify(config.apiVersion ?? "")}`,
    );
  }
  const known = new Map<string, Plugin>();
  const defaults = defaultPlugins.filter(({ gate }) => gate === undefined || featureEnabled(gate));
  for (const plugin of [...defaults.map((each) => each.plugin), ...added]) {
    if (known.has(plugin.name)) throw new Error(`a plugin named ${plugin.name} already exists`);
    known.set(plugin.name, plugin);
  }
  const percentage = percentageOf(config.percentageOfNodesToScore) ?? 0;
  const extenders = (config.extenders ?? []).map(readExtender);
  const ignored = new Set(extenders.flatMap((each) => [...each.ignoredResources]));
  const profiles = (config.profiles?.length ? config.profiles : [{}]).map((profile) =>
    readProfile(profile, { known, defaults, percentage, ignored }),
  );
  const names = profiles.map(({ schedulerName }) => schedulerName);
  const duplicate = names.find((name, i) => names.indexOf(name) !== i);
  if (duplicate !== undefined) throw new Error(`profiles: Duplicate value: ${JSON.stringify(duplicate)}`);
  return {
    profiles,
    extenders,
    initialBackoffMs: (config.podInitialBackoffSeconds || 1) * 1000,
    backoffMsMax: (config.podMaxBackoffSeconds || 10) * 1000,
  };
}

function percentageOf(given: number | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (!(given >= 0 && given <= 100)) {
    throw new Error(`percentageOfNodesToScore: Invalid value: ${given}: not in valid range [0-100]`);
  }
  return given;
}

type Known = ReadonlyMap<string, Plugin>;

interface Surroundings {
  readonly known: Known;
  readonly defaults: readonly WeightedPlugin[];
  readonly percentage: number;
  /** Resources that extenders count in the scheduler's place. */
  readonly ignored: ReadonlySet<string>;
}

function readProfile(given: GivenProfile, { known, defaults, percentage, ignored }: Surroundings): Profile {
  const { schedulerName = given.plugins || given.pluginConfig ? "" : defaultSchedulerName } = given;
  const sets = given.plugins ?? {};
  const everywhere = mergeSets(
    defaults.map(({ plugin, weight }) => ({ name: plugin.name, weight })),
    sets.multiPoint,
  );
  const at = (point: Point): WeightedPlugin[] => pluginsAt(point, { everywhere, set: sets[point], known });
  const filters = at("filter").map(({ plugin }) => plugin);
  const [sort, second] = at("queueSort");
  if (second !== undefined) throw new Error("only one queue sort plugin can be enabled");
  const points = {
    preEnqueue: at("preEnqueue").map(({ plugin }) => plugin),
    filters,
    postFilters: at("postFilter").map(({ plugin }) => plugin),
    scorers: at("score"),
    permits: at("permit").map(({ plugin }) => plugin),
    binders: at("bind").map(({ plugin }) => plugin),
    postBinds: at("postBind").map(({ plugin }) => plugin),
  };
  if (points.binders.length === 0) throw new Error("at least one bind plugin is needed");
  const { scorers, ...lists } = points;
  const plugins = [...new Set([...Object.values(lists).flat(), ...scorers.map(({ plugin }) => plugin)])];
  const less = sort?.plugin.queueLess;
  return {
    schedulerName: schedulerName || defaultSchedulerName,
    plugins,
    ...points,
    args: ignoring(readArgs(given, known), ignored),
    percentageOfNodesToScore: percentageOf(given.percentageOfNodesToScore) ?? percentage,
    ...(less && { less }),
  };
}

function readArgs({ pluginConfig = [] }: GivenProfile, known: Known): Map<string, unknown> {
  const args = new Map<string, unknown>();
  for (const { name, args: given } of pluginConfig) {
    if (args.has(name)) throw new Error(`repeated config for plugin ${name}`);
    const plugin = known.get(name);
    try {
      args.set(name, plugin?.readArgs ? plugin.readArgs(given) : given);
    } catch (error) {
      throw new Error(
        `initializing plugin ${JSON.stringify(name)}: ${errorMessage(error)}`,
      );
    }
  }
  return args;
}

function ignoring(args: Map<string, unknown>, resources: ReadonlySet<string>): Map<string, unknown> {
  if (resources.size === 0) return args;
  const { name } = nodeResourcesFit;
  // What the plugin's own reader gave, or its default.
  const own = (args.get(name) ?? nodeResourcesFit.args) as ResourcesFitArgs;
  return args.set(name, { ...own, ignoredResources: own.ignoredResources.union(resources) });
}

/** Extension points, and what a plugin has to have to take part in them. */
const points = {
  preEnqueue: "preEnqueue",
  queueSort: "queueLess",
  filter: "filter",
  postFilter: "postFilter",
  score: "score",
  permit: "permit",
  bind: "bind",
  postBind: "postBind",
} as const;
type Point = keyof typeof points;

/** Defaults, reconfigured where named, without those disabled; then what is new. */
function mergeSets(defaults: readonly PluginRef[], set: PluginSet | undefined): PluginRef[] {
  const disabled = new Set(set?.disabled?.map(({ name }) => name));
  const enabled = set?.enabled ?? [];
  const kept = disabled.has("*") ? [] : defaults.filter(({ name }) => !disabled.has(name));
  const merged = kept.map((each) => enabled.find(({ name }) => name === each.name) ?? each);
  return [...merged, ...enabled.filter(({ name }) => !kept.some((each) => each.name === name))];
}

function pluginsAt(
  point: Point,
  {
    everywhere,
    set,
    known,
  }: {
    readonly everywhere: readonly PluginRef[];
    readonly set: PluginSet | undefined;
    readonly known: Known;
  },
): WeightedPlugin[] {
  const find = ({ name, weight }: PluginRef): WeightedPlugin => {
    const plugin = known.get(name);
    if (plugin === undefined) throw new Error(`${name} does not exist`);
    return { plugin, weight: weight || 1 };
  };
  const takesPart = ({ plugin }: WeightedPlugin): boolean => plugin[points[point]] !== undefined;
  const named = (set?.enabled ?? []).map(find);
  const wrong = named.find((each) => !takesPart(each));
  if (wrong !== undefined)
    throw new Error(`plugin ${JSON.stringify(wrong.plugin.name)} does not extend ${point} plugin`);
  const disabled = new Set(set?.disabled?.map(({ name }) => name));
  const isNamed = (name: string): boolean => named.some(({ plugin }) => plugin.name === name);
  const inherited = disabled.has("*")
    ? []
    : everywhere
        .filter(({ name }) => !disabled.has(name) && !isNamed(name))
        .map(find)
        .filter(takesPart);
  const isEverywhere = ({ plugin }: WeightedPlugin): boolean => everywhere.some(({ name }) => name === plugin.name);
  // Those reconfigured for the point go first, those that are only for the point last.
  return [...named.filter(isEverywhere), ...inherited, ...named.filter((each) => !isEverywhere(each))];
}
