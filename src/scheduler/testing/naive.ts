/**
 * The scheduler as plainly as it can be said: every rule on every node, from the objects alone,
 * nothing kept. What the real one has to agree with.
 */
import type { PodAffinityTerm } from "#api/core/v1/affinity.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { NodeSelectorRequirement } from "#api/core/v1/node-selector.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Toleration, TopologySpreadConstraint } from "#api/core/v1/pod-spec.ts";
import { quantityMilliValue, quantityValue } from "#apimachinery/quantity.ts";

export interface Verdict {
  /** Names of the nodes with the greatest total; empty: none will do. */
  readonly best: readonly string[];
  /** How many nodes refused for which reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

type Labels = Readonly<Record<string, string>>;

export interface Place {
  readonly node: Node;
  readonly labels: Labels;
  readonly pods: readonly Pod[];
}

/** What else there is to judge by; each says why a pod cannot be on a node. */
export interface Rules {
  readonly storage?: (pod: Pod, place: Place, places: readonly Place[]) => readonly string[];
  readonly devices?: (pod: Pod, place: Place) => readonly string[];
}

export function placesOf(nodes: readonly Node[], pods: readonly Pod[]): Place[] {
  return nodes.map((node) => ({
    node,
    labels: node.metadata?.labels ?? {},
    pods: pods.filter(({ spec }) => spec.nodeName === node.metadata?.name),
  }));
}

export function decideNaively(
  pod: Pod,
  nodes: readonly Node[],
  pods: readonly Pod[],
  rules: Rules = {},
): Verdict {
  const places = placesOf(nodes, pods);
  const reasons: Record<string, number> = {};
  const feasible: Place[] = [];
  for (const place of places) {
    const against = refusalNaively(pod, place, places, rules);
    if (against.length === 0) feasible.push(place);
    for (const reason of against) reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  const totals = totalsOf(pod, feasible, places);
  const greatest = Math.max(...totals);
  const best = feasible.filter((_, i) => totals[i] === greatest).map(({ node }) => node.metadata?.name ?? "");
  return { best, reasons };
}

/** Why the pod cannot be there; empty: it can. */
export function refusalNaively(pod: Pod, place: Place, places: readonly Place[], rules: Rules): readonly string[] {
  const { node, labels } = place;
  if (node.spec.unschedulable === true) return ["node(s) were unschedulable"];
  if (untolerated(pod, place, ["NoSchedule", "NoExecute"]) > 0) return ["node(s) had untolerated taint(s)"];
  if (!matchesNode(pod, labels)) return ["node(s) didn't match Pod's node affinity/selector"];
  if (portTaken(pod, place)) return ["node(s) didn't have free ports for the requested pod ports"];
  const lacking = insufficient(pod, place);
  if (lacking.length > 0) return lacking;
  const unstored = rules.storage?.(pod, place, places) ?? [];
  if (unstored.length > 0) return unstored;
  const skewed = spreadRefusal(pod, place, places);
  if (skewed !== undefined) return [skewed];
  const apart = affinityRefusal(pod, place, places);
  return apart === undefined ? (rules.devices?.(pod, place) ?? []) : [apart];
}

function untolerated(pod: Pod, { node }: Place, effects: readonly string[]): number {
  const bears = (toleration: Toleration, key: string, value: string, effect: string): boolean =>
    (!toleration.effect || toleration.effect === effect) &&
    (!toleration.key || toleration.key === key) &&
    (toleration.operator === "Exists" || (toleration.value ?? "") === value);
  return (node.spec.taints ?? []).filter(
    ({ key, value = "", effect }) =>
      effects.includes(effect) && !(pod.spec.tolerations ?? []).some((each) => bears(each, key, value, effect)),
  ).length;
}

function requirementHolds({ key, operator, values = [] }: NodeSelectorRequirement, labels: Labels): boolean {
  const value = labels[key];
  if (operator === "In") return value !== undefined && values.includes(value);
  if (operator === "NotIn") return value === undefined || !values.includes(value);
  return operator === "Exists" ? value !== undefined : value === undefined;
}

function matchesNode(pod: Pod, labels: Labels): boolean {
  const { nodeSelector = {}, affinity } = pod.spec;
  if (Object.entries(nodeSelector).some(([key, value]) => labels[key] !== value)) return false;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return (
    terms === undefined ||
    terms.some(({ matchExpressions = [] }) => matchExpressions.every((each) => requirementHolds(each, labels)))
  );
}

function portTaken(pod: Pod, { pods }: Place): boolean {
  const portsOf = (each: Pod): number[] =>
    (each.spec.containers[0]?.ports ?? []).flatMap(({ hostPort }) => hostPort ?? []);
  return portsOf(pod).some((port) => pods.some((other) => portsOf(other).includes(port)));
}

function requestOf(pod: Pod, name: string): number {
  const text = pod.spec.containers[0]?.resources?.requests?.[name];
  return text === undefined ? 0 : name === "cpu" ? quantityMilliValue(text) : quantityValue(text);
}

function allocatableOf({ node }: Place, name: string): number {
  const text = node.status?.allocatable?.[name] ?? "0";
  return name === "cpu" ? quantityMilliValue(text) : quantityValue(text);
}

function insufficient(pod: Pod, place: Place): string[] {
  const lacking: string[] = [];
  if (place.pods.length + 1 > allocatableOf(place, "pods")) lacking.push("Too many pods");
  for (const name of ["cpu", "memory", "example.com/widget"]) {
    const used = place.pods.reduce((sum, other) => sum + requestOf(other, name), 0);
    if (requestOf(pod, name) > 0 && used + requestOf(pod, name) > allocatableOf(place, name))
      lacking.push(`Insufficient ${name}`);
  }
  return lacking;
}

const selects = (labels: Labels | undefined, selector: { matchLabels?: Labels | undefined } | undefined): boolean =>
  selector !== undefined && Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels?.[key] === value);

function spreadCounts(pod: Pod, constraint: TopologySpreadConstraint, places: readonly Place[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { labels, pods } of places) {
    const value = labels[constraint.topologyKey];
    if (value === undefined || !matchesNode(pod, labels)) continue;
    const here = pods.filter(
      ({ metadata }) =>
        metadata?.namespace === pod.metadata?.namespace && selects(metadata?.labels, constraint.labelSelector),
    );
    counts.set(value, (counts.get(value) ?? 0) + here.length);
  }
  return counts;
}

function constraintsOf(pod: Pod, when: string): TopologySpreadConstraint[] {
  return (pod.spec.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === when);
}

const hasKeys =
  (constraints: readonly TopologySpreadConstraint[]) =>
  ({ labels }: Place): boolean =>
    constraints.every(({ topologyKey }) => labels[topologyKey] !== undefined);

function spreadRefusal(pod: Pod, { labels }: Place, places: readonly Place[]): string | undefined {
  const hard = constraintsOf(pod, "DoNotSchedule");
  for (const constraint of hard) {
    const value = labels[constraint.topologyKey];
    const text = "node(s) didn't match pod topology spread constraints";
    if (value === undefined) return `${text} (missing required label)`;
    const counts = spreadCounts(pod, constraint, places.filter(hasKeys(hard)));
    const least = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values());
    const self = selects(pod.metadata?.labels, constraint.labelSelector) ? 1 : 0;
    if ((counts.get(value) ?? 0) + self - least > constraint.maxSkew) return text;
  }
  return undefined;
}

