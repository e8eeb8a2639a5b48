import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowSchema } from "#api/flowcontrol/v1/flow-schema.ts";
import type { PriorityLevelConfiguration } from "#api/flowcontrol/v1/priority-level-configuration.ts";
import type { HttpExchange } from "#base/http.ts";
import { createMetricRegistry } from "#base/metrics.ts";
import { createVirtualClock, type VirtualClock } from "#base/virtual/clock.ts";
import type { FilteredRequest } from "../http/frontend.ts";
import { parseRequestInfo } from "../http/request-info.ts";
import { FlowConfiguration } from "./flow-configuration.ts";
import { flowMeters } from "./flow-control-meters.ts";
import { priorityAndFairness } from "./priority-and-fairness.ts";
import { WatchTracker } from "./watch-tracker.ts";

/** What a filter sees of an exchange, and what it answers. */
class Exchange implements Partial<HttpExchange> {
  readonly headers = {};
  readonly client = new AbortController();
  readonly answer: Record<string, string> = {};
  status: number | undefined;
  get signal(): AbortSignal {
    return this.client.signal;
  }
  setHeader(name: string, value: string): void {
    this.answer[name] = value;
  }
  respond(status: number): void {
    this.status = status;
  }
}

interface Asked {
  readonly exchange: Exchange;
  readonly done: Promise<void>;
  hasBegun: boolean;
  /** The watch has told its initial events. */
  initialize(): void;
  /** The handler is done. */
  end(): void;
}

interface Bench {
  readonly clock: VirtualClock;
  ask(url: string): Asked;
}

/** One seat, and a queue for whom there is none. */
function bench(): Bench {
  const clock = createVirtualClock();
  const configuration = new FlowConfiguration(clock, 2);
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 2 };
  const limited = { nominalConcurrencyShares: 1, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: { type: "Queue", queuing } };
  const level = { metadata: { name: "l", uid: "level-uid" }, spec: { type: "Limited", limited } };
  const everything = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] };
  const rules = [{ subjects: [{ kind: "User", user: { name: "u" } }], resourceRules: [everything] }];
  const spec = { priorityLevelConfiguration: { name: "l" }, matchingPrecedence: 1, rules };
  configuration.digest([level as PriorityLevelConfiguration], [{ metadata: { name: "s", uid: "schema-uid" }, spec } as FlowSchema]);
  const make = flowMeters(createMetricRegistry());
  const filter = priorityAndFairness({
    clock,
    configuration,
    watches: new WatchTracker(),
    requestMs: 60_000,
    meters: (rule) => make(rule.level.name, rule.name),
    estimate: () => ({ initialSeats: 1, finalSeats: 0, extraMs: 0 }),
    onDemand() {},
  });
  return {
    clock,
    ask(url) {
      const [path = "", text = ""] = url.split("?");
      const query = new URLSearchParams(text);
      const exchange = new Exchange();
      const handler = Promise.withResolvers<void>();
      let initialized = (): void => {};
      const asked = { exchange, hasBegun: false, initialize: () => initialized(), end: handler.resolve };
      const request: FilteredRequest = {
        exchange: exchange as unknown as HttpExchange,
        info: parseRequestInfo("GET", path, query),
        query,
        user: { name: "u", groups: [], uid: "", extra: {} },
        auditId: "",
        whenInitialized: (run) => void (initialized = run),
      };
      const done = filter(request, () => {
        asked.hasBegun = true;
        return handler.promise;
      });
      return Object.assign(asked, { done });
    },
  };
}

const pods = "/api/v1/pods";

test("who finds no seat waits for one, and is answered", async () => {
  const { ask, clock } = bench();
  const first = ask(pods);
  const second = ask(pods);
  await clock.settle();
  assert.deepEqual([first.hasBegun, second.hasBegun], [true, false]);
  assert.deepEqual(first.exchange.answer, {
    "x-kubernetes-pf-flowschema-uid": "schema-uid",
    "x-kubernetes-pf-prioritylevel-uid": "level-uid",
  });
  first.end();
  await first.done;
  assert.ok(second.hasBegun);
  second.end();
  await second.done;
  assert.equal(clock.pendingCount, 0);
});

const waits: readonly [url: string, waitMs: number][] = [
  [pods, 15_000],
  [`${pods}?timeout=8s`, 2000],
  [`${pods}?watch=1`, 15_000],
];

for (const [url, waitMs] of waits) {
  test(`${url} is refused after a quarter of its time`, async () => {
    const { ask, clock } = bench();
    ask(pods);
    const second = ask(url);
    await clock.advance(waitMs - 1);
    assert.equal(second.exchange.status, undefined);
    await clock.advance(1);
    await second.done;
    assert.deepEqual([second.exchange.status, second.exchange.answer["retry-after"], second.hasBegun], [429, "1", false]);
  });
}

test("a full queue refuses at once; who goes away leaves room", async () => {
  const { ask } = bench();
  ask(pods);
  const waiting = [ask(pods), ask(pods)];
  const refused = ask(pods);
  await refused.done;
  assert.equal(refused.exchange.status, 429);
  waiting[0]?.exchange.client.abort();
  await waiting[0]?.done;
  const next = ask(pods);
  assert.equal(next.exchange.status, undefined);
});

test("a watch gives its seat back when it has begun; what streams never has one", async () => {
  const { ask, clock } = bench();
  const watch = ask(`${pods}?watch=1`);
  const log = ask("/api/v1/namespaces/a/pods/x/log");
  const list = ask(pods);
  await clock.settle();
  assert.deepEqual([watch.hasBegun, log.hasBegun, list.hasBegun], [true, true, false]);
  assert.deepEqual(log.exchange.answer, {});
  watch.initialize();
  await clock.settle();
  assert.ok(list.hasBegun);
  watch.end();
  await watch.done;
  const third = ask(pods);
  await clock.settle();
  assert.equal(third.hasBegun, false);
});
