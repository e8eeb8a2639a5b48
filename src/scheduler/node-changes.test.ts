import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeChanges } from "./node-changes.ts";

function since(changes: NodeChanges, seen: number): number[] {
  const told: number[] = [];
  changes.forEachSince(seen, (index) => told.push(index));
  return told.toSorted((a, b) => a - b);
}

test("NodeChanges tells each node that changed since, once", () => {
  const changes = new NodeChanges();
  for (const index of [3, 1, 3]) changes.changed(index);
  const seen = changes.sequence;
  assert.deepEqual(since(changes, 0), [1, 3]);
  assert.deepEqual(since(changes, seen), []);
  changes.changed(70);
  assert.deepEqual(since(changes, seen), [70]);
  assert.deepEqual([changes.changedAt[1], changes.changedAt[3], changes.changedAt[70]], [2, 3, 4]);
});

test("NodeChanges remembers what changed long ago too", () => {
  const changes = new NodeChanges();
  changes.changed(5);
  for (let i = 0; i < 5000; i++) changes.changed(200 + (i % 3));
  assert.deepEqual(since(changes, 0), [5, 200, 201, 202]);
  assert.deepEqual(since(changes, 1), [200, 201, 202]);
});
