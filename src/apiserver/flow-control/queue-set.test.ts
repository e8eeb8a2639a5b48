import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock, type VirtualClock } from "#base/virtual/clock.ts";
import { parseRequestInfo } from "../http/request-info.ts";
import { type Queuing, QueueSet, type Ticket } from "./queue-set.ts";
import { newTally, type WorkEstimate } from "./request-work.ts";

const details = {
  user: { name: "u", uid: "", groups: [], extra: {} },
  info: parseRequestInfo("GET", "/version", new URLSearchParams()),
};

function work(initialSeats = 1, finalSeats = 0, extraMs = 0): WorkEstimate {
  return { initialSeats, finalSeats, extraMs };
}

interface Bench {
  readonly clock: VirtualClock;
  readonly set: QueueSet;
  readonly tally: ReturnType<typeof newTally>;
  start(estimate: WorkEstimate, queueAt?: number): Ticket | undefined;
}

function bench(queuing: Queuing, seatsMax: number): Bench {
  const clock = createVirtualClock();
  const set = new QueueSet(clock);
  set.configure(queuing, seatsMax);
  const tally = newTally("schema");
  const start = (estimate: WorkEstimate, queueAt = 0): Ticket | undefined =>
    set.start({ work: estimate, hand: [queueAt], tally, distinguisher: String(queueAt), details });
  return { clock, set, tally, start };
}

const queues: Queuing = { kind: "queue", queues: 4, queueLengthMax: 50 };

test("a level that rejects has its seats and no queue", () => {
  const { set, tally, start } = bench({ kind: "reject" }, 2);
  const first = start(work()) as Ticket;
  assert.ok(start(work()));
  assert.equal(start(work()), undefined);
  set.finish(first);
  assert.ok(start(work())?.isExecuting);
  assert.deepEqual([tally.dispatched, tally.rejected["concurrency-limit"]], [3, 1]);
});

test("an exempt level lets all in and says what they take", () => {
  const { set, start } = bench({ kind: "exempt" }, 0);
  const tickets = [1, 2, 3].map((seats) => start(work(seats)) as Ticket);
  assert.equal(set.dump().seatsInUse, 6);
  for (const ticket of tickets) set.finish(ticket);
  assert.ok(set.isIdle);
});

test("a full queue refuses, a queue with room keeps", () => {
  const { start, tally } = bench({ kind: "queue", queues: 2, queueLengthMax: 1 }, 1);
  start(work(), 0);
  assert.ok(start(work(), 0)?.isWaiting);
  assert.equal(start(work(), 0), undefined);
  assert.ok(start(work(), 1)?.isWaiting);
  assert.equal(tally.rejected["queue-full"], 1);
});

test("a wide request waits until it is alone, then executes beyond the limit", () => {
  const { set, start } = bench(queues, 3);
  const narrow = start(work(1)) as Ticket;
  const wide = start(work(5), 1) as Ticket;
  assert.ok(wide.isWaiting);
  const behind = start(work(1), 1) as Ticket;
  set.finish(narrow);
  assert.deepEqual([wide.isExecuting, behind.isExecuting, set.dump().seatsInUse], [true, false, 5]);
  set.finish(wide);
  assert.ok(behind.isExecuting);
});

test("seats linger for the extra time, and the next one waits for it", async () => {
  const { clock, set, start } = bench(queues, 2);
  const first = start(work(1, 2, 10)) as Ticket;
  const second = start(work(1), 1) as Ticket;
  set.finish(first);
  assert.ok(second.isWaiting);
  await clock.advance(10);
  assert.ok(second.isExecuting);
  assert.equal(set.dump().seatsInUse, 1);
});

test("who gives up leaves the queue; who executes cannot", () => {
  const { set, start, tally } = bench(queues, 1);
  const first = start(work()) as Ticket;
  const second = start(work()) as Ticket;
  assert.ok(set.cancel(second));
  assert.equal(set.cancel(second), false);
  assert.equal(set.cancel(first), false);
  assert.deepEqual([set.dump().waiting, tally.rejected["time-out"]], [0, 1]);
});

test("a quiet flow does not wait for what a noisy one queued before", () => {
  const { set, start } = bench({ kind: "queue", queues: 2, queueLengthMax: 200 }, 1);
  let executing = start(work(), 0) as Ticket;
  const noisy = Array.from({ length: 100 }, () => start(work(), 0) as Ticket);
  const quiet = start(work(), 1) as Ticket;
  let turns = 0;
  while (!quiet.isExecuting) {
    set.finish(executing);
    executing = [quiet, ...noisy].find((ticket) => ticket.isExecuting) as Ticket;
    turns++;
  }
  assert.ok(turns <= 2, `${turns} turns`);
});

