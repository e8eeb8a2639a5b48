import type {
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from "#api/flowcontrol/v1/priority-level-configuration.ts";
import type { Clock } from "#base/clock.ts";
import { DroppedRequests } from "./dropped-requests.ts";
import { type Queuing, QueueSet } from "./queue-set.ts";
import { newTally, type Tally } from "./request-work.ts";
import type { DemandPeriod } from "./seat-demand.ts";

/** How much of the smoothed demand stays from one period to the next. Source: apf_controller.go. */
const smoothing = 0.977;
/** Share of a level that one request may take. Source: apf_controller.go priorityLevelMaxSeatsPercent. */
const seatsShareOfRequest = 0.15;

/** The seats of a level: what it is given, and how far others' may move that. */
export interface SeatLimits {
  readonly nominal: number;
  readonly lower: number;
  readonly upper: number;
}

/** A priority level at work: its configuration, its queues and what they have seen. */
export class PriorityLevel {
  readonly name: string;
  readonly queues: QueueSet;
  readonly dropped: DroppedRequests;
  readonly tallies = new Map<string, Tally>();
  uid = "";
  spec: PriorityLevelConfigurationSpec;
  queuing: Queuing = { kind: "reject" };
  handSize = 0;
  limits: SeatLimits = { nominal: 0, lower: 0, upper: 0 };
  /** Its configuration is gone; it goes when its requests are done. */
  isQuiescing = false;
  demand: DemandPeriod = { averageSeats: 0, deviationSeats: 0, maxSeats: 0 };
  smoothedSeats = 0;

  constructor(clock: Clock, name: string, spec: PriorityLevelConfigurationSpec) {
    this.name = name;
    this.spec = spec;
    this.queues = new QueueSet(clock);
    this.dropped = new DroppedRequests(clock);
    this.configure("", spec);
  }

  configure(uid: string, spec: PriorityLevelConfigurationSpec): void {
    this.uid = uid;
    this.spec = spec;
    this.isQuiescing = false;
    const queuing = queuingOf(spec);
    this.handSize = queuing?.handSize ?? 0;
    if (spec.type === "Exempt") this.queuing = { kind: "exempt" };
    else if (queuing === undefined) this.queuing = { kind: "reject" };
    else this.queuing = { kind: "queue", queues: queuing.queues, queueLengthMax: queuing.queueLengthLimit };
  }

  get isExempt(): boolean {
    return this.spec.type === "Exempt";
  }

  get shares(): number {
    return (this.isExempt ? this.spec.exempt : this.spec.limited)?.nominalConcurrencyShares ?? 0;
  }

  /** Of one request; 0 for no limit of the level's own. */
  get requestSeatsMax(): number {
    if (this.handSize === 0) return 0;
    const { nominal } = this.limits;
    return Math.max(1, Math.min(Math.ceil(nominal * seatsShareOfRequest), Math.trunc(nominal / this.handSize)));
  }

  tallyOf(schemaName: string): Tally {
    let tally = this.tallies.get(schemaName);
    if (tally === undefined) this.tallies.set(schemaName, (tally = newTally(schemaName)));
    return tally;
  }

  /** Drops what is known of schemas that are gone, once their requests are. */
  forgetUnused(schemaNames: ReadonlySet<string>): void {
    for (const [name, { waiting, executingSeats }] of this.tallies) {
      if (!schemaNames.has(name) && waiting + executingSeats === 0) this.tallies.delete(name);
    }
  }

  /** The part of the server that its shares amount to. */
  apportion(seatsTotal: number, sharesTotal: number): void {
    const nominal = sharesTotal > 0 ? Math.ceil((seatsTotal * this.shares) / sharesTotal) : 0;
    const { lendablePercent } = (this.isExempt ? this.spec.exempt : this.spec.limited) ?? {};
    const borrowingPercent = this.spec.limited?.borrowingLimitPercent;
    const lendable = Math.round((nominal * (lendablePercent ?? 0)) / 100);
    const borrowing = borrowingPercent == null ? seatsTotal : Math.round((nominal * borrowingPercent) / 100);
    this.limits = { nominal, lower: nominal - lendable, upper: nominal + borrowing };
  }

  /** Ends a period: what it wanted decides what it gets in the next. */
  takeDemand(nowMs: number): void {
    this.demand = this.queues.demand.take(nowMs);
    const envelope = this.demand.averageSeats + this.demand.deviationSeats;
    this.smoothedSeats = Math.max(envelope, smoothing * this.smoothedSeats + (1 - smoothing) * envelope);
  }
}

function queuingOf({ limited }: PriorityLevelConfigurationSpec): QueuingConfiguration | undefined {
  return limited?.limitResponse?.type === "Queue" ? (limited.limitResponse.queuing ?? undefined) : undefined;
}

/** Whether type and members fit together. Source: apf_controller.go queueSetCompleterForPL. */
export function isSoundLevel({ metadata, spec }: PriorityLevelConfiguration): boolean {
  if ((spec.type === "Limited") !== (spec.limited != null)) return false;
  if ((spec.type === "Exempt") !== (spec.exempt != null)) return false;
  if ((spec.type === "Exempt") !== (metadata.name === "exempt")) return false;
  if (spec.limited == null) return true;
  const { type, queuing } = spec.limited.limitResponse ?? {};
  return (type === "Reject") === (queuing == null);
}
