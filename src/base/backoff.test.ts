import assert from "node:assert/strict";
import { test } from "node:test";
import { createBackoff, createKeyedBackoff, type BackoffOptions } from "./backoff.ts";
import { createVirtualClock } from "./virtual/clock.ts";
import { createVirtualRandom } from "./virtual/random.ts";

test("createBackoff grows by factor, to the cap, for so many steps", () => {
  const rows: [options: BackoffOptions, delaysMs: number[]][] = [
    [{ initialMs: 10 }, [10, 20, 40, 80, 160]],
    [{ initialMs: 10, capMs: 50 }, [10, 20, 40, 50, 50]],
    [{ initialMs: 10, steps: 2 }, [10, 20, 40, 40, 40]],
    [{ initialMs: 10, factor: 0 }, [10, 10, 10, 10, 10]],
    [{ initialMs: 10, factor: 3, steps: 0 }, [10, 10, 10, 10, 10]],
  ];
  for (const [options, delaysMs] of rows) {
    const backoff = createBackoff(options, createVirtualRandom(1));
    assert.deepEqual(
      delaysMs.map(() => backoff.nextMs()),
      delaysMs,
    );
    backoff.reset();
    assert.equal(backoff.nextMs(), options.initialMs);
  }
});

test("createBackoff adds jitter to the delay, not to its growth", () => {
  const backoff = createBackoff({ initialMs: 100, jitter: 0.5 }, createVirtualRandom(1));
  const delays = Array.from({ length: 8 }, () => backoff.nextMs());
  for (const [i, delayMs] of delays.entries()) {
    const baseMs = 100 * 2 ** i;
    assert.ok(delayMs >= baseMs && delayMs < 1.5 * baseMs, `${i}: ${delayMs}`);
  }
  assert.ok(new Set(delays.map((delayMs, i) => delayMs / 2 ** i)).size > 4);
});

test("createKeyedBackoff doubles per key, and forgets a key that was quiet for twice the most", async () => {
  const clock = createVirtualClock();
  const backoff = createKeyedBackoff({ initialMs: 10, maxMs: 35 }, clock);
  assert.deepEqual([backoff.next("a"), backoff.next("a"), backoff.next("b")], [10, 20, 10]);
  await clock.advance(15);
  assert.deepEqual([backoff.remainingMs("a"), backoff.remainingMs("b")], [5, 0]);
  assert.deepEqual([backoff.next("a"), backoff.next("a")], [35, 35]);
  await clock.advance(71);
  assert.deepEqual([backoff.currentMs("a"), backoff.next("a")], [0, 10]);
  backoff.forget("a");
  assert.equal(backoff.currentMs("a"), 0);
});
