import type { Counter, Histogram, MetricFamily, MetricRegistry } from "#base/metrics.ts";
import type { FlowConfiguration } from "./flow-configuration.ts";
import type { PriorityLevel } from "./priority-level.ts";
import type { Tally } from "./request-work.ts";

/** Source: flowcontrol/metrics/metrics.go requestDurationSecondsBuckets and the others there. */
const secondsBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const lengthBuckets = [0, 10, 25, 50, 100, 250, 500, 1000];
const seatsBuckets = [1, 2, 4, 8, 16, 32, 64, 100];

const prefix = "apiserver_flowcontrol_";
const flowLabels = ["priority_level", "flow_schema"];

/** What is observed at each request of one flow schema. */
export interface FlowMeters {
  readonly waitedExecuted: Histogram;
  readonly waitedRefused: Histogram;
  readonly executedRegular: Histogram;
  readonly executedWatch: Histogram;
  readonly estimatedSeats: Histogram;
  readonly queueLength: Histogram;
}

/** Makes the meters of a flow schema at a level. Source: flowcontrol/metrics/metrics.go. */
export function flowMeters(registry: MetricRegistry): (levelName: string, schemaName: string) => FlowMeters {
  const histogram = ([name, buckets, help]: HistogramRow, further: readonly string[] = []): MetricFamily<Histogram> =>
    registry.histogram({
      name: prefix + name,
      help,
      buckets,
      labels: [...flowLabels, ...further],
      stability: name === "request_wait_duration_seconds" ? "BETA" : "ALPHA",
    });
  const waited = histogram(
    ["request_wait_duration_seconds", secondsBuckets, "Time that requests waited in their queues."],
    ["execute"],
  );
  const executed = histogram(
    ["request_execution_seconds", secondsBuckets, "Time that requests executed; of watches, until they had begun."],
    ["type"],
  );
  const estimated = histogram(["work_estimated_seats", seatsBuckets, "Seats that requests are taken to need."]);
  const lengths = histogram(["request_queue_length_after_enqueue", lengthBuckets, "Length of a queue as the last to join sees it."]);
  return (level, schema) => ({
    waitedExecuted: waited.with(level, schema, "true"),
    waitedRefused: waited.with(level, schema, "false"),
    executedRegular: executed.with(level, schema, "regular"),
    executedWatch: executed.with(level, schema, "watch"),
    estimatedSeats: estimated.with(level, schema),
    queueLength: lengths.with(level, schema),
  });
}

type HistogramRow = readonly [name: string, buckets: readonly number[], help: string];
type Reading<Of> = readonly [name: string, stability: "ALPHA" | "BETA", help: string, read: (of: Of) => number];

const flowGauges: readonly Reading<Tally>[] = [
  ["current_inqueue_requests", "BETA", "Requests that wait in queues.", ({ waiting }) => waiting],
  ["current_inqueue_seats", "ALPHA", "Seats that requests in queues wait for.", ({ waitingSeats }) => waitingSeats],
  ["current_executing_requests", "BETA", "Requests that execute; watches while they begin.", ({ executing }) => executing],
  ["current_executing_seats", "BETA", "Seats that executing requests occupy.", ({ executingSeats }) => executingSeats],
];

const levelGauges: readonly Reading<PriorityLevel>[] = [
  ["nominal_limit_seats", "BETA", "Seats that each priority level has by its configuration.", ({ limits }) => limits.nominal],
  ["lower_limit_seats", "ALPHA", "Seats that are never lent.", ({ limits }) => limits.lower],
  ["upper_limit_seats", "ALPHA", "Most seats with borrowed ones.", ({ limits }) => limits.upper],
  ["current_limit_seats", "ALPHA", "Seats that each priority level has now.", ({ queues }) => queues.seatsMax],
  ["demand_seats_high_watermark", "ALPHA", "Most seats wanted in the last period.", ({ demand }) => demand.maxSeats],
  ["demand_seats_average", "ALPHA", "Seats wanted in the last period, on average.", ({ demand }) => demand.averageSeats],
  ["demand_seats_stdev", "ALPHA", "Standard deviation of the seats wanted.", ({ demand }) => demand.deviationSeats],
  ["demand_seats_smoothed", "ALPHA", "Seats wanted, smoothed over periods.", ({ smoothedSeats }) => smoothedSeats],
];

/** Sets, before each print, what is cheaper to read than to keep. */
export function collectFlowControl(registry: MetricRegistry, configuration: FlowConfiguration): Disposable {
  const gaugeOf = <Of>([name, stability, help, read]: Reading<Of>, labels: readonly string[]) => ({
    read,
    family: registry.gauge({ name: prefix + name, help, stability, labels }),
  });
  const ofFlows = flowGauges.map((reading) => gaugeOf(reading, flowLabels));
  const ofLevels = levelGauges.map((reading) => gaugeOf(reading, ["priority_level"]));
  const counter = (name: string, help: string, labels: readonly string[]): MetricFamily<Counter> =>
    registry.counter({ name: prefix + name, help, stability: "BETA", labels });
  const dispatched = counter("dispatched_requests_total", "Requests that were let through.", flowLabels);
  const rejected = counter("rejected_requests_total", "Requests that were refused.", [...flowLabels, "reason"]);
  const fair = registry.gauge({ name: `${prefix}seat_fair_frac`, help: "Part of its target that a level got that met no bound." });
  return registry.onCollect(() => {
    for (const { family } of [...ofFlows, ...ofLevels]) family.clear();
    fair.with().set(configuration.fairFraction);
    for (const level of configuration.levels) {
      for (const { read, family } of ofLevels) family.with(level.name).set(read(level));
      for (const tally of level.tallies.values()) {
        if (tally.dispatched + tally.waiting + refusals(tally) === 0) continue;
        const labels = [level.name, tally.schemaName];
        for (const { read, family } of ofFlows) family.with(...labels).set(read(tally));
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
