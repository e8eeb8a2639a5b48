/**
 * What a class of pods finds on each node: verdicts of filters and raw scores, in columns, taken
 * when first needed and again when the node changed.
 *
 * Invariants: 1. A verdict that is used equals what all filters would say now, in their order.
 * 2. A filter that looks at other nodes hears of every change before it is asked again, and when
 * it says that others are affected, every node is asked again. 3. Scores of feasible nodes equal
 * fresh ones. 4. Nothing here survives a new `Cluster.epoch`.
 */
import type { Cluster } from "./cluster.ts";
import type { Columns } from "./columns.ts";
import { type Context, isStatus, type NodeFilter, type NodeScorer, type Status, unresolvable } from "./framework.ts";
import { addPodTo, type NodeInfo, supposedNode } from "./node-info.ts";
import type { Nominator } from "./nominator.ts";
import type { PodInfo } from "./pod-info.ts";
import { canStand, createStanding, type Standing } from "./standing.ts";
import type { Profile } from "./profile.ts";

export interface NamedFilter {
  readonly name: string;
  readonly filter: NodeFilter;
}

export interface NamedScorer {
  readonly name: string;
  readonly weight: number;
  readonly scorer: NodeScorer;
  /** Raw, by node. */
  readonly raw: Float64Array;
  /** After normalizing; the same as `raw` where nothing is normalized. */
  readonly scores: Float64Array;
}

/** Why a node will not do. */
export interface Refusal {
  readonly plugin: string;
  readonly status: Status;
}

export interface Choice {
  readonly node: NodeInfo;
  /** Whether there were others, so that scores decided. */
  readonly alternatives: boolean;
  readonly evaluatedCount: number;
  /** By node; filled for feasible ones, when there was a choice. */
  readonly totals: Float64Array;
}

export interface Evaluation {
  readonly epoch: number;
  /** Nodes of an index beyond it are not seen. */
  readonly capacity: number;
  readonly filters: readonly NamedFilter[];
  readonly scorers: readonly NamedScorer[];
  /** Whether results for a node depend on others. */
  readonly wide: boolean;
  /** Whether the pod can go to a few nodes only, known by name. */
  readonly named: boolean;
  /** How often pods of the class were placed with it. */
  uses: number;
  /** Undefined: no node will do; `refusalOf` says why. */
  choose(pod: PodInfo, options: ChooseOptions): Choice | undefined;
  refusalOf(node: NodeInfo): Refusal | undefined;
  /** Every node that will do, for those who choose themselves. */
  feasible(pod: PodInfo, nominator: Nominator): NodeInfo[];
  /** Totals of nodes that `feasible` gave, in their order. */
  totalsOf(nodes: readonly NodeInfo[]): number[];
  /** See `FailedAttempt.remember`. */
  remember<T>(pod: PodInfo, kept: Kept<T>): T;
  /** Checks a node as it would be; the real one stays untouched. */
  trial(pod: PodInfo, supposed: NodeInfo, nominator: Nominator): Refusal | undefined;
}

export interface Kept<T> {
  readonly node: NodeInfo;
  readonly nominator: Nominator;
  readonly basis: unknown;
  readonly find: () => T;
}

export interface ChooseOptions {
  readonly nominator: Nominator;
  /** Enough feasible nodes; the search ends with them. Infinity: all nodes are to be compared. */
  readonly feasibleMax: number;
  /** Where the search begins among the nodes. */
  readonly start: number;
  /** The one node asked about. */
  readonly only?: NodeInfo;
  /** 0 <= n < limit. */
  readonly below: (limit: number) => number;
}

const unknown = 0;
const feasibleState = 1;
const refusedState = 2;

/** A refusal by one filter for all nodes comes back as it is. */
export function evaluate(
  pod: PodInfo,
  {
    profile,
    cluster,
    contextOf,
    columnsFor,
  }: {
    profile: Profile;
    cluster: Cluster;
    contextOf: (plugin: string) => Context;
    /** With room for all nodes. `named`: the pod can go to a few nodes only, known by name. */
    columnsFor: (named: boolean) => Columns;
  },
): Evaluation | Refusal {
  const filters: NamedFilter[] = [];
  for (const plugin of profile.filters) {
    const made = plugin.filter?.(pod, contextOf(plugin.name));
    if (made === undefined) continue;
    if (isStatus(made)) return { plugin: plugin.name, status: made };
    filters.push({ name: plugin.name, filter: made });
  }
  const candidates = candidatesOf(filters);
  const columns = columnsFor(candidates !== undefined);
  const makeScorers = (): NamedScorer[] => scorersOf(pod, { profile, contextOf, columns });
  return createEvaluation({ cluster, filters, candidates, makeScorers, columns });
}

