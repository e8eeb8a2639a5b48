import assert from "node:assert/strict";
import { it } from "node:test";
import { createNodeOrder } from "./node-order.ts";
import { node } from "./testing/world.ts";

it("createNodeOrder takes one node of each zone in turn", () => {
  const order = createNodeOrder();
  const add = (name: string, index: number, zone?: string): void =>
    order.add(name, index, node(name, zone === undefined ? {} : { labels: { "topology.kubernetes.io/zone": zone } }));
  for (const [i, zone] of ["a", "a", "a", "b", "b", undefined].entries()) add(`n${i}`, i, zone);
  assert.deepEqual(order.list(), [0, 3, 5, 1, 4, 2]);
  order.remove("n3");
  assert.deepEqual(order.list(), [0, 4, 5, 1, 2]);
  add("n1", 1, "c");
  assert.deepEqual(order.list(), [0, 4, 5, 1, 2]);
  add("n2", 2, "c");
  assert.deepEqual(order.list(), [0, 4, 5, 1, 2]);
  assert.equal(order.list(), order.list());
});