/** `owner`: whose term it is. */
function termHits(term: PodAffinityTerm, owner: Pod, other: Pod): boolean {
  return owner.metadata?.namespace === other.metadata?.namespace && selects(other.metadata?.labels, term.labelSelector);
}

function sameDomain(key: string, a: Place, b: Place): boolean {
  return a.labels[key] !== undefined && a.labels[key] === b.labels[key];
}

function affinityRefusal(pod: Pod, place: Place, places: readonly Place[]): string | undefined {
  const wanted = pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const unwanted = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const all = (other: Pod): boolean => wanted.every((term) => termHits(term, pod, other));
  const company = places.some(
    (each) => each.pods.some(all) && wanted.some(({ topologyKey }) => each.labels[topologyKey] !== undefined),
  );
  const beside = wanted.every(({ topologyKey }) =>
    places.some((each) => sameDomain(topologyKey, each, place) && each.pods.some(all)),
  );
  const labelled = wanted.every(({ topologyKey }) => place.labels[topologyKey] !== undefined);
  if (!labelled || !(beside || (!company && all(pod)))) return "node(s) didn't match pod affinity rules";
  const near = (term: PodAffinityTerm, owner: Pod, other: (candidate: Pod) => boolean): boolean =>
    places.some(
      (each) =>
        sameDomain(term.topologyKey, each, place) &&
        each.pods.some((candidate) => other(candidate) && termHits(term, owner, candidate)),
    );
  if (unwanted.some((term) => near(term, pod, () => true))) return "node(s) didn't match pod anti-affinity rules";
  for (const each of places) {
    for (const other of each.pods) {
      for (const term of other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
        if (sameDomain(term.topologyKey, each, place) && termHits(term, other, pod))
          return "node(s) didn't satisfy existing pods anti-affinity rules";
      }
    }
  }
  return undefined;
}

