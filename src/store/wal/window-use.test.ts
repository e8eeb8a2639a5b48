import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { openDurableStore, type DurableStore } from "../durable.ts";
import { putOp } from "../store-contract.ts";

const files = createVirtualFiles();
const open = (directory: string): Promise<DurableStore> =>
  openDurableStore({ files, directory, clock: createVirtualClock(), random: createVirtualRandom(1) });

/** Bytes of memory behind the newest values. */
async function heldBytes(store: DurableStore): Promise<number> {
  const { entries } = await store.range({ key: "", end: "\0" });
  const buffers = new Set(entries.map(({ value }) => value.buffer));
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

test("values of a log that was all creation are not copied", async () => {
  const store = await open("/created");
  for (let i = 0; i < 100; i++) await store.txn({ compare: [], success: [putOp(`k${i}`, "x".repeat(5000))] });
  await store[Symbol.asyncDispose]();
  await using again = await open("/created");
  const { entries } = await again.range({ key: "", end: "\0" });
  assert.equal(new Set(entries.map(({ value }) => value.buffer)).size, 1);
});

test("a few values that last do not keep the history around them", async () => {
  const store = await open("/rewritten");
  for (let i = 0; i < 2000; i++) {
    const key = i % 500 === 0 ? `lasting-${i}` : "hot";
    await store.txn({ compare: [], success: [putOp(key, `${i}`.padEnd(5000))] });
  }
  await store[Symbol.asyncDispose]();
  await using again = await open("/rewritten");
  const held = await heldBytes(again);
  assert.ok(held < 100_000, `${held} bytes`);
  const { entries } = await again.range({ key: "", end: "\0" });
  assert.deepEqual(
    entries.map(({ key, value }) => `${key}=${Buffer.from(value).toString().trim()}`),
    ["hot=1999", "lasting-0=0", "lasting-1000=1000", "lasting-1500=1500", "lasting-500=500"],
  );
});
