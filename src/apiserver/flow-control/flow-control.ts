import type { FlowSchema } from "#api/flowcontrol/v1/flow-schema.ts";
import type { PriorityLevelConfiguration } from "#api/flowcontrol/v1/priority-level-configuration.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { ensureFlowControl } from "../bootstrap/flow-control.ts";
import type { ApiTable } from "../api-table.ts";
import type { PathHandler, RequestFilter } from "../http/frontend.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { FlowConfiguration, type FlowRule } from "./flow-configuration.ts";
import { flowControlDumps } from "./flow-control-dumps.ts";
import { collectFlowControl, type FlowMeters, flowMeters } from "./flow-control-meters.ts";
import { FlowSchemaStatusWriter } from "./flow-schema-status.ts";
import { ObjectStatisticsCache } from "./object-statistics.ts";
import { priorityAndFairness } from "./priority-and-fairness.ts";
import { WatchTracker } from "./watch-tracker.ts";
import { estimateWork } from "./work-estimator.ts";

/** Between two looks at who borrows from whom. Source: apf_controller.go borrowingAdjustmentPeriod. */
const adjustmentMs = 10_000;

/** Until a changed or deleted object is as it was shipped. Source: rest/storage_flowcontrol.go, a minute. */
const keepMs = 60_000;

export interface FlowControlOptions {
  readonly table: ApiTable;
  readonly levels: LiveSet<PriorityLevelConfiguration>;
  readonly schemas: LiveSet<FlowSchema>;
  readonly client: () => Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: MetricRegistry;
  /** Seats that all levels share. Source: --max-requests-inflight plus --max-mutating-requests-inflight. */
  readonly seatsTotal: number;
  readonly requestMs: number;
}

export interface FlowControl extends Disposable {
  readonly filter: RequestFilter;
  readonly dumps: PathHandler;
  /** Follows the configuration; the live sets are loaded and the client can write. */
  start(): void;
  /** Resolves when all that was seen of the configuration is taken on and told. */
  settled(): Promise<void>;
}

/** API Priority and Fairness: the filter, its configuration by objects, and what it tells. */
export function createFlowControl(options: FlowControlOptions): FlowControl {
  const { table, clock, registry, levels, schemas } = options;
  const configuration = new FlowConfiguration(clock, options.seatsTotal);
  const watches = new WatchTracker();
  const statistics = new ObjectStatisticsCache(clock);
  const metersOf = rememberMeters(flowMeters(registry));
  const follower = followConfiguration(options, configuration);
  const resources = new DisposableStack();
  resources.use(follower);
  resources.use(collectFlowControl(registry, configuration));
  const borrowing = adjustWhileWanted(clock, configuration);
  resources.use(borrowing);
  const sources: Parameters<typeof estimateWork>[0] = {
    statistics({ group, version, resource }) {
      const endpoint = table.find(group, version, resource);
      return endpoint === undefined || endpoint.definition.handler !== undefined ? undefined : statistics.of(endpoint.storage);
    },
    watchers: (info) => watches.interestedIn(info),
  };
  return {
    filter: priorityAndFairness({
      clock,
      configuration,
      watches,
      requestMs: options.requestMs,
      meters: metersOf,
      estimate: (request, seatsMax) => estimateWork(sources, request, seatsMax),
      onDemand: borrowing.arm,
    }),
    dumps: flowControlDumps(configuration, clock),
    start() {
      const keeper = resources.use(keepShipped(options));
      for (const set of [levels, schemas]) {
        resources.use(set.onChange(follower.changed));
        resources.use(set.onChange(keeper.changed));
      }
      follower.changed();
    },
    settled: follower.settled,
    [Symbol.dispose]: () => resources.dispose(),
  };
}

/** Meters are looked up once for each rule, not for each request. */
function rememberMeters(make: (level: string, schema: string) => FlowMeters): (rule: FlowRule) => FlowMeters {
  const known = new WeakMap<FlowRule, FlowMeters>();
  return (rule) => {
    let meters = known.get(rule);
    if (meters === undefined) known.set(rule, (meters = make(rule.level.name, rule.name)));
    return meters;
  };
}

interface Follower extends Disposable {
  /** Takes the objects on in a moment, once for many changes. */
  changed(): void;
  settled(): Promise<void>;
}

function followConfiguration(
  { levels, schemas, client, clock, random, log }: FlowControlOptions,
  configuration: FlowConfiguration,
): Follower {
  let isDue = false;
  let isDisposed = false;
  let running: Promise<void> | undefined;
  const writer = new FlowSchemaStatusWriter({ client, clock, random, log, again: changed });

  async function run(): Promise<void> {
    while (isDue && !isDisposed) {
      isDue = false;
      try {
        await writer.write(configuration.digest([...levels.values()], [...schemas.values()]));
      } catch (error) {
        log.error("flow control configuration not taken on", error);
      }
    }
    running = undefined;
  }

  function changed(): void {
    isDue = true;
    running ??= Promise.resolve().then(run);
  }

  return {
    changed,
    async settled() {
      while (running !== undefined) await running;
    },
    [Symbol.dispose]() {
      isDisposed = true;
      writer[Symbol.dispose]();
    },
  };
}

/** Puts what was shipped right again, a while after it was changed. */
function keepShipped({ client, clock, log }: FlowControlOptions): Disposable & { changed(): void } {
  const soon = onceAt(clock, keepMs, () => {
    ensureFlowControl(client()).catch((error: unknown) => {
      log.error("flow control configuration not kept", error);
      soon.arm();
    });
  });
  return { changed: soon.arm, [Symbol.dispose]: soon[Symbol.dispose] };
}

/** Adjusts at each period in which there was demand; sleeps when there is none. */
function adjustWhileWanted(clock: Clock, configuration: FlowConfiguration): Armed {
  const next = onceAt(clock, adjustmentMs, () => {
    if (configuration.adjust()) next.arm();
  });
  return next;
}

interface Armed extends Disposable {
  arm(): void;
}

/** Runs once, `delayMs` after it was armed, however often; never after it was disposed. */
function onceAt(clock: Clock, delayMs: number, run: () => void): Armed {
  let timer: Timer | undefined;
  let isDisposed = false;
  return {
    arm() {
      if (isDisposed) return;
      timer ??= clock.after(delayMs, () => {
        timer = undefined;
        run();
      });
    },
    [Symbol.dispose]() {
      isDisposed = true;
      timer?.[Symbol.dispose]();
    },
  };
}
