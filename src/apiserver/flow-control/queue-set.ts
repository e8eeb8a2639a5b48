import type { Clock } from "#base/clock.ts";
import { type QueueDump, type QueueSetDump, type RequestDump, type Tally, type WorkEstimate } from "./request-work.ts";
import { SeatDemand } from "./seat-demand.ts";

/**
 * Fair queuing of requests that occupy seats, for one priority level.
 *
 * Virtual time R is the work (seats times milliseconds) that each busy queue has had so far, were
 * all of them served at once in equal parts. A queue's next request starts when the queue's earlier
 * ones would have ended in that world; whichever would finish first there is dispatched here.
 *
 * Invariants: 1. Executing and lingering requests hold at most `seatsMax` seats, but for one that
 * alone wants more, which then executes by itself. 2. Nobody waits while the request that is due
 * next fits. 3. Of the queues' oldest requests the one with the least virtual finish is dispatched
 * first; on a tie it is another queue's turn. 4. No request starts before it arrived, in virtual time
 * either: a queue gathers no credit while it is idle. 5. Each started ticket is ended exactly once,
 * by `finish` or `cancel`.
 * R is a double: centuries of work stay far below 2^53, so it is never wound back.
 * Source: apiserver/pkg/util/flowcontrol/fairqueuing/queueset.
 */
export class QueueSet {
  readonly demand: SeatDemand;
  readonly #clock: Clock;
  #queuing: Queuing = { kind: "reject" };
  #seatsMax = 0;
  #queues: Queue[] = [];
  /** Queues with somebody waiting. */
  readonly #crowded = new Set<Queue>();
  readonly #unqueued: Ticket[] = [];
  #busyQueues = 0;
  #r = 0;
  #syncedMs: number;
  #lastTurn = 0;
  #enqueued = 0;
  #waiting = 0;
  #waitingSeats = 0;
  #executing = 0;
  #seatsInUse = 0;
  /** Of requests that came by a queue. */
  #queueSeats = 0;
  #dispatched = 0;
  #rejected = 0;
  #cancelled = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#syncedMs = clock.monotonicMs();
    this.demand = new SeatDemand(this.#syncedMs);
  }

  get seatsMax(): number {
    return this.#seatsMax;
  }

  get isIdle(): boolean {
    return this.#waiting === 0 && this.#executing === 0;
  }

