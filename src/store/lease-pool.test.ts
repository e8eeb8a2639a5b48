import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { LeasePool } from "./lease-pool.ts";
import { createMemoryStore } from "./memory.ts";

test("objects of one minute share a lease, which ends after all of their times", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock });
  const pool = new LeasePool(store, clock);
  const first = await pool.leaseFor(3600);
  await clock.advance(1_000);
  assert.equal(await pool.leaseFor(3600), first);
  await clock.advance(58_500);
  assert.equal(await pool.leaseFor(3600), first);
  const { remainingTtlSeconds } = await store.leaseStatus(first);
  assert.ok(remainingTtlSeconds >= 3600, `${remainingTtlSeconds} s are left`);
  await clock.advance(600);
  assert.notEqual(await pool.leaseFor(3600), first);
});

test("a lease is for 1000 objects at most", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock });
  const pool = new LeasePool(store, clock);
  const first = pool.leaseFor(3600);
  await clock.advance(1_000);
  const ids = await Promise.all([first, ...Array.from({ length: 1_001 }, () => pool.leaseFor(3600))]);
  const counts = new Map<bigint, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  assert.deepEqual([...counts.values()], [1000, 2]);
});

test("short times share next to nothing, other times nothing", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock });
  const pool = new LeasePool(store, clock);
  const ids = [];
  for (const ttlSeconds of [15, 15, 3600, 7200]) {
    ids.push(await pool.leaseFor(ttlSeconds));
    await clock.advance(100);
  }
  assert.equal(new Set(ids).size, 4);
});
