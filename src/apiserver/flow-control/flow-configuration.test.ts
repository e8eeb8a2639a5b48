import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowSchema } from "#api/flowcontrol/v1/flow-schema.ts";
import type { PriorityLevelConfiguration } from "#api/flowcontrol/v1/priority-level-configuration.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import type { User } from "../call.ts";
import { parseRequestInfo, type RequestInfo } from "../http/request-info.ts";
import { distinguisherOf, FlowConfiguration, handOf } from "./flow-configuration.ts";
import type { Ticket } from "./queue-set.ts";
import { DroppedRequests } from "./dropped-requests.ts";

function level(name: string, shares: number, more: object = {}): PriorityLevelConfiguration {
  const queuing = { queues: 8, handSize: 2, queueLengthLimit: 5 };
  const limited = { nominalConcurrencyShares: shares, lendablePercent: 0, limitResponse: { type: "Queue", queuing }, ...more };
  return { metadata: { name, uid: `${name}-uid` }, spec: { type: "Limited", limited } } as PriorityLevelConfiguration;
}

function schema(name: string, levelName: string, precedence: number, by?: string): FlowSchema {
  const nonResourceRules = [{ verbs: ["*"], nonResourceURLs: ["*"] }];
  const rules = [{ subjects: [{ kind: "User", user: { name: "*" } }], nonResourceRules }];
  const distinguisherMethod = by === undefined ? undefined : { type: by };
  const spec = { priorityLevelConfiguration: { name: levelName }, matchingPrecedence: precedence, distinguisherMethod, rules };
  return { metadata: { name, uid: `${name}-uid` }, spec } as FlowSchema;
}

const info: RequestInfo = parseRequestInfo("GET", "/version", new URLSearchParams());

function user(name: string, ...groups: string[]): User {
  return { name, groups, uid: "", extra: {} };
}

function limitsOf(configuration: FlowConfiguration): Record<string, [nominal: number, now: number]> {
  return Object.fromEntries([...configuration.levels].map(({ name, limits, queues }) => [name, [limits.nominal, queues.seatsMax]]));
}

test("without objects there are the mandatory ones", () => {
  const configuration = new FlowConfiguration(createVirtualClock(), 600);
  assert.deepEqual(configuration.rules.map(({ name }) => name), ["exempt", "catch-all"]);
  assert.equal(configuration.classify(info, user("a", "system:masters")).level.name, "exempt");
  assert.equal(configuration.classify(info, user("a")).level.name, "catch-all");
  assert.deepEqual(limitsOf(configuration), { exempt: [0, 0], "catch-all": [600, 600] });
});

test("the lower precedence goes first, then the name; schemas without a level do not count", () => {
  const configuration = new FlowConfiguration(createVirtualClock(), 600);
  const schemas = [schema("late", "l", 20), schema("b", "l", 10), schema("a", "l", 10), schema("first", "none", 1)];
  const findings = configuration.digest([level("l", 1)], schemas);
  assert.deepEqual(findings.map(({ isDangling }) => isDangling), [false, false, false, true]);
  assert.deepEqual(configuration.rules.map(({ name }) => name), ["exempt", "a", "b", "late", "catch-all"]);
  assert.equal(configuration.classify(info, user("x")).name, "a");
});

test("levels whose type and members differ count as absent", () => {
  const configuration = new FlowConfiguration(createVirtualClock(), 600);
  const broken = [
    { ...level("x", 1), spec: { type: "Exempt", exempt: {} } },
    { ...level("y", 1), spec: { type: "Limited" } },
    level("z", 1, { limitResponse: { type: "Queue" } }),
  ] as PriorityLevelConfiguration[];
  configuration.digest(broken, []);
  assert.deepEqual(Object.keys(limitsOf(configuration)), ["exempt", "catch-all"]);
});

test("flows are told apart by user, and have the hand that fits", () => {
  const configuration = new FlowConfiguration(createVirtualClock(), 600);
  configuration.digest([level("l", 1)], [schema("by-user", "l", 1, "ByUser")]);
  const rule = configuration.classify(info, user("x"));
  assert.equal(distinguisherOf(rule, info, user("x")), "x");
  const hand = handOf(rule, "x");
  assert.equal(hand.length, 2);
  assert.equal(handOf(rule, "x"), hand);
  const catchAll = configuration.rules.at(-1);
  assert.deepEqual(catchAll && [distinguisherOf(catchAll, info, user("x")), handOf(catchAll, "")], ["", []]);
});

test("a level that is gone stays until its requests are done", () => {
  const configuration = new FlowConfiguration(createVirtualClock(), 600);
  configuration.digest([level("l", 1)], [schema("s", "l", 1)]);
  const { level: found, tally } = configuration.classify(info, user("x"));
  const details = { user: user("x"), info };
  const work = { initialSeats: 1, finalSeats: 0, extraMs: 0 };
  const ticket = found.queues.start({ work, hand: [0], tally, distinguisher: "", details }) as Ticket;
  configuration.digest([], []);
  assert.ok(found.isQuiescing && "l" in limitsOf(configuration));
  found.queues.finish(ticket);
  configuration.reap(found);
  assert.ok(!("l" in limitsOf(configuration)));
});

test("seats that nobody wants go to where they are wanted, and come back", async () => {
  const clock = createVirtualClock();
  const configuration = new FlowConfiguration(clock, 100);
  configuration.digest([level("busy", 45), level("idle", 45, { lendablePercent: 50 })], [schema("s", "busy", 1)]);
  const { level: busy, tally } = configuration.classify(info, user("x"));
  assert.deepEqual(limitsOf(configuration), { exempt: [0, 0], busy: [48, 63], idle: [48, 31], "catch-all": [6, 8] });
  const details = { user: user("x"), info };
  const work = { initialSeats: 1, finalSeats: 0, extraMs: 0 };
  const hand = [0, 1, 2, 3, 4, 5, 6, 7];
  const tickets = Array.from({ length: 90 }, () => busy.queues.start({ work, hand, tally, distinguisher: "", details }) as Ticket);
  await clock.advance(10_000);
  assert.ok(configuration.adjust());
  assert.deepEqual(limitsOf(configuration), { exempt: [0, 0], busy: [48, 72], idle: [48, 24], "catch-all": [6, 6] });
  for (const ticket of tickets) busy.queues.finish(ticket);
  for (let i = 0; i < 300; i++) {
    await clock.advance(10_000);
    configuration.adjust();
  }
  assert.equal(configuration.adjust(), false);
  assert.deepEqual(limitsOf(configuration)["busy"], [48, 63]);
});

test("who is refused is told to wait longer while many are, and less long later", () => {
  let nowMs = 1_000_000_000;
  const dropped = new DroppedRequests({ ...createVirtualClock(), nowMs: () => nowMs });
  const refuse = (times: number, thenMs: number): number => {
    for (let i = 0; i < times; i++) dropped.record();
    nowMs += thenMs;
    return dropped.retryAfterSeconds;
  };
  const heavy = Array.from({ length: 12 }, () => refuse(200, 1000));
  assert.deepEqual([heavy[0], heavy[1], heavy.at(-1)], [1, 2, 8]);
  const light = Array.from({ length: 60 }, () => refuse(1, 3000));
  assert.ok((light.at(-1) ?? 0) <= 2, light.join(" "));
});