function scorersOf(
  pod: PodInfo,
  {
    profile,
    contextOf,
    columns,
  }: {
    readonly profile: Profile;
    readonly contextOf: (plugin: string) => Context;
    readonly columns: Columns;
  },
): NamedScorer[] {
  const scorers: NamedScorer[] = [];
  let tables = 0;
  for (const { plugin, weight } of profile.scorers) {
    const scorer = plugin.score?.(pod, contextOf(plugin.name));
    if (scorer === undefined) continue;
    const raw = columns.scores(tables++);
    const scores = scorer.normalize ? columns.scores(tables++) : raw;
    scorers.push({ name: plugin.name, weight, scorer, raw, scores });
  }
  return scorers;
}

interface Parts {
  readonly cluster: Cluster;
  readonly filters: readonly NamedFilter[];
  /** Called when there is something to choose from, once. */
  readonly makeScorers: () => readonly NamedScorer[];
  readonly columns: Columns;
  /** Names of the only nodes that can do. */
  readonly candidates: ReadonlySet<string> | undefined;
}

function createEvaluation(parts: Parts): Evaluation {
  const { cluster, filters, candidates } = parts;
  let scorers: readonly NamedScorer[] | undefined;
  const allScorers = (): readonly NamedScorer[] => (scorers ??= parts.makeScorers());
  const verdicts = createVerdicts(parts);
  const { capacity, scored, feasible, totals } = parts.columns;
  let standing: Standing | undefined;
  const wide = verdicts.wide;
  const crowding = createMemory<Refusal | undefined>(cluster, wide);
  const memory = createMemory<unknown>(cluster, wide);
  let outside: Refusal | undefined;
  let seen = cluster.sequence;

  function refresh(): void {
    if (seen === cluster.sequence) return;
    cluster.forChangedSince(seen, changed);
    seen = cluster.sequence;
  }

  function changed(index: number): void {
    if (index >= capacity) return;
    scored[index] = 0;
    standing?.changed(index);
    const node = cluster.nodes[index];
    if (node === undefined) return;
    verdicts.changed(node);
    for (const { scorer } of scorers ?? []) scorer.changed?.(node);
  }

  function collect(pod: PodInfo, options: ChooseOptions): { count: number; evaluated: number } {
    let count = 0;
    let evaluated = 0;
    const nominated = options.nominator.size > 0;
    const visit = (node: NodeInfo | undefined): void => {
      if (node === undefined || node.index >= capacity) return;
      evaluated++;
      if (!verdicts.fits(node)) return;
      if (!nominated || !crowdedOut(pod, node, options.nominator)) feasible[count++] = node.index;
    };
    if (options.only !== undefined) {
      if (candidates?.has(options.only.name) !== false) visit(options.only);
      return { count, evaluated: 0 };
    }
    if (candidates !== undefined) {
      for (const name of candidates) visit(cluster.node(name));
      return { count, evaluated };
    }
    const { nodes, order } = cluster;
    const total = order.length;
    let i = total === 0 ? 0 : options.start % total;
    for (let left = total; left > 0 && count < options.feasibleMax; left--) {
      visit(nodes[order[i] as number]);
      if (++i === total) i = 0;
    }
    return { count, evaluated };
  }

  /** Whether nominated pods of no less priority leave no room. */
  function crowdedOut(pod: PodInfo, node: NodeInfo, nominator: Nominator): boolean {
    const find = (): Refusal | undefined => {
      const crowded = withNominated(pod, node, nominator);
      return crowded && verdicts.trial(crowded);
    };
    const refusal = crowding.of(pod, { node, nominator, basis: undefined, find });
    if (refusal !== undefined) verdicts.refuseOnce(node, refusal);
    return refusal !== undefined;
  }

  function score(count: number): void {
    const own = allScorers();
    for (const { scorer, raw } of own) {
      scorer.prepare?.(feasible, count);
      const always = scorer.changed !== undefined;
      for (let i = 0; i < count; i++) {
        const at = feasible[i] as number;
        if (always || scored[at] === 0) raw[at] = scorer.score(cluster.nodes[at] as NodeInfo);
      }
    }
    for (let i = 0; i < count; i++) {
      scored[feasible[i] as number] = 1;
      totals[feasible[i] as number] = 0;
    }
    for (const { scorer, raw, scores, weight } of own) {
      if (scorer.normalize) {
        for (let i = 0; i < count; i++) scores[feasible[i] as number] = raw[feasible[i] as number] as number;
        scorer.normalize(scores, feasible, count);
      }
      for (let i = 0; i < count; i++) {
        const at = feasible[i] as number;
        totals[at] = (totals[at] as number) + weight * (scores[at] as number);
      }
    }
  }

  function best(count: number, below: ChooseOptions["below"]): number {
    let greatest = -Infinity;
    let ties = 0;
    for (let i = 0; i < count; i++) {
      const total = totals[feasible[i] as number] as number;
      if (total > greatest) {
        greatest = total;
        ties = 1;
      } else if (total === greatest) ties++;
    }
    let left = ties === 1 ? 0 : below(ties);
    for (let i = 0; ; i++) {
      const at = feasible[i] as number;
      if (totals[at] === greatest && left-- === 0) return at;
    }
  }

  function canStandNow(): boolean {
    return candidates === undefined && !verdicts.wide && (standing !== undefined || canStand(allScorers()));
  }

  /** Among all nodes, most of them as they were for the pod before. */
  function chooseStanding(pod: PodInfo, options: ChooseOptions): Choice | undefined {
    const fits = verdicts.fits;
    standing ??= createStanding({ cluster, scorers: allScorers(), capacity, fits });
    standing.update();
    for (const name of options.nominator.size > 0 ? options.nominator.nodeNames : []) {
      const node = cluster.node(name);
      const open = node !== undefined && node.index < capacity && fits(node);
      if (open && crowdedOut(pod, node, options.nominator)) standing.exclude(node.index);
    }
    const node = standing.best(options.below);
    standing.restore();
    return node && { node, alternatives: true, evaluatedCount: 0, totals: standing.totals };
  }

  return {
    epoch: cluster.epoch,
    capacity,
    named: candidates !== undefined,
    get wide() {
      return verdicts.wide || allScorers().some(({ scorer }) => scorer.changed !== undefined);
    },
    filters,
    get scorers() {
      return allScorers();
    },
    uses: 0,
    choose(pod, options) {
      refresh();
      verdicts.begin();
      if (options.feasibleMax === Infinity && canStandNow()) return chooseStanding(pod, options);
      const { count, evaluated } = collect(pod, options);
      if (count === 0) return undefined;
      if (count > 1) score(count);
      const index = count > 1 ? best(count, options.below) : (feasible[0] as number);
      const node = cluster.nodes[index] as NodeInfo;
      return { node, alternatives: count > 1, evaluatedCount: evaluated, totals };
    },
    refusalOf(node) {
      if (candidates === undefined || candidates.has(node.name)) return verdicts.refusalOf(node);
      return (outside ??= refusalOutside(filters));
    },
    feasible(pod, nominator) {
      refresh();
      verdicts.begin();
      const { count } = collect(pod, {
        nominator,
        feasibleMax: Infinity,
        start: 0,
        below: () => 0,
      });
      return Array.from(feasible.subarray(0, count), (index) => cluster.nodes[index] as NodeInfo);
    },
    totalsOf(chosen) {
      for (const [i, { index }] of chosen.entries()) feasible[i] = index;
      score(chosen.length);
      return chosen.map(({ index }) => totals[index] as number);
    },
    // What was put in under a basis is what comes out under it.
    remember: <T>(pod: PodInfo, kept: Kept<T>): T => memory.of(pod, kept) as T,
    trial(pod, supposed, nominator) {
      const crowded = withNominated(pod, supposed, nominator);
      const refusal = crowded && verdicts.trial(crowded);
      return refusal ?? verdicts.trial(supposed);
    },
  };
}

