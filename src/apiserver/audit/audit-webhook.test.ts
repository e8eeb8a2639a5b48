import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpClient, HttpResponse } from "#base/http.ts";
import { silentLogger } from "#base/log.ts";
import { createMetricRegistry } from "#base/metrics.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { auditErrors } from "./audit-log.ts";
import { batched } from "./audit-sink.ts";
import { auditWebhook } from "./audit-webhook.ts";

/** A webhook that answers once somebody calls an entry of `waiting`, with a status. */
function bench() {
  const waiting: ((status: number) => void)[] = [];
  const received: number[] = [];
  let isClosed = false;
  const http: HttpClient = {
    request: ({ body }) => {
      assert.equal(isClosed, false, "a request after the end");
      received.push((JSON.parse(String(body)) as { items: unknown[] }).items.length);
      return new Promise((resolve) => {
        waiting.push((status) => resolve({ status, discard() {} } as HttpResponse));
      });
    },
    upgrade: () => Promise.reject(new Error("no upgrades here")),
    reconnect() {},
    async [Symbol.asyncDispose]() {
      isClosed = true;
    },
  };
  const lost = auditErrors(createMetricRegistry()).with("webhook");
  const clock = createVirtualClock();
  const batching = { bufferMax: 10_000, batchMax: 1, waitMs: 30_000, sendingMax: 15 };
  const sink = auditWebhook({ http, path: "/", clock, random: createVirtualRandom(1), log: silentLogger, initialBackoffMs: 10_000, lost });
  const backend = batched(sink, { batching, clock, log: silentLogger, dropped: lost });
  return { waiting, received, lost, backend };
}

/** Answers all that is asked until the backend has ended. */
async function end({ waiting, backend }: ReturnType<typeof bench>, status: number): Promise<void> {
  let isOver = false;
  const ended = backend[Symbol.asyncDispose]().then(() => (isOver = true));
  while (!isOver) {
    for (const answer of waiting.splice(0)) answer(status);
    // Long enough for whatever does not wait for answers to go on.
    for (let turns = 0; turns < 50; turns++) await Promise.resolve();
  }
  await ended;
}

for (const [status, lost] of [
  [200, 0],
  [500, 40],
] as const) {
  test(`at the end all that waits is posted, while others are under way: ${lost} of 40 are lost when the answer is ${status}`, async () => {
    const world = bench();
    for (let i = 0; i < 40; i++) world.backend.write({ i });
    await end(world, status);
    assert.equal(world.received.length, 40);
    assert.equal(world.lost.value, lost);
  });
}
