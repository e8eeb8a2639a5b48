import assert from "node:assert/strict";
import { test } from "node:test";
import { events } from "#api/events/v1/event.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createFakeApi } from "#testing/fake-api.ts";
import { createClient } from "./client.ts";
import { createHappeningRecorder, type Happening } from "./event-series.ts";

const pod: KubeObject = {
  kind: "Pod",
  apiVersion: "v1",
  metadata: { namespace: "ns", name: "p", uid: "u", resourceVersion: "9" },
};
const failed: Happening = {
  regarding: pod,
  type: "Warning",
  reason: "FailedScheduling",
  action: "Scheduling",
  note: "no room",
};

function setUp() {
  const clock = createVirtualClock();
  const api = createFakeApi({ clock, random: createVirtualRandom(1) });
  const lifetime = new Lifetime("test");
  const client = createClient({ transport: api.transport });
  const options = { client, clock, log: silentLogger, lifetime, controller: "tester", host: "h" };
  const recorder = createHappeningRecorder(options);
  return { clock, api, recorder, lifetime, seen: () => api.list(events) };
}

test("a happening is written as upstream's recorder writes it", async () => {
  const { clock, recorder, seen } = setUp();
  recorder.record(failed);
  await clock.settle();
  const [{ metadata, ...rest } = {} as KubeObject] = seen();
  assert.match(metadata?.name ?? "", /^p\.[0-9a-f]+$/);
  assert.deepEqual(rest, {
    kind: "Event",
    apiVersion: "events.k8s.io/v1",
    eventTime: "2026-01-01T00:00:00.000000Z",
    reportingController: "tester",
    reportingInstance: "tester-h",
    action: "Scheduling",
    reason: "FailedScheduling",
    regarding: { kind: "Pod", namespace: "ns", name: "p", uid: "u", apiVersion: "v1", resourceVersion: "9" },
    note: "no room",
    type: "Warning",
  });
});

test("the same again makes a series, whatever it notes; more are told when it ends", async () => {
  const { clock, recorder, seen } = setUp();
  const seriesOf = () => seen().map((event) => (event as { series?: { count?: number } }).series?.count);
  recorder.record(failed);
  await clock.advance(1000);
  recorder.record({ ...failed, note: "still none" });
  await clock.advance(1000);
  assert.deepEqual(seriesOf(), [2]);
  for (let i = 0; i < 3; i++) recorder.record(failed);
  await clock.advance(1000);
  assert.deepEqual(seriesOf(), [2]);
  await clock.advance(720_000);
  assert.deepEqual(seriesOf(), [5]);
  recorder.record(failed);
  await clock.settle();
  assert.deepEqual(seriesOf().sort(), [5, undefined]);
});

test("another state of the object, or another object, is another event", async () => {
  const { clock, recorder, seen } = setUp();
  recorder.record(failed);
  recorder.record({ ...failed, regarding: { ...pod, metadata: { ...pod.metadata, resourceVersion: "10" } } });
  recorder.record({ ...failed, related: { kind: "Node", apiVersion: "v1", metadata: { name: "n" } } });
  await clock.settle();
  assert.equal(seen().length, 3);
});

test("nothing is written after the end", async () => {
  const { clock, recorder, seen, lifetime } = setUp();
  await lifetime.end();
  recorder.record(failed);
  await clock.settle();
  assert.equal(seen().length, 0);
});