/** Findings about nodes for a class of pods, as long as they hold. */
function createMemory<T>(cluster: Cluster, never: boolean) {
  interface Finding {
    readonly changedAt: number;
    readonly nominated: number;
    readonly basis: unknown;
    readonly value: T;
  }
  const findings: (Finding | undefined)[] = [];
  return {
    of(pod: PodInfo, { node, nominator, basis, find }: Kept<T>): T {
      // A pod does not stand in its own way, but in that of its like.
      if (never || nominator.nodeOf(pod.uid) === node.name) return find();
      const changedAt = cluster.changedAt[node.index] as number;
      const nominated = nominator.versionOf(node.name);
      const known = findings[node.index];
      if (known?.changedAt === changedAt && known.nominated === nominated && known.basis === basis) return known.value;
      const value = find();
      findings[node.index] = { changedAt, nominated, basis, value };
      return value;
    },
  };
}

/** The node with the pods nominated to it that `pod` has to respect; undefined without any. */
function withNominated(pod: PodInfo, node: NodeInfo, nominator: Nominator): NodeInfo | undefined {
  if (nominator.size === 0) return undefined;
  let supposed: NodeInfo | undefined;
  for (const other of nominator.on(node.name)) {
    if (other.uid === pod.uid || other.priority < pod.priority) continue;
    addPodTo((supposed ??= supposedNode(node)), other);
  }
  return supposed;
}

