import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpExchange } from "#base/http.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { statusErrorOf } from "#apimachinery/status.ts";
import { requestDeadline, requestLimitMs, requestMsDefault } from "./request-deadline.ts";
import { parseRequestInfo } from "./request-info.ts";

const rows: readonly [query: string, limitMs: number][] = [
  ["", requestMsDefault],
  ["timeout=", requestMsDefault],
  ["timeout=0s", requestMsDefault],
  ["timeout=250ms", 250],
  ["timeout=5s", 5000],
  // The server's own limit is the longest.
  ["timeout=90s", requestMsDefault],
];

for (const [text, limitMs] of rows) {
  test(`a request with ?${text} has ${limitMs} ms`, async () => {
    const clock = createVirtualClock();
    const query = new URLSearchParams(text);
    assert.equal(requestLimitMs(query, requestMsDefault), limitMs);
    const info = parseRequestInfo("GET", "/api/v1/pods", query);
    const filtered = {
      exchange: {} as HttpExchange,
      info,
      query,
      user: { name: "u", uid: "", groups: [], extra: {} },
      auditId: "",
      whenInitialized() {},
    };
    let failed: unknown;
    const answered = requestDeadline(clock, requestMsDefault)(filtered, () => new Promise(() => {})).catch((error: unknown) => (failed = error));
    await clock.advance(limitMs - 1);
    assert.equal(failed, undefined);
    await clock.advance(1);
    await answered;
    const { code, reason, message } = statusErrorOf(failed).status;
    assert.deepEqual({ code, reason, message }, {
      code: 504,
      reason: "Timeout",
      message: "Timeout: request did not complete within the allotted timeout",
    });
  });
}

test("what lasts has no deadline, and who answers leaves no timer", async () => {
  const clock = createVirtualClock();
  const query = new URLSearchParams("watch=1&timeout=1s");
  const base = { exchange: {} as HttpExchange, query, user: { name: "u", uid: "", groups: [], extra: {} }, auditId: "", whenInitialized() {} };
  void requestDeadline(clock, 1000)({ ...base, info: parseRequestInfo("GET", "/api/v1/pods", query) }, () => new Promise(() => {}));
  assert.equal(clock.pendingCount, 0);
  await requestDeadline(clock, 1000)({ ...base, info: parseRequestInfo("GET", "/version", new URLSearchParams()) }, async () => {});
  assert.equal(clock.pendingCount, 0);
});

test("requests that come and go in any order share a timer, and each has its own deadline", async () => {
  const clock = createVirtualClock();
  const filter = requestDeadline(clock, 1000);
  const query = new URLSearchParams();
  const info = parseRequestInfo("GET", "/version", query);
  const base = { exchange: {} as HttpExchange, info, query, user: { name: "u", uid: "", groups: [], extra: {} }, auditId: "", whenInitialized() {} };
  const outcomes: string[] = [];
  const ends: (() => void)[] = [];
  for (let i = 0; i < 5; i++) {
    const handler = Promise.withResolvers<void>();
    ends.push(handler.resolve);
    void filter(base, () => handler.promise).then(
      () => outcomes.push(`${i} answered at ${clock.monotonicMs()}`),
      () => outcomes.push(`${i} late at ${clock.monotonicMs()}`),
    );
    await clock.advance(100);
  }
  assert.equal(clock.pendingCount, 1);
  for (const i of [0, 3]) ends[i]?.();
  await clock.advance(700);
  ends[4]?.();
  await clock.advance(1000);
  assert.deepEqual(outcomes, ["0 answered at 500", "3 answered at 500", "1 late at 1100", "2 late at 1200", "4 answered at 1200"]);
  assert.equal(clock.pendingCount, 0);
});
