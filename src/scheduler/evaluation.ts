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
import { Findings, type Kept } from "./findings.ts";
import { type Context, isStatus, type NodeFilter, type NodeScorer, type Status, unresolvable } from "./framework.ts";
import { addPodTo, type NodeInfo, supposedNode } from "./node-info.ts";
import { NodeVerdicts } from "./node-verdicts.ts";
import type { Nominator } from "./nominator.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Profile } from "./profile.ts";
import { Scoring } from "./scoring.ts";
import { canStand, Standing } from "./standing.ts";

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
  return new ClassEvaluation({ cluster, filters, candidates, makeScorers, columns });
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
  readonly makeScorers: () => readonly NamedScorer[];
  readonly columns: Columns;
  /** Names of the only nodes that can do. */
  readonly candidates: ReadonlySet<string> | undefined;
}

class ClassEvaluation implements Evaluation {
  readonly epoch: number;
  readonly capacity: number;
  readonly filters: readonly NamedFilter[];
  uses = 0;
  readonly #cluster: Cluster;
  readonly #candidates: ReadonlySet<string> | undefined;
  readonly #verdicts: NodeVerdicts;
  readonly #scoring: Scoring;
  /** Indexes of nodes that will do, for the pod at hand. */
  readonly #feasible: Int32Array;
  readonly #totals: Float64Array;
  /** What pods nominated to a node leave of it. */
  readonly #crowding: Findings<Refusal | undefined>;
  readonly #memory: Findings<unknown>;
  #standing: Standing | undefined;
  #outside: Refusal | undefined;
  #seen: number;

  constructor(parts: Parts) {
    const { cluster, filters, candidates, columns } = parts;
    this.epoch = cluster.epoch;
    this.capacity = columns.capacity;
    this.filters = filters;
    this.#cluster = cluster;
    this.#candidates = candidates;
    this.#verdicts = new NodeVerdicts(parts);
    this.#scoring = new Scoring(parts);
    this.#feasible = columns.feasible;
    this.#totals = columns.totals;
    this.#crowding = new Findings(cluster, this.#verdicts.wide);
    this.#memory = new Findings(cluster, this.#verdicts.wide);
    this.#seen = cluster.sequence;
  }

  get named(): boolean {
    return this.#candidates !== undefined;
  }

  get wide(): boolean {
    return this.#verdicts.wide || this.scorers.some(({ scorer }) => scorer.changed !== undefined);
  }

  get scorers(): readonly NamedScorer[] {
    return this.#scoring.scorers;
  }