/** The nodes that all filters with a list have in it. */
function candidatesOf(filters: readonly NamedFilter[]): ReadonlySet<string> | undefined {
  let names: ReadonlySet<string> | undefined;
  for (const { filter } of filters) {
    if (filter.nodeNames === undefined) continue;
    names = names === undefined ? filter.nodeNames : names.intersection(filter.nodeNames);
  }
  return names;
}

/** What is wrong with nodes that the filters with a list leave out. */
function refusalOutside(filters: readonly NamedFilter[]): Refusal {
  const names = filters.flatMap(({ name, filter }) => (filter.nodeNames ? [name] : [])).toSorted();
  const status = unresolvable(`node(s) didn't satisfy plugin(s) [${names.join(" ")}]`);
  return { plugin: names[0] ?? "", status };
}

/** Verdicts of the filters, by node. */
function createVerdicts({ cluster, filters, columns }: Parts) {
  // `refusedBy`: place in `filters` of the first that refuses, of those that look at one node alone.
  // `askedIn`: round in which the filters that look at several nodes were asked.
  const { state, refusedBy, refusals, askedIn, wideRefusals } = columns;
  const wide = filters.filter(({ filter }) => filter.changed !== undefined);
  /** By pods nominated to the node. */
  const once = new Map<number, Refusal>();
  let round = 1;

  function askLocal(node: NodeInfo): void {
    const at = node.index;
    state[at] = feasibleState;
    refusals[at] = undefined;
    for (let i = 0; i < filters.length; i++) {
      const { filter, name } = filters[i] as NamedFilter;
      if (filter.changed !== undefined) continue;
      const status = filter.check(node);
      if (status === undefined) continue;
      state[at] = refusedState;
      refusedBy[at] = i;
      refusals[at] = { plugin: name, status };
      return;
    }
  }

  /** The first refusal among those that stand before the one found already. */
  function askWide(node: NodeInfo): void {
    const at = node.index;
    askedIn[at] = round;
    wideRefusals[at] = undefined;
    const end = state[at] === refusedState ? (refusedBy[at] as number) : filters.length;
    for (let i = 0; i < end; i++) {
      const { filter, name } = filters[i] as NamedFilter;
      if (filter.changed === undefined) continue;
      const status = filter.check(node);
      if (status === undefined) continue;
      wideRefusals[at] = { plugin: name, status };
      return;
    }
  }

  function refusalOf(node: NodeInfo): Refusal | undefined {
    const at = node.index;
    if (state[at] === unknown) askLocal(node);
    if (wide.length === 0) return refusals[at];
    if (askedIn[at] !== round) askWide(node);
    return wideRefusals[at] ?? refusals[at];
  }

  function tellWide(node: NodeInfo): boolean {
    let others = false;
    for (const { filter } of wide) others = filter.changed?.(node) === true || others;
    return others;
  }

  return {
    wide: wide.length > 0,
    changed(node: NodeInfo): void {
      state[node.index] = unknown;
      askedIn[node.index] = 0;
      if (tellWide(node)) round++;
    },
    fits(node: NodeInfo): boolean {
      if (wide.length > 0) return refusalOf(node) === undefined;
      if (state[node.index] === unknown) askLocal(node);
      return state[node.index] === feasibleState;
    },
    refusalOf: (node: NodeInfo) => once.get(node.index) ?? refusalOf(node),
    /** Holds for the pod at hand only. */
    refuseOnce: (node: NodeInfo, refusal: Refusal) => void once.set(node.index, refusal),
    begin: () => once.clear(),
    trial(supposed: NodeInfo): Refusal | undefined {
      tellWide(supposed);
      let refusal: Refusal | undefined;
      for (const { filter, name } of filters) {
        const status = filter.check(supposed);
        if (status === undefined) continue;
        refusal = { plugin: name, status };
        break;
      }
      const real = cluster.nodes[supposed.index];
      if (real !== undefined) tellWide(real);
      return refusal;
    },
  };
}