function totalsOf(pod: Pod, feasible: readonly Place[], places: readonly Place[]): number[] {
  const columns = [
    scaled(
      feasible.map((place) => untolerated(pod, place, ["PreferNoSchedule"])),
      true,
      3,
    ),
    scaled(
      feasible.map((place) => nodePreference(pod, place)),
      false,
      2,
    ),
    feasible.map((place) => leastAllocated(pod, place)),
    feasible.map((place) => balanced(pod, place)),
    spreadScores(pod, feasible, places).map((score) => 2 * score),
    affinityScores(pod, feasible, places).map((score) => 2 * score),
  ];
  return feasible.map((_, i) => columns.reduce((sum, column) => sum + (column[i] ?? 0), 0));
}

function scaled(raw: readonly number[], reverse: boolean, weight: number): number[] {
  const max = Math.max(0, ...raw);
  return raw.map((score) => {
    const share = max === 0 ? 0 : Math.floor((100 * score) / max);
    return weight * (reverse ? 100 - share : share);
  });
}

function nodePreference(pod: Pod, { labels }: Place): number {
  const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms
    .filter(({ preference }) => (preference.matchExpressions ?? []).every((each) => requirementHolds(each, labels)))
    .reduce((sum, { weight }) => sum + weight, 0);
}

function leastAllocated(pod: Pod, place: Place): number {
  const shares = [
    ["cpu", 100],
    ["memory", 200 * 1024 * 1024],
  ].map(([name, fallback]) => {
    const requests = [...place.pods, pod].map((each) =>
      each.spec.containers[0]?.resources?.requests?.[name as string] === undefined
        ? (fallback as number)
        : requestOf(each, name as string),
    );
    const capacity = allocatableOf(place, name as string);
    const used = requests.reduce((sum, each) => sum + each, 0);
    return used > capacity ? 0 : Math.floor(((capacity - used) * 100) / capacity);
  });
  return Math.floor(((shares[0] ?? 0) + (shares[1] ?? 0)) / 2);
}

function balanced(pod: Pod, place: Place): number {
  if (requestOf(pod, "cpu") === 0 && requestOf(pod, "memory") === 0) return 0;
  const [cpu = 0, memory = 0] = ["cpu", "memory"].map((name) => {
    const used = [...place.pods, pod].reduce((sum, each) => sum + requestOf(each, name), 0);
    return Math.min(1, used / allocatableOf(place, name));
  });
  return Math.trunc((1 - Math.abs((cpu - memory) / 2)) * 100);
}

function spreadScores(pod: Pod, feasible: readonly Place[], places: readonly Place[]): number[] {
  const soft = constraintsOf(pod, "ScheduleAnyway");
  if (soft.length === 0) return [];
  const usable = feasible.filter(hasKeys(soft));
  const raw = usable.map((place) => {
    const parts = soft.map((constraint) => {
      const { topologyKey: key, maxSkew } = constraint;
      const hostname = key === "kubernetes.io/hostname";
      const domains = hostname ? usable.length : new Set(usable.map(({ labels }) => labels[key])).size;
      const counted = hostname ? [place] : places.filter(hasKeys(soft));
      const unrestricted = hostname ? { ...pod, spec: { ...pod.spec, nodeSelector: {}, affinity: undefined } } : pod;
      const count = spreadCounts(unrestricted as Pod, constraint, counted).get(place.labels[key] ?? "") ?? 0;
      return count * Math.log(domains + 2) + (maxSkew - 1);
    });
    return Math.round(parts.reduce((sum, part) => sum + part, 0));
  });
  const [min, max] = [Math.min(...raw), Math.max(...raw)];
  return feasible.map((place) => {
    const at = usable.indexOf(place);
    if (at < 0) return 0;
    return max === 0 ? 100 : Math.trunc((100 * (max + min - (raw[at] ?? 0))) / max);
  });
}

function affinityScores(pod: Pod, feasible: readonly Place[], places: readonly Place[]): number[] {
  const raw = feasible.map((place) => {
    let score = 0;
    for (const each of places) {
      for (const other of each.pods) {
        const add = (term: PodAffinityTerm, weight: number, [owner, hit]: readonly [Pod, Pod]): void => {
          if (sameDomain(term.topologyKey, each, place) && termHits(term, owner, hit)) score += weight;
        };
        const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
        for (const { weight, podAffinityTerm } of podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
          add(podAffinityTerm, weight, [pod, other]);
        for (const { weight, podAffinityTerm } of podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ??
          [])
          add(podAffinityTerm, -weight, [pod, other]);
        const theirs = other.spec.affinity ?? {};
        for (const term of theirs.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
          add(term, 1, [other, pod]);
        for (const { weight, podAffinityTerm } of theirs.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ??
          [])
          add(podAffinityTerm, weight, [other, pod]);
        for (const { weight, podAffinityTerm } of theirs.podAntiAffinity
          ?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
          add(podAffinityTerm, -weight, [other, pod]);
      }
    }
    return score;
  });
  const [min, max] = [Math.min(...raw), Math.max(...raw)];
  return raw.map((score) => (max > min ? Math.trunc(100 * ((score - min) / (max - min))) : 0));
}
