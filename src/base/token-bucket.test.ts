import assert from "node:assert/strict";
import { test } from "node:test";
import { createTokenBucket } from "./token-bucket.ts";

test("a bucket is full at first, tells how long it is empty, and never holds more than its burst", () => {
  let nowMs = 0;
  const bucket = createTokenBucket({ qps: 4, burst: 2 }, { monotonicMs: () => nowMs });
  assert.deepEqual([bucket.take(), bucket.take(), bucket.take()], [0, 0, 250]);
  nowMs += 200;
  assert.equal(bucket.take(), 50);
  nowMs += 50;
  assert.equal(bucket.take(), 0);
  nowMs += 60_000;
  assert.deepEqual([bucket.take(), bucket.take(), bucket.take()], [0, 0, 250]);
});