test("fewer queues drain before they go", () => {
  const { set, start } = bench(queues, 1);
  const first = start(work(), 3) as Ticket;
  const second = start(work(), 3) as Ticket;
  set.configure({ kind: "queue", queues: 2, queueLengthMax: 50 }, 1);
  assert.equal(set.dump().queues.length, 3);
  set.finish(first);
  assert.ok(second.isExecuting);
  set.finish(second);
  assert.equal(set.dump().queues.length, 2);
});

interface Step {
  readonly queueAt: number;
  readonly seats: number;
  readonly finalSeats: number;
  readonly extraMs: number;
  readonly afterMs: number;
  readonly lastsMs: number;
  readonly patienceMs: number;
}

const steps = fc.array(
  fc.record<Step>({
    queueAt: fc.nat({ max: 3 }),
    seats: fc.integer({ min: 1, max: 6 }),
    finalSeats: fc.integer({ min: 0, max: 6 }),
    extraMs: fc.nat({ max: 20 }),
    afterMs: fc.nat({ max: 10 }),
    lastsMs: fc.nat({ max: 40 }),
    patienceMs: fc.integer({ min: 1, max: 2000 }),
  }),
  { minLength: 1, maxLength: 60 },
);

test("seats are never exceeded, the least virtual finish goes first, and everybody is served or gives up", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 8 }), async (plan, seatsMax) => {
      const { clock, set, start } = bench(queues, seatsMax);
      let left = 0;
      const checkSeats = (): void => {
        const { seatsInUse, executing, waiting, queues: all } = set.dump();
        assert.ok(seatsInUse <= seatsMax || executing <= 1, `${seatsInUse} of ${seatsMax} seats, ${executing} executing`);
        if (waiting === 0) return;
        // Nobody waits while what is due next fits (invariant 2).
        const due = all.filter((queue) => queue.waiting.length > 0).map(({ nextR, waiting: line }) => finishOf(nextR, line[0]?.work as WorkEstimate));
        const next = due.toSorted((a, b) => a.finish - b.finish)[0];
        const wanted = next?.seats ?? 0;
        const sameFinish = due.filter(({ finish }) => finish === next?.finish);
        if (sameFinish.length === 1 && wanted <= seatsMax) assert.ok(seatsInUse + wanted > seatsMax, "the next one fits");
      };
      for (const { queueAt, seats, finalSeats, extraMs, afterMs, lastsMs, patienceMs } of plan) {
        await clock.advance(afterMs);
        const ticket = start(work(seats, finalSeats, extraMs), queueAt);
        checkSeats();
        if (ticket === undefined) continue;
        left++;
        const execute = (): void => {
          clock.after(lastsMs, () => {
            set.finish(ticket);
            left--;
            checkSeats();
          });
        };
        if (ticket.isWaiting) {
          ticket.onDispatch = execute;
          clock.after(patienceMs, () => {
            if (set.cancel(ticket)) left--;
            checkSeats();
          });
        } else execute();
      }
      await clock.advance(100_000);
      const { waiting, executing, seatsInUse, waitingSeats } = set.dump();
      assert.deepEqual({ left, waiting, executing, seatsInUse, waitingSeats }, { left: 0, waiting: 0, executing: 0, seatsInUse: 0, waitingSeats: 0 });
    }),
    { numRuns: 150 },
  );
});

function finishOf(nextR: number, { initialSeats, finalSeats, extraMs }: WorkEstimate): { finish: number; seats: number } {
  return { finish: nextR + initialSeats * 3 + finalSeats * extraMs, seats: Math.max(initialSeats, finalSeats) };
}

test("of several queues the one whose oldest request would finish first is served", () => {
  const request = fc.record({ queueAt: fc.nat({ max: 3 }), seats: fc.integer({ min: 1, max: 5 }) });
  fc.assert(
    fc.property(fc.array(request, { minLength: 2, maxLength: 40 }), (plan) => {
      const { set, start } = bench(queues, 5);
      const blockers = [0, 1, 2, 3].map((queueAt) => start(work(queueAt === 0 ? 2 : 1), queueAt) as Ticket);
      const dispatched: Ticket[] = [];
      for (const { queueAt, seats } of plan) {
        const ticket = start(work(seats), queueAt) as Ticket;
        ticket.onDispatch = () => dispatched.push(ticket);
      }
      const executing = [...blockers];
      for (let ended = executing.shift(); ended !== undefined; ended = executing.shift()) {
        // A queue gets back what was charged for a request that took no time.
        const own = Number(ended.distinguisher);
        const refundMs = ended.work.initialSeats * 3;
        const finishes = set.dump().queues.map(({ nextR, waiting: [head] }, i) =>
          head === undefined ? Infinity : Math.max(0, nextR - (i === own ? refundMs : 0)) + head.work.initialSeats * 3,
        );
        const before = dispatched.length;
        set.finish(ended);
        const first = dispatched[before];
        if (first !== undefined) assert.equal(finishes[Number(first.distinguisher)], Math.min(...finishes));
        executing.push(...dispatched.slice(before));
      }
      assert.equal(dispatched.length, plan.length);
    }),
    { numRuns: 200 },
  );
});
