import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createHeap } from "./heap.ts";

test("pops come in order, whatever the order of pushes and pops", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (steps) => {
      const heap = createHeap<number>((a, b) => a < b);
      let model: number[] = [];
      for (const step of steps) {
        if (step === undefined) {
          model = model.toSorted((a, b) => a - b);
          assert.equal(heap.peek(), model[0]);
          assert.equal(heap.pop(), model.shift());
        } else {
          heap.push(step);
          model.push(step);
        }
        assert.equal(heap.size, model.length);
      }
      const rest = Array.from({ length: heap.size }, () => heap.pop());
      assert.deepEqual(
        rest,
        model.toSorted((a, b) => a - b),
      );
      assert.equal(heap.pop(), undefined);
    }),
  );
});
