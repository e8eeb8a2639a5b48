import type { FlowSchema, PolicyRulesWithSubjects } from "#api/flowcontrol/v1/flow-schema.ts";
import type { PriorityLevelConfiguration } from "#api/flowcontrol/v1/priority-level-configuration.ts";
import type { Clock } from "#base/clock.ts";
import { mandatoryFlowSchemas } from "#api/flowcontrol/v1/mandatory-flow-schemas.ts";
import { mandatoryLevelSpecs } from "../bootstrap/flow-control.ts";
import type { User } from "../call.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { allocate } from "./concurrency-allocation.ts";
import { matchesRequest, rulesOfUser } from "./flow-schema-match.ts";
import { isSoundLevel, PriorityLevel } from "./priority-level.ts";
import type { Tally } from "./request-work.ts";
import { dealHand, hashFlow } from "./shuffle-sharding.ts";

/** Hands of flows that are kept with a schema; beyond this all are dealt again. */
const handsMax = 10_000;
/** Users for whom it is kept which rules speak of them; beyond this all are looked up again. */
const usersMax = 10_000;

/** A FlowSchema at work. */
export interface FlowRule {
  readonly schema: FlowSchema;
  readonly name: string;
  readonly uid: string;
  readonly level: PriorityLevel;
  readonly tally: Tally;
  readonly hands: Map<string, readonly number[]>;
}

/** A schema, and whether the level that it names is missing. */
export interface SchemaFinding {
  readonly schema: FlowSchema;
  readonly isDangling: boolean;
}

/**
 * Which priority level a request belongs to, and how many seats each level has.
 * Invariants: 1. The exempt and the catch-all level and schema are always there. 2. A level without
 * configuration stays until its requests are done. 3. Seats of limited levels sum to what they have
 * nominally, whoever lends or borrows.
 * Source: flowcontrol/apf_controller.go.
 */
export class FlowConfiguration {
  readonly #clock: Clock;
  readonly #seatsTotal: number;
  #levels = new Map<string, PriorityLevel>();
  #rules: readonly FlowRule[] = [];
  readonly #users = new Map<string, { readonly groups: readonly string[]; readonly candidates: readonly Candidate[] }>();
  #catchAll: FlowRule;
  /** Part of its target that a level got that met no bound; 0 when all were at their bounds. */
  fairFraction = 0;

  constructor(clock: Clock, seatsTotal: number) {
    this.#clock = clock;
    this.#seatsTotal = seatsTotal;
    this.digest([], []);
    this.#catchAll = this.#rules.at(-1) as FlowRule;
  }

  get levels(): Iterable<PriorityLevel> {
    return this.#levels.values();
  }

  get rules(): readonly FlowRule[] {
    return this.#rules;
  }