  /** Surplus queues drain before they go. */
  configure(queuing: Queuing, seatsMax: number): void {
    this.#advance();
    this.#queuing = queuing;
    this.#seatsMax = seatsMax;
    const wanted = queuing.kind === "queue" ? queuing.queues : 0;
    this.#queues = this.#queues.filter((queue, i) => i < wanted || !isIdleQueue(queue));
    while (this.#queues.length < wanted) this.#queues.push(new Queue());
    this.#dispatch();
  }

  /**
   * Lets a request in. Undefined: it is refused, and `refusal` says why. Else it executes at once or
   * waits, which `isWaiting` tells; who waits sets `onDispatch`.
   */
  start(spec: TicketSpec): Ticket | undefined {
    const nowMs = this.#advance();
    const ticket = new Ticket(spec, { nowMs, r: this.#r });
    if (this.#queuing.kind !== "queue") return this.#startUnqueued(ticket, nowMs);
    const queue = this.#choose(spec.hand);
    if (isIdleQueue(queue)) {
      queue.nextR = this.#r;
      this.#busyQueues++;
    }
    ticket.queue = queue;
    if (this.#waiting === 0 && this.#hasRoomFor(ticket)) {
      queue.nextR = Math.max(queue.nextR, this.#r);
      this.#execute(ticket, nowMs);
      return ticket;
    }
    if (this.#seatsInUse >= this.#seatsMax && queue.waiting.size >= this.#queuing.queueLengthMax) {
      if (isIdleQueue(queue)) this.#busyQueues--;
      return this.#refuse(ticket, "queue-full");
    }
    this.#enqueue(ticket, queue);
    this.#dispatch();
    return ticket;
  }

  /** The request is done; its seats are free now, or when its extra time is over. What time it is. */
  finish(ticket: Ticket): number {
    const nowMs = this.#advance();
    const { queue, tally, work } = ticket;
    ticket.isExecuting = false;
    this.#executing--;
    tally.executing--;
    if (queue === undefined) {
      takeOut(this.#unqueued, ticket);
    } else {
      takeOut(queue.executing, ticket);
      // The guess that was charged at dispatch gives way to what it took.
      queue.nextR -= work.initialSeats * (expectedMs - (nowMs - ticket.startedMs));
      this.#bound(queue);
      if (isIdleQueue(queue)) this.#busyQueues--;
    }
    if (ticket.extraMs <= 0) this.#release(ticket);
    else {
      this.#clock.after(ticket.extraMs, () => {
        this.#advance();
        this.#release(ticket);
        this.#dispatch();
      });
    }
    this.#dispatch();
    return nowMs;
  }

  /** Gives up waiting. False when it is too late: the request executes. */
  cancel(ticket: Ticket): boolean {
    const { queue } = ticket;
    if (queue === undefined || !queue.waiting.has(ticket)) return false;
    this.#advance();
    this.#leave(ticket, queue);
    this.#bound(queue);
    if (isIdleQueue(queue)) this.#busyQueues--;
    this.#rejected++;
    this.#cancelled++;
    ticket.tally.rejected["time-out"]++;
    this.#noteDemand();
    // It may have been the one that did not fit.
    this.#dispatch();
    return true;
  }

  dump(): QueueSetDump {
    return {
      queues: this.#queues.map(dumpQueue),
      unqueued: this.#unqueued.map(dumpTicket),
      waiting: this.#waiting,
      executing: this.#executing,
      seatsInUse: this.#seatsInUse,
      waitingSeats: this.#waitingSeats,
      dispatched: this.#dispatched,
      rejected: this.#rejected,
      cancelled: this.#cancelled,
      r: this.#r,
    };
  }

  /** Moves virtual time on to now, by what has been going on since the last change. */
  #advance(): number {
    const nowMs = this.#clock.monotonicMs();
    if (this.#busyQueues > 0) {
      const wanted = Math.min(this.#queueSeats + this.#waitingSeats, this.#seatsMax);
      this.#r += ((nowMs - this.#syncedMs) * wanted) / this.#busyQueues;
    }
    this.#syncedMs = nowMs;
    return nowMs;
  }

  #startUnqueued(ticket: Ticket, nowMs: number): Ticket | undefined {
    if (this.#queuing.kind === "reject" && !this.#hasRoomFor(ticket)) return this.#refuse(ticket, "concurrency-limit");
    this.#execute(ticket, nowMs);
    return ticket;
  }

  #refuse(ticket: Ticket, reason: keyof Tally["rejected"]): undefined {
    this.#rejected++;
    ticket.tally.rejected[reason]++;
    return undefined;
  }

  /** Of the hand the queue with the least work waiting; ties go round. */
  #choose(hand: readonly number[]): Queue {
    const offset = this.#enqueued++ % hand.length;
    let best: Queue | undefined;
    for (let i = 0; i < hand.length; i++) {
      const queue = this.#queues[hand[(offset + i) % hand.length] as number] as Queue;
      if (best === undefined || queue.waitingWork < best.waitingWork) best = queue;
    }
    return best as Queue;
  }

  #enqueue(ticket: Ticket, queue: Queue): void {
    queue.waiting.add(ticket);
    queue.waitingWork += ticket.totalWork;
    this.#crowded.add(queue);
    this.#bound(queue);
    this.#waiting++;
    this.#waitingSeats += ticket.maxSeats;
    ticket.tally.waiting++;
    ticket.tally.waitingSeats += ticket.maxSeats;
    ticket.isWaiting = true;
    ticket.lengthAfterEnqueue = queue.waiting.size;
    this.#noteDemand();
  }

  #leave(ticket: Ticket, queue: Queue): void {
    queue.waiting.delete(ticket);
    queue.waitingWork = queue.waiting.size === 0 ? 0 : queue.waitingWork - ticket.totalWork;
    if (queue.waiting.size === 0) this.#crowded.delete(queue);
    this.#waiting--;
    this.#waitingSeats -= ticket.maxSeats;
    ticket.tally.waiting--;
    ticket.tally.waitingSeats -= ticket.maxSeats;
    ticket.isWaiting = false;
  }

