import type { Clock } from "#base/clock.ts";
import type { FilteredRequest, RequestFilter } from "../http/frontend.ts";
import { isLongRunning } from "../http/query-options.ts";
import { requestLimitMs } from "../http/request-deadline.ts";
import { sendText } from "../http/send.ts";
import { distinguisherOf, type FlowConfiguration, type FlowRule, handOf } from "./flow-configuration.ts";
import type { FlowMeters } from "./flow-control-meters.ts";
import type { Ticket } from "./queue-set.ts";
import type { WorkEstimate } from "./request-work.ts";
import type { WatchTracker } from "./watch-tracker.ts";

/** Longest wait in a queue. Source: filters/priority-and-fairness.go getRequestWaitContext. */
const queueWaitMsMax = 60_000;

export interface PriorityAndFairnessOptions {
  readonly clock: Clock;
  readonly configuration: FlowConfiguration;
  readonly watches: WatchTracker;
  /** Longest time for an answer; a quarter of it may pass in a queue. */
  readonly requestMs: number;
  readonly meters: (rule: FlowRule) => FlowMeters;
  estimate(request: FilteredRequest, seatsMax: number): WorkEstimate;
  /** Called at every request that may be refused. */
  onDemand(): void;
}

/**
 * Lets requests in by priority level and in fair turns, or refuses them with 429. What streams is
 * not counted; a watch is, until its initial events are out.
 * Source: apiserver/pkg/server/filters/priority-and-fairness.go.
 */
export function priorityAndFairness(options: PriorityAndFairnessOptions): RequestFilter {
  const { configuration } = options;
  return (request, next) => {
    const { info, user, exchange } = request;
    const isWatch = info.verb === "watch" && info.isResource;
    if (!isWatch && isLongRunning(info)) return next();
    const rule = configuration.classify(info, user);
    const { level } = rule;
    exchange.setHeader("x-kubernetes-pf-flowschema-uid", rule.uid);
    exchange.setHeader("x-kubernetes-pf-prioritylevel-uid", level.uid);
    const meters = options.meters(rule);
    const work = options.estimate(request, level.requestSeatsMax);
    meters.estimatedSeats.observe(Math.max(work.initialSeats, work.finalSeats));
    if (!level.isExempt) options.onDemand();
    const distinguisher = distinguisherOf(rule, info, user);
    const hand = handOf(rule, distinguisher);
    const ticket = level.queues.start({ work, hand, tally: rule.tally, distinguisher, details: request });
    if (ticket === undefined) return refuse(options, { request, rule, meters, waitedMs: 0 });
    const admitted = { request, rule, meters, ticket, isWatch };
    if (ticket.isWaiting) return executeInTurn(options, admitted, next);
    // Nobody waits: nothing but the request itself costs a promise.
    if (!level.isExempt) meters.waitedExecuted.observe(0);
    return execute(options, admitted, next);
  };
}

interface Admitted {
  readonly request: FilteredRequest;
  readonly rule: FlowRule;
  readonly meters: FlowMeters;
  readonly ticket: Ticket;
  readonly isWatch: boolean;
}

function execute(options: PriorityAndFairnessOptions, admitted: Admitted, next: () => Promise<void>): Promise<void> {
  return admitted.isWatch ? executeWatch(options, admitted, next) : executeWhole(options, admitted, next);
}

async function executeWhole(options: PriorityAndFairnessOptions, admitted: Admitted, next: () => Promise<void>): Promise<void> {
  try {
    await next();
  } finally {
    finish(options, admitted);
  }
}

/** A watch holds its seats until it has begun. */
async function executeWatch(options: PriorityAndFairnessOptions, admitted: Admitted, next: () => Promise<void>): Promise<void> {
  const { request, ticket } = admitted;
  const finishOnce = (): void => {
    if (ticket.isExecuting) finish(options, admitted);
  };
  const forget = options.watches.register(request.info, request.query);
  request.whenInitialized(finishOnce);
  try {
    await next();
  } finally {
    finishOnce();
    forget();
  }
}

function finish({ configuration }: PriorityAndFairnessOptions, { rule: { level }, meters, ticket, isWatch }: Admitted): void {
  const nowMs = level.queues.finish(ticket);
  (isWatch ? meters.executedWatch : meters.executedRegular).observe((nowMs - ticket.startedMs) / 1000);
  if (level.isQuiescing) configuration.reap(level);
}

async function executeInTurn(options: PriorityAndFairnessOptions, admitted: Admitted, next: () => Promise<void>): Promise<void> {
  const { ticket, meters, rule } = admitted;
  const isTurn = await waited(admitted, options);
  const waitedMs = options.clock.monotonicMs() - ticket.arrivedMs;
  if (!isTurn) return refuse(options, { ...admitted, waitedMs });
  if (!rule.level.isExempt) meters.waitedExecuted.observe(waitedMs / 1000);
  await execute(options, admitted, next);
}

/** True when the request's turn came before its time was up or its client went away. */
function waited({ ticket, request, meters, rule }: Admitted, { clock, requestMs }: PriorityAndFairnessOptions): Promise<boolean> {
  const { exchange, info, query } = request;
  const { queues } = rule.level;
  meters.queueLength.observe(ticket.lengthAfterEnqueue);
  const limitMs = isLongRunning(info) ? requestMs : requestLimitMs(query, requestMs);
  const turn = Promise.withResolvers<boolean>();
  const giveUp = (): void => {
    if (queues.cancel(ticket)) end(false);
  };
  const timer = clock.after(Math.min(limitMs / 4, queueWaitMsMax), giveUp);
  const end = (executes: boolean): void => {
    timer[Symbol.dispose]();
    exchange.signal.removeEventListener("abort", giveUp);
    turn.resolve(executes);
  };
  ticket.onDispatch = () => end(true);
  if (exchange.signal.aborted) giveUp();
  else exchange.signal.addEventListener("abort", giveUp, { once: true });
  return turn.promise;
}

interface Refused {
  readonly request: FilteredRequest;
  readonly rule: FlowRule;
  readonly meters: FlowMeters;
  readonly waitedMs: number;
}

async function refuse({ configuration }: PriorityAndFairnessOptions, { request, rule, meters, waitedMs }: Refused): Promise<void> {
  const { exchange } = request;
  const { level } = rule;
  if (!level.isExempt) meters.waitedRefused.observe(waitedMs / 1000);
  level.dropped.record();
  exchange.setHeader("retry-after", String(level.dropped.retryAfterSeconds));
  sendText(exchange, 429, "Too many requests, please try again later.\n");
  configuration.reap(level);
}