  /** Takes a new configuration on. Levels that are broken count as absent. */
  digest(configurations: readonly PriorityLevelConfiguration[], schemas: readonly FlowSchema[]): SchemaFinding[] {
    const levels = new Map<string, PriorityLevel>();
    for (const configuration of configurations) {
      if (!isSoundLevel(configuration)) continue;
      const { name = "", uid = "" } = configuration.metadata;
      levels.set(name, this.#levelOf(name, uid, configuration.spec));
    }
    const findings = schemas.map((schema) => ({
      schema,
      isDangling: !levels.has(schema.spec.priorityLevelConfiguration.name),
    }));
    for (const [name, spec] of mandatoryLevelSpecs) {
      if (!levels.has(name)) levels.set(name, this.#levelOf(name, "", spec));
    }
    for (const [name, level] of this.#levels) {
      if (levels.has(name) || level.queues.isIdle) continue;
      level.isQuiescing = true;
      levels.set(name, level);
    }
    this.#levels = levels;
    this.#users.clear();
    this.#rules = this.#rulesOf(findings.filter(({ isDangling }) => !isDangling).map(({ schema }) => schema));
    for (const level of levels.values()) level.forgetUnused(new Set(this.#rules.map(({ name }) => name)));
    this.#catchAll = this.#rules.findLast(({ name }) => name === "catch-all") as FlowRule;
    const sharesTotal = [...levels.values()].reduce((sum, { shares }) => sum + shares, 0);
    for (const level of levels.values()) level.apportion(this.#seatsTotal, sharesTotal);
    this.adjust();
    return findings;
  }

  classify(info: RequestInfo, user: User): FlowRule {
    for (const { rule, policy } of this.#candidatesOf(user)) {
      if (matchesRequest(policy, info)) return rule;
    }
    return this.#catchAll;
  }

  /** What speaks of a user, in the order in which it is asked: looked up once for each. */
  #candidatesOf(user: User): readonly Candidate[] {
    const known = this.#users.get(user.name);
    if (known !== undefined && isSameList(known.groups, user.groups)) return known.candidates;
    const candidates = this.#rules.flatMap((rule) =>
      rulesOfUser(rule.schema.spec, user).map((policy) => ({ rule, policy })),
    );
    if (this.#users.size >= usersMax) this.#users.clear();
    this.#users.set(user.name, { groups: user.groups, candidates });
    return candidates;
  }

  /** Drops a level that nobody wants and nobody uses. */
  reap(level: PriorityLevel): void {
    if (level.isQuiescing && level.queues.isIdle) this.#levels.delete(level.name);
  }

  /** Moves seats to where they were wanted. False when none were. */
  adjust(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const all = [...this.#levels.values()];
    for (const level of all) level.takeDemand(nowMs);
    const limited = all.filter(({ isExempt }) => !isExempt);
    const total = all.reduce((sum, { limits }) => sum + limits.nominal, 0);
    let left = total;
    for (const level of all) {
      if (!level.isExempt) continue;
      const seats = Math.max(level.limits.lower, level.demand.maxSeats);
      left -= seats;
      level.queues.configure(level.queuing, seats);
    }
    const seats = this.#divide(left, limited, total);
    limited.forEach((level, i) => level.queues.configure(level.queuing, seats[i] as number));
    return limited.some(({ demand }) => demand.maxSeats > 0);
  }

  /** `left` is what the exempt level leaves of `total`. */
  #divide(left: number, levels: readonly PriorityLevel[], total: number): number[] {
    const floors = levels.map(({ limits, demand }) => Math.max(limits.lower, Math.min(limits.nominal, demand.maxSeats)));
    const lowerSum = levels.reduce((sum, { limits }) => sum + limits.lower, 0);
    const floorSum = floors.reduce((sum, floor) => sum + floor, 0);
    this.fairFraction = 0;
    if (left <= lowerSum) return levels.map(({ limits }) => limits.lower);
    if (left <= floorSum) {
      const part = (left - lowerSum) / (floorSum - lowerSum);
      return levels.map(({ limits }, i) => limits.lower + Math.round(((floors[i] as number) - limits.lower) * part));
    }
    const claims = levels.map(({ limits, smoothedSeats }, i) => {
      const lower = floors[i] as number;
      return { lower, upper: limits.upper, target: Math.max(lower, smoothedSeats) };
    });
    const allocation = allocate(total, claims);
    if (allocation === undefined) return levels.map(({ queues }) => queues.seatsMax);
    this.fairFraction = allocation.fairFraction;
    return allocation.amounts.map(Math.round);
  }

  #levelOf(name: string, uid: string, spec: PriorityLevelConfiguration["spec"]): PriorityLevel {
    const level = this.#levels.get(name) ?? new PriorityLevel(this.#clock, name, spec);
    level.configure(uid, spec);
    return level;
  }

  /** In the order in which they are asked. */
  #rulesOf(schemas: readonly FlowSchema[]): FlowRule[] {
    const precedence = ({ spec }: FlowSchema): number => spec.matchingPrecedence ?? 0;
    const names = new Set(schemas.map(({ metadata }) => metadata.name));
    const sorted = [...schemas].sort(
      (a, b) => precedence(a) - precedence(b) || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1),
    );
    const missing = (name: string): FlowSchema[] => {
      const spec = mandatoryFlowSchemas.get(name);
      return names.has(name) || spec === undefined ? [] : [{ metadata: { name }, spec } as FlowSchema];
    };
    return [...missing("exempt"), ...sorted, ...missing("catch-all")].map((schema) => {
      const { name = "", uid = "" } = schema.metadata;
      const level = this.#levels.get(schema.spec.priorityLevelConfiguration.name) as PriorityLevel;
      return { schema, name, uid, level, tally: level.tallyOf(name), hands: new Map() };
    });
  }
}

/** A rule of a schema that speaks of some user. */
interface Candidate {
  readonly rule: FlowRule;
  readonly policy: PolicyRulesWithSubjects;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** What tells the flows of a schema apart. */
export function distinguisherOf({ schema, level }: FlowRule, info: RequestInfo, user: User): string {
  const { queuing } = level;
  if (queuing.kind !== "queue" || queuing.queues < 2) return "";
  switch (schema.spec.distinguisherMethod?.type) {
    case "ByUser":
      return user.name;
    case "ByNamespace":
      return info.namespace;
    default:
      return "";
  }
}

const noHand: readonly number[] = [];

/** The queues of a flow. */
export function handOf({ name, level, hands }: FlowRule, distinguisher: string): readonly number[] {
  const { queuing, handSize } = level;
  if (queuing.kind !== "queue") return noHand;
  let hand = hands.get(distinguisher);
  if (hand === undefined) {
    if (hands.size >= handsMax) hands.clear();
    const hash = queuing.queues > 1 ? hashFlow(name, distinguisher) : 0n;
    hands.set(distinguisher, (hand = dealHand(hash, queuing.queues, handSize)));
  }
  return hand;
}
