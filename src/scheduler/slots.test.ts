import assert from "node:assert/strict";
import { test } from "node:test";
import { Slots } from "./slots.ts";

test("Slots are full with as many promises as there are slots, and free with the first that ends", async () => {
  const slots = new Slots(2);
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  slots.take(first.promise);
  assert.deepEqual([slots.count, slots.full], [1, false]);
  slots.take(second.promise);
  assert.deepEqual([slots.count, slots.full], [2, true]);
  const freed = slots.freed();
  second.resolve();
  await freed;
  assert.deepEqual([slots.count, slots.full], [1, false]);
});