  #dispatch(): void {
    while (this.#waiting > 0 && this.#seatsInUse < this.#seatsMax) {
      const queue = this.#next();
      const ticket = oldest(queue) as Ticket;
      if (!this.#hasRoomFor(ticket)) return;
      this.#lastTurn = this.#queues.indexOf(queue);
      this.#leave(ticket, queue);
      this.#execute(ticket, this.#syncedMs);
      this.#bound(queue);
      ticket.onDispatch?.();
    }
  }

  /** The queue whose oldest request has the least virtual finish, from behind the last turn on. */
  #next(): Queue {
    if (this.#crowded.size === 1) return this.#crowded.values().next().value as Queue;
    let best: Queue | undefined;
    let bestFinish = Infinity;
    for (let i = 1; i <= this.#queues.length; i++) {
      const queue = this.#queues[(this.#lastTurn + i) % this.#queues.length] as Queue;
      const ticket = oldest(queue);
      if (ticket === undefined) continue;
      const finish = queue.nextR + ticket.totalWork;
      if (finish >= bestFinish) continue;
      best = queue;
      bestFinish = finish;
    }
    return best as Queue;
  }

  #hasRoomFor({ maxSeats }: Ticket): boolean {
    if (maxSeats > this.#seatsMax) return this.#executing === 0 && this.#seatsMax > 0;
    return this.#seatsInUse + maxSeats <= this.#seatsMax;
  }

  #execute(ticket: Ticket, nowMs: number): void {
    const { queue, tally, maxSeats } = ticket;
    ticket.startedMs = nowMs;
    ticket.isExecuting = true;
    this.#executing++;
    this.#dispatched++;
    tally.dispatched++;
    tally.executing++;
    tally.executingSeats += maxSeats;
    this.#seatsInUse += maxSeats;
    if (queue === undefined) putIn(this.#unqueued, ticket);
    else {
      putIn(queue.executing, ticket);
      queue.seatsInUse += maxSeats;
      this.#queueSeats += maxSeats;
      queue.nextR += ticket.totalWork;
      ticket.narrow(this.#seatsMax);
    }
    this.#noteDemand();
  }

  #release({ queue, maxSeats, tally }: Ticket): void {
    this.#seatsInUse -= maxSeats;
    tally.executingSeats -= maxSeats;
    if (queue !== undefined) {
      queue.seatsInUse -= maxSeats;
      this.#queueSeats -= maxSeats;
      const wanted = this.#queuing.kind === "queue" ? this.#queuing.queues : 0;
      if (this.#queues.length > wanted && isIdleQueue(queue)) {
        this.#queues = this.#queues.filter((other, i) => i < wanted || !isIdleQueue(other));
      }
    }
    this.#noteDemand();
  }

  /** Invariant 4. */
  #bound(queue: Queue): void {
    const first = oldest(queue);
    if (first !== undefined && queue.nextR < first.arrivalR) queue.nextR = first.arrivalR;
  }

  #noteDemand(): void {
    this.demand.set(this.#seatsInUse + this.#waitingSeats, this.#syncedMs);
  }
}

