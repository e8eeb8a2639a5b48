/** Whom a pod drives away, as plainly as it can be said; see `naive.ts`. */
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { placesOf, refusalNaively, type Rules } from "./naive.ts";

export interface Eviction {
  readonly node: string;
  /** Names of the pods, sorted. */
  readonly victims: readonly string[];
}

/** Refusals that no other pod's going can change. */
const final = [
  "unschedulable",
  "untolerated taint",
  "node affinity/selector",
  "missing required label",
  "pod affinity rules",
  "persistent volumes to bind",
  "PersistentVolume's node affinity",
  "volume zone",
  "cannot allocate",
];

interface World {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly rules: Rules;
  readonly budgets: readonly Budget[];
}

/** Of Pods with a label `app`; all in one namespace. */
export interface Budget {
  readonly app: string;
  readonly allowed: number;
}

/** Everything that may be chosen; empty: nobody has to go. */
export function preemptNaively(pod: Pod, world: World): Eviction[] {
  const candidates = world.nodes.flatMap((node) => {
    const name = node.metadata?.name ?? "";
    const against = refusals(pod, name, world);
    const helpless = against.some((reason) => final.some((text) => reason.includes(text) && !reason.includes("anti-affinity")));
    const { victims, violations } = against.length === 0 || helpless ? nobody : victimsOn(pod, name, world);
    return victims.length === 0 ? [] : [{ name, victims, violations }];
  });
  const costs: ((victims: readonly Pod[], violations: number) => number)[] = [
    (_victims, violations) => violations,
    (victims) => Math.max(...victims.map(priorityOf)),
    (victims) => victims.reduce((sum, victim) => sum + priorityOf(victim) + 2 ** 31, 0),
    (victims) => victims.length,
    (victims) => -earliestOfHighest(victims),
  ];
  let left = candidates;
  for (const cost of costs) {
    const least = Math.min(...left.map(({ victims, violations }) => cost(victims, violations)));
    left = left.filter(({ victims, violations }) => cost(victims, violations) === least);
  }
  return left.map(({ name, victims }) => ({
    node: name,
    victims: victims.map(({ metadata }) => metadata?.name ?? "").toSorted(),
  }));
}

function refusals(pod: Pod, nodeName: string, { nodes, pods, rules }: World): readonly string[] {
  const places = placesOf(nodes, pods);
  const place = places.find(({ node }) => node.metadata?.name === nodeName);
  return place === undefined ? ["gone"] : refusalNaively(pod, place, places, rules);
}

interface Leaving {
  readonly victims: readonly Pod[];
  /** Of them: those whose budget does not allow it. */
  readonly violations: number;
}

const nobody: Leaving = { victims: [], violations: 0 };

/** The fewest that have to go when those under a budget and the most important stay. */
function victimsOn(pod: Pod, nodeName: string, world: World): Leaving {
  const lower = world.pods.filter(({ spec }) => spec.nodeName === nodeName && (spec.priority ?? 0) < priorityOf(pod));
  let staying = world.pods.filter((other) => !lower.includes(other));
  if (lower.length === 0 || refusals(pod, nodeName, { ...world, pods: staying }).length > 0) return nobody;
  const sorted = lower.toSorted((a, b) => priorityOf(b) - priorityOf(a) || startOf(a) - startOf(b));
  const left = new Map(world.budgets.map(({ app, allowed }) => [app, allowed]));
  const under = sorted.filter(({ metadata }) => {
    const app = metadata?.labels?.["app"] ?? "";
    const allowed = left.get(app);
    if (allowed === undefined) return false;
    left.set(app, allowed - 1);
    return allowed <= 0;
  });
  const victims: Pod[] = [];
  for (const other of [...under, ...sorted.filter((each) => !under.includes(each))]) {
    const tried = [...staying, other];
    if (refusals(pod, nodeName, { ...world, pods: tried }).length === 0) staying = tried;
    else victims.push(other);
  }
  return { victims, violations: victims.filter((victim) => under.includes(victim)).length };
}

function priorityOf({ spec }: Pod): number {
  return spec.priority ?? 0;
}

function startOf({ status }: Pod): number {
  return Date.parse(status?.startTime ?? "9999-01-01T00:00:00Z");
}

function earliestOfHighest(victims: readonly Pod[]): number {
  const highest = Math.max(...victims.map(priorityOf));
  return Math.min(...victims.filter((victim) => priorityOf(victim) === highest).map(startOf));
}
