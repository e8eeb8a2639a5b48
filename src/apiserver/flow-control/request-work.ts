import type { User } from "../call.ts";
import type { RequestInfo } from "../http/request-info.ts";

/** How much of the server a request takes. Source: flowcontrol/request/width.go. */
export interface WorkEstimate {
  /** While it executes. */
  readonly initialSeats: number;
  /** After it has been answered, for `extraMs`: its events go out to watchers. */
  readonly finalSeats: number;
  readonly extraMs: number;
}

/** What happened to the requests of one FlowSchema at one priority level. */
export interface Tally {
  readonly schemaName: string;
  waiting: number;
  waitingSeats: number;
  executing: number;
  /** With those that linger. */
  executingSeats: number;
  dispatched: number;
  readonly rejected: { "concurrency-limit": number; "queue-full": number; "time-out": number };
}

export function newTally(schemaName: string): Tally {
  return {
    schemaName,
    waiting: 0,
    waitingSeats: 0,
    executing: 0,
    executingSeats: 0,
    dispatched: 0,
    rejected: { "concurrency-limit": 0, "queue-full": 0, "time-out": 0 },
  };
}

/** A queue set at one moment; times are monotonic. */
export interface QueueSetDump {
  readonly queues: readonly QueueDump[];
  /** Executing without having come by a queue. */
  readonly unqueued: readonly RequestDump[];
  readonly waiting: number;
  readonly executing: number;
  readonly seatsInUse: number;
  readonly waitingSeats: number;
  readonly dispatched: number;
  readonly rejected: number;
  readonly cancelled: number;
  readonly r: number;
}

export interface QueueDump {
  readonly waiting: readonly RequestDump[];
  readonly executing: readonly RequestDump[];
  readonly seatsInUse: number;
  readonly nextR: number;
  readonly initialSeatsSum: number;
  readonly maxSeatsSum: number;
  readonly totalWork: number;
}

export interface RequestDump {
  readonly schemaName: string;
  readonly distinguisher: string;
  readonly arrivedMs: number;
  /** Absent while it waits. */
  readonly startedMs?: number;
  readonly work: WorkEstimate;
  readonly details: { readonly user: User; readonly info: RequestInfo };
}
