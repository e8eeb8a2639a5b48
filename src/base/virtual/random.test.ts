import assert from "node:assert/strict";
import { test } from "node:test";
import { randomSuffix } from "../random.ts";
import { createVirtualRandom } from "./random.ts";

test("the same seed gives the same sequence, another seed another", () => {
  const draw = (seed: number): unknown[] => {
    const random = createVirtualRandom(seed);
    return [random.uuid(), random.float(), random.below(1000), randomSuffix(random, 5)];
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test("below is even over its range", () => {
  const random = createVirtualRandom(1);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 100_000; i++) {
    const n = random.below(10);
    counts[n] = (counts[n] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`);
});

test("uuid is version 4", () => {
  const uuid = createVirtualRandom(3).uuid();
  assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