  choose(pod: PodInfo, options: ChooseOptions): Choice | undefined {
    this.#begin();
    if (options.feasibleMax === Infinity && this.#canStand()) return this.#chooseStanding(pod, options);
    const { count, evaluated } = this.#collect(pod, options);
    if (count === 0) return undefined;
    if (count > 1) this.#scoring.score(count);
    const index = count > 1 ? this.#scoring.best(count, options.below) : (this.#feasible[0] as number);
    const node = this.#cluster.nodes[index] as NodeInfo;
    return { node, alternatives: count > 1, evaluatedCount: evaluated, totals: this.#totals };
  }

  refusalOf(node: NodeInfo): Refusal | undefined {
    if (this.#isCandidate(node)) return this.#verdicts.refusalOf(node);
    return (this.#outside ??= refusalOutside(this.filters));
  }

  feasible(pod: PodInfo, nominator: Nominator): NodeInfo[] {
    this.#begin();
    const { count } = this.#collect(pod, { nominator, feasibleMax: Infinity, start: 0, below: () => 0 });
    return Array.from(this.#feasible.subarray(0, count), (index) => this.#cluster.nodes[index] as NodeInfo);
  }

  totalsOf(chosen: readonly NodeInfo[]): number[] {
    for (const [i, { index }] of chosen.entries()) this.#feasible[i] = index;
    this.#scoring.score(chosen.length);
    return chosen.map(({ index }) => this.#totals[index] as number);
  }

  remember<T>(pod: PodInfo, kept: Kept<T>): T {
    // What was put in under a basis is what comes out under it.
    return this.#memory.of(pod, kept) as T;
  }

  trial(pod: PodInfo, supposed: NodeInfo, nominator: Nominator): Refusal | undefined {
    return this.#crowdedTrial(pod, supposed, nominator) ?? this.#verdicts.trial(supposed);
  }

  #begin(): void {
    if (this.#seen !== this.#cluster.sequence) {
      this.#cluster.forChangedSince(this.#seen, (index) => this.#changed(index));
      this.#seen = this.#cluster.sequence;
    }
    this.#verdicts.begin();
  }

  #changed(index: number): void {
    if (index >= this.capacity) return;
    const node = this.#cluster.nodes[index];
    this.#standing?.changed(index);
    if (node !== undefined) this.#verdicts.changed(node);
    this.#scoring.changed(index, node);
  }

  #isCandidate(node: NodeInfo): boolean {
    return this.#candidates === undefined || this.#candidates.has(node.name);
  }

  #collect(pod: PodInfo, options: ChooseOptions): { count: number; evaluated: number } {
    const { capacity } = this;
    const verdicts = this.#verdicts;
    const feasible = this.#feasible;
    let count = 0;
    let evaluated = 0;
    const nominated = options.nominator.size > 0;
    const visit = (node: NodeInfo | undefined): void => {
      if (node === undefined || node.index >= capacity) return;
      evaluated++;
      if (!verdicts.fits(node)) return;
      if (!nominated || !this.#crowdedOut(pod, node, options.nominator)) feasible[count++] = node.index;
    };
    if (options.only !== undefined) {
      if (this.#isCandidate(options.only)) visit(options.only);
      return { count, evaluated: 0 };
    }
    if (this.#candidates !== undefined) {
      for (const name of this.#candidates) visit(this.#cluster.node(name));
      return { count, evaluated };
    }
    const { nodes, order } = this.#cluster;
    const total = order.length;
    let i = total === 0 ? 0 : options.start % total;
    for (let left = total; left > 0 && count < options.feasibleMax; left--) {
      visit(nodes[order[i] as number]);
      if (++i === total) i = 0;
    }
    return { count, evaluated };
  }

  /** Whether nominated pods of no less priority leave no room. */
  #crowdedOut(pod: PodInfo, node: NodeInfo, nominator: Nominator): boolean {
    const find = (): Refusal | undefined => this.#crowdedTrial(pod, node, nominator);
    const refusal = this.#crowding.of(pod, { node, nominator, basis: undefined, find });
    if (refusal !== undefined) this.#verdicts.refuseOnce(node, refusal);
    return refusal !== undefined;
  }

  /** The verdict on the node with the pods nominated to it, when there are any. */
  #crowdedTrial(pod: PodInfo, node: NodeInfo, nominator: Nominator): Refusal | undefined {
    const crowded = withNominated(pod, node, nominator);
    return crowded && this.#verdicts.trial(crowded);
  }

  #canStand(): boolean {
    if (this.#candidates !== undefined || this.#verdicts.wide) return false;
    return this.#standing !== undefined || canStand(this.scorers);
  }

  /** Among all nodes, most of them as they were for the pod before. */
  #chooseStanding(pod: PodInfo, { nominator, below }: ChooseOptions): Choice | undefined {
    const { capacity } = this;
    const cluster = this.#cluster;
    const verdicts = this.#verdicts;
    this.#standing ??= new Standing({ cluster, scorers: this.scorers, capacity, fits: (node) => verdicts.fits(node) });
    const standing = this.#standing;
    standing.update();
    for (const name of nominator.size > 0 ? nominator.nodeNames : []) {
      const node = cluster.node(name);
      const open = node !== undefined && node.index < capacity && verdicts.fits(node);
      if (open && this.#crowdedOut(pod, node, nominator)) standing.exclude(node.index);
    }
    const node = standing.best(below);
    standing.restore();
    return node && { node, alternatives: true, evaluatedCount: 0, totals: standing.totals };
  }
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
