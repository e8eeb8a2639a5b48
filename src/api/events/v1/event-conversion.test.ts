import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event as CoreEvent } from "#api/core/v1/event.ts";
import { fromCoreEvent, toCoreEvent } from "./event-conversion.ts";

const core: CoreEvent = {
  metadata: { name: "e", namespace: "n" },
  involvedObject: { kind: "Pod", name: "p", namespace: "n" },
  reason: "Pulled",
  message: "image pulled",
  source: { component: "kubelet", host: "node" },
  firstTimestamp: "2026-01-01T00:00:00Z",
  lastTimestamp: "2026-01-01T00:00:01Z",
  count: 2,
  type: "Normal",
  reportingComponent: "kubelet",
  reportingInstance: "node",
};

test("a core event has other names in events.k8s.io", () => {
  const event = fromCoreEvent(core);
  assert.equal(event.note, core.message);
  assert.deepEqual(event.regarding, core.involvedObject);
  assert.equal(event.reportingController, "kubelet");
  assert.equal(event.deprecatedCount, 2);
  assert.equal("message" in event, false);
});

test("there and back changes nothing", () => {
  assert.deepEqual(toCoreEvent(fromCoreEvent(core)), core);
});