/** What happens to requests for which there is no seat. */
export type Queuing =
  /** They get one all the same. */
  | { readonly kind: "exempt" }
  | { readonly kind: "reject" }
  | { readonly kind: "queue"; readonly queues: number; readonly queueLengthMax: number };

/** How long a request is taken to execute before it has. Source: queueset estimatedServiceDuration. */
const expectedMs = 3;

export interface TicketSpec {
  readonly work: WorkEstimate;
  /** Queues that it may wait in; empty where there are none. */
  readonly hand: readonly number[];
  readonly tally: Tally;
  readonly distinguisher: string;
  readonly details: RequestDump["details"];
}

/** A request's place: waiting, executing, lingering on its seats, or over. */
export class Ticket {
  readonly work: WorkEstimate;
  readonly tally: Tally;
  readonly distinguisher: string;
  readonly details: RequestDump["details"];
  /** Of both phases: held from start to end. */
  readonly maxSeats: number;
  readonly totalWork: number;
  readonly arrivalR: number;
  readonly arrivedMs: number;
  /** How long the seats stay taken after the end. */
  extraMs: number;
  startedMs = 0;
  queue: Queue | undefined;
  isWaiting = false;
  isExecuting = false;
  lengthAfterEnqueue = 0;
  /** Its place among those that execute. */
  at = 0;
  /** Called when a waiting request may execute. */
  onDispatch: (() => void) | undefined;

  constructor({ work, tally, distinguisher, details }: TicketSpec, now: { readonly nowMs: number; readonly r: number }) {
    this.work = work;
    this.tally = tally;
    this.distinguisher = distinguisher;
    this.details = details;
    this.maxSeats = Math.max(work.initialSeats, work.finalSeats);
    this.totalWork = work.initialSeats * expectedMs + work.finalSeats * work.extraMs;
    this.extraMs = work.extraMs;
    this.arrivalR = now.r;
    this.arrivedMs = now.nowMs;
  }

  /** The same extra work on fewer seats takes longer. */
  narrow(seatsMax: number): void {
    const { finalSeats, extraMs } = this.work;
    if (finalSeats > seatsMax && seatsMax > 0) this.extraMs = (finalSeats * extraMs) / seatsMax;
  }
}

class Queue {
  readonly waiting = new Set<Ticket>();
  readonly executing: Ticket[] = [];
  waitingWork = 0;
  seatsInUse = 0;
  /** Virtual time at which the next request starts. */
  nextR = 0;
}

function isIdleQueue({ waiting, executing }: Queue): boolean {
  return waiting.size === 0 && executing.length === 0;
}

function putIn(tickets: Ticket[], ticket: Ticket): void {
  ticket.at = tickets.length;
  tickets.push(ticket);
}

/** The last one takes its place: their order tells nothing. */
function takeOut(tickets: Ticket[], ticket: Ticket): void {
  const last = tickets.pop();
  if (last === undefined || last === ticket) return;
  tickets[ticket.at] = last;
  last.at = ticket.at;
}

function oldest({ waiting }: Queue): Ticket | undefined {
  return waiting.size === 0 ? undefined : (waiting.values().next().value as Ticket);
}

function dumpQueue({ waiting, executing, seatsInUse, nextR, waitingWork }: Queue): QueueDump {
  const all = [...waiting];
  return {
    waiting: all.map(dumpTicket),
    executing: executing.map(dumpTicket),
    seatsInUse,
    nextR,
    initialSeatsSum: all.reduce((sum, { work }) => sum + work.initialSeats, 0),
    maxSeatsSum: all.reduce((sum, { maxSeats }) => sum + maxSeats, 0),
    totalWork: waitingWork,
  };
}

function dumpTicket({ tally, distinguisher, arrivedMs, startedMs, isExecuting, work, extraMs, details }: Ticket): RequestDump {
  return {
    schemaName: tally.schemaName,
    distinguisher,
    arrivedMs,
    ...(isExecuting && { startedMs }),
    work: { ...work, extraMs },
    details,
  };
}
