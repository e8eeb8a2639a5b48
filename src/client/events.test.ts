import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#apimachinery/object.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createFakeApi } from "#testing/fake-api.ts";
import { createClient, type ResourceTarget } from "./client.ts";
import { createEventRecorder } from "./events.ts";

const target: ResourceTarget = {
  group: "",
  version: "v1",
  plural: "events",
  kind: "Event",
  scope: "Namespaced",
};
const pod: KubeObject = {
  kind: "Pod",
  apiVersion: "v1",
  metadata: { namespace: "ns", name: "p", uid: "u", resourceVersion: "9" },
};

function setUp() {
  const clock = createVirtualClock();
  const api = createFakeApi({ clock, random: createVirtualRandom(1) });
  const lifetime = new Lifetime("test");
  const client = createClient({ transport: api.transport });
  const events = createEventRecorder({
    client,
    clock,
    log: silentLogger,
    lifetime,
    component: "tester",
    host: "h",
  });
  const seen = () =>
    api.list(target) as (KubeObject & {
      message: string;
      count: number;
      reason: string;
      type: string;
    })[];
  return { clock, api, events, seen, lifetime };
}

test("an event names its object, source and time", async () => {
  const { clock, events, seen } = setUp();
  events.warning(pod, "Oops", "it broke");
  await clock.settle();
  const [event] = seen();
  const { metadata, ...rest } = event ?? {};
  assert.match(metadata?.name ?? "", /^p\.[0-9a-f]+$/);
  assert.deepEqual(rest, {
    kind: "Event",
    apiVersion: "v1",
    involvedObject: {
      kind: "Pod",
      namespace: "ns",
      name: "p",
      uid: "u",
      apiVersion: "v1",
      resourceVersion: "9",
    },
    reason: "Oops",
    message: "it broke",
    source: { component: "tester", host: "h" },
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:00Z",
    count: 1,
    type: "Warning",
    eventTime: null,
    reportingComponent: "tester",
    reportingInstance: "h",
  });
});

test("the same event again raises the count, also after the server forgot it", async () => {
  const { clock, api, events, seen } = setUp();
  for (let i = 0; i < 3; i++) events.normal(pod, "Again", "and again");
  await clock.settle();
  assert.deepEqual(
    seen().map(({ count }) => count),
    [3],
  );
  api.remove(target, `ns/${seen()[0]?.metadata?.name}`);
  events.normal(pod, "Again", "and again");
  await clock.settle();
  assert.deepEqual(
    seen().map(({ count }) => count),
    [4],
  );
});

test("from the tenth of a kind on, different messages become one event", async () => {
  const { clock, events, seen } = setUp();
  for (let i = 0; i < 15; i++) {
    events.normal(pod, "Many", `message ${i}`);
    await clock.advance(100);
  }
  const texts = seen().map(({ message, count }) => `${message} x${count}`);
  assert.equal(texts.length, 10);
  assert.equal(texts.at(-1), "(combined from similar events): message 14 x6");
});

test("a flood about one object is cut off, and let through slowly", async () => {
  const { clock, api, events } = setUp();
  for (let i = 0; i < 100; i++) events.normal(pod, "Flood", "x");
  await clock.settle();
  const writes = () => api.requests.filter(({ resource }) => resource === "events").length;
  assert.equal(writes(), 25);
  await clock.advance(300_000);
  for (let i = 0; i < 10; i++) events.normal(pod, "Flood", "x");
  await clock.settle();
  assert.equal(writes(), 26);
});

test("nothing is written after the end", async () => {
  const { clock, events, seen, lifetime } = setUp();
  await lifetime.end();
  events.normal(pod, "Late", "x");
  await clock.settle();
  assert.deepEqual(seen(), []);
});
