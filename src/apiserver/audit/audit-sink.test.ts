import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { createMetricRegistry } from "#base/metrics.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { auditLine } from "./audit-lines.ts";
import { auditErrors } from "./audit-log.ts";
import { type AuditBatching, type AuditSink, batched, blocking, truncated } from "./audit-sink.ts";

/** A sink whose batches end when the test says so. */
function bench() {
  const batches: (readonly object[])[] = [];
  const answers: ((isThere: boolean) => void)[] = [];
  const sink: AuditSink = {
    process(events) {
      batches.push(events);
      return new Promise((resolve) => answers.push(resolve));
    },
    hurry() {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const errors = auditErrors(createMetricRegistry());
  return { sink, batches, answers, clock: createVirtualClock(), counter: errors.with("buffered"), log: silentLogger };
}

function batchedBench(batching: Partial<AuditBatching>) {
  const { sink, clock, log, counter: dropped, ...rest } = bench();
  const settings = { bufferMax: 100, batchMax: 3, waitMs: 1000, sendingMax: 15, ...batching };
  const backend = batched(sink, { batching: settings, clock, log, dropped });
  const write = (count: number): void => {
    for (let i = 0; i < count; i++) assert.equal(backend.write({ i }), undefined);
  };
  return { ...rest, clock, dropped, write, sizes: () => rest.batches.map(({ length }) => length) };
}

test("batches go when they are full, or old", async () => {
  const { write, sizes, clock } = batchedBench({});
  write(4);
  assert.deepEqual(sizes(), [3]);
  await clock.advance(1000);
  assert.deepEqual(sizes(), [3, 1]);
});

test("batches are held back beyond their rate", async () => {
  const { write, sizes, clock } = batchedBench({ batchMax: 1, throttle: { qps: 10, burst: 2 } });
  write(5);
  assert.deepEqual(sizes(), [1, 1]);
  await clock.advance(100);
  assert.deepEqual(sizes(), [1, 1, 1]);
  await clock.advance(200);
  assert.deepEqual(sizes(), [1, 1, 1, 1, 1]);
});

test("events that do not fit are dropped and counted", () => {
  const { write, sizes, dropped } = batchedBench({ batchMax: 1, sendingMax: 1, bufferMax: 2 });
  write(5);
  assert.deepEqual([sizes(), dropped.value], [[1], 2]);
});

for (const strict of [false, true]) {
  test(`whoever asks waits; a lost event ${strict ? "refuses the request" : "does not matter"}`, async () => {
    const { sink, answers } = bench();
    const backend = blocking(sink, { strict });
    let kept: boolean | undefined;
    const waiting = backend.write({})?.then((isKept) => (kept = isKept));
    await Promise.resolve();
    assert.equal(kept, undefined);
    answers[0]?.(false);
    await waiting;
    assert.equal(kept, !strict);
  });
}

test("events that are too large lose their bodies, or are lost", async () => {
  const { sink, batches, answers, log, counter: lost } = bench();
  const backend = truncated(blocking(sink, { strict: false }), { eventBytesMax: 200, log, lost });
  const event = { kind: "Event", apiVersion: "audit.k8s.io/v1", level: "Request", auditID: "a" };
  void backend.write(event);
  void backend.write({ ...event, requestObject: { text: "x".repeat(200) }, annotations: { b: "c" } });
  assert.equal(backend.write({ ...event, level: "Metadata", requestURI: "x".repeat(200) }), undefined);
  for (const answer of answers) answer(true);
  assert.deepEqual(batches.flat(), [event, { ...event, annotations: { "audit.k8s.io/truncated": "true", b: "c" } }]);
  assert.equal(lost.value, 1);
});

test("an event is a line of text in the old format", () => {
  const event = {
    auditID: "a", stage: "ResponseComplete", verb: "get", requestURI: "/x", user: { username: "u", groups: ["g", "h"] },
    sourceIPs: ["127.0.0.1"], userAgent: "kubectl", objectRef: { namespace: "n" }, responseStatus: { code: 200 },
    requestReceivedTimestamp: "2026-01-02T03:04:05.120000Z",
  };
  assert.equal(
    auditLine(event, "legacy"),
    '2026-01-02T03:04:05.12Z AUDIT: id="a" stage="ResponseComplete" ip="127.0.0.1" method="get" user="u" groups="\\"g\\",\\"h\\"" ' +
      'as="<self>" asgroups="<lookup>" user-agent="kubectl" namespace="n" uri="/x" response="200"\n',
  );
});
