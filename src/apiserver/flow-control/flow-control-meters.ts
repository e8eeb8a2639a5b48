import type { Counter, Gauge, Histogram, MetricFamily, MetricRegistry } from "#base/metrics.ts";
import type { FlowConfiguration } from "./flow-configuration.ts";
import type { PriorityLevel } from "./priority-level.ts";
import type { Tally } from "./request-work.ts";

/** Source: flowcontrol/metrics/metrics.go requestDurationSecondsBuckets and the others there. */
const secondsBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const lengthBuckets = [0, 10, 25, 50, 100, 250, 500, 1000];
const seatsBuckets = [1, 2, 4, 8, 16, 32, 64, 100];
const watchersBuckets = [0, 1, 10, 100, 1000, 10_000];

const flowLabels = ["priority_level", "flow_schema"];

/** What is observed at each request of one flow schema. */
export interface FlowMeters {
  readonly waitedExecuted: Histogram;
  readonly waitedRefused: Histogram;
  readonly executedRegular: Histogram;
  readonly executedWatch: Histogram;
  readonly estimatedSeats: Histogram;
  readonly queueLength: Histogram;
  readonly watchers: Histogram;
}

/** Makes the meters of a flow schema at a level. Source: flowcontrol/metrics/metrics.go. */
export function flowMeters(registry: MetricRegistry): (levelName: string, schemaName: string) => FlowMeters {
  const histogram = (name: string, help: string, buckets: readonly number[], further: readonly string[] = []) =>
    registry.histogram({
      name: `apiserver_flowcontrol_${name}`,
      help,
      buckets,
      labels: [...flowLabels, ...further],
      stability: name === "request_wait_duration_seconds" ? "BETA" : "ALPHA",
    });
  const waited = histogram("request_wait_duration_seconds", "Length of time a request spent waiting in its queue", secondsBuckets, ["execute"]);
  const executed = histogram("request_execution_seconds", "Duration of request execution; of a watch, its initial stage.", secondsBuckets, ["type"]);
  const estimated = histogram("work_estimated_seats", "Seats that requests are taken to need.", seatsBuckets);
  const lengths = histogram("request_queue_length_after_enqueue", "Length of a queue as the request sees it that joined it.", lengthBuckets);
  const watchers = histogram("watch_count_samples", "Watchers that a mutating request may wake.", watchersBuckets);
  return (level, schema) => ({
    waitedExecuted: waited.with(level, schema, "true"),
    waitedRefused: waited.with(level, schema, "false"),
    executedRegular: executed.with(level, schema, "regular"),
    executedWatch: executed.with(level, schema, "watch"),
    estimatedSeats: estimated.with(level, schema),
    queueLength: lengths.with(level, schema),
    watchers: watchers.with(level, schema),
  });
}

interface Reading<Of> {
  readonly name: string;
  readonly help: string;
  readonly stability: "ALPHA" | "BETA";
  read(of: Of): number;
}

const flowGauges: readonly Reading<Tally>[] = [
  { name: "current_inqueue_requests", help: "Requests that wait in queues.", stability: "BETA", read: ({ waiting }) => waiting },
  { name: "current_inqueue_seats", help: "Seats that requests in queues wait for.", stability: "ALPHA", read: ({ waitingSeats }) => waitingSeats },
  { name: "current_executing_requests", help: "Requests that execute; watches while they begin.", stability: "BETA", read: ({ executing }) => executing },
  { name: "current_executing_seats", help: "Seats that executing requests occupy.", stability: "BETA", read: ({ executingSeats }) => executingSeats },
];

const levelGauges: readonly Reading<PriorityLevel>[] = [
  { name: "nominal_limit_seats", help: "Seats that each priority level has by its configuration.", stability: "BETA", read: ({ limits }) => limits.nominal },
  { name: "lower_limit_seats", help: "Seats that are never lent.", stability: "ALPHA", read: ({ limits }) => limits.lower },
  { name: "upper_limit_seats", help: "Most seats with borrowed ones.", stability: "ALPHA", read: ({ limits }) => limits.upper },
  { name: "current_limit_seats", help: "Seats that each priority level has now.", stability: "ALPHA", read: ({ queues }) => queues.seatsMax },
  { name: "demand_seats_high_watermark", help: "Most seats wanted in the last period.", stability: "ALPHA", read: ({ demand }) => demand.maxSeats },
  { name: "demand_seats_average", help: "Seats wanted in the last period, on average over time.", stability: "ALPHA", read: ({ demand }) => demand.averageSeats },
  { name: "demand_seats_stdev", help: "Standard deviation of the seats wanted in the last period.", stability: "ALPHA", read: ({ demand }) => demand.deviationSeats },
  { name: "demand_seats_smoothed", help: "Seats wanted, smoothed over periods.", stability: "ALPHA", read: ({ smoothedSeats }) => smoothedSeats },
];

/** Sets, before each print, what is cheaper to read than to keep. */
export function collectFlowControl(registry: MetricRegistry, configuration: FlowConfiguration): Disposable {
  const gauge = ({ name, help, stability }: Omit<Reading<never>, "read">, labels: readonly string[]): MetricFamily<Gauge> =>
    registry.gauge({ name: `apiserver_flowcontrol_${name}`, help, stability, labels });
  const ofFlows = flowGauges.map((reading) => ({ reading, family: gauge(reading, flowLabels) }));
  const ofLevels = levelGauges.map((reading) => ({ reading, family: gauge(reading, ["priority_level"]) }));
  const counter = (name: string, help: string, labels: readonly string[]): MetricFamily<Counter> =>
    registry.counter({ name: `apiserver_flowcontrol_${name}`, help, stability: "BETA", labels });
  const dispatched = counter("dispatched_requests_total", "Requests that were let through.", flowLabels);
  const rejected = counter("rejected_requests_total", "Requests that were refused.", [...flowLabels, "reason"]);
  const fair = gauge({ name: "seat_fair_frac", help: "Part of its target that a level got that met no bound.", stability: "ALPHA" }, []);
  return registry.onCollect(() => {
    for (const { family } of [...ofFlows, ...ofLevels]) family.clear();
    fair.with().set(configuration.fairFraction);
    for (const level of configuration.levels) {
      for (const { reading, family } of ofLevels) family.with(level.name).set(reading.read(level));
      for (const tally of level.tallies.values()) {
        if (tally.dispatched + tally.waiting + refusals(tally) === 0) continue;
        const labels = [level.name, tally.schemaName];
        for (const { reading, family } of ofFlows) family.with(...labels).set(reading.read(tally));
        raise(dispatched.with(...labels), tally.dispatched);
        for (const [reason, count] of Object.entries(tally.rejected)) {
          if (count > 0) raise(rejected.with(...labels, reason), count);
        }
      }
    }
  });
}

function refusals({ rejected }: Tally): number {
  return rejected["concurrency-limit"] + rejected["queue-full"] + rejected["time-out"];
}

function raise(counter: Counter, to: number): void {
  counter.inc(to - counter.value);
}
