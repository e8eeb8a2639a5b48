import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { allocate, type Claim } from "./concurrency-allocation.ts";

const rows: readonly [name: string, total: number, claims: Claim[], amounts: number[] | undefined][] = [
  ["no bound is met", 10, [{ target: 1, lower: 0, upper: 20 }, { target: 4, lower: 0, upper: 20 }], [2, 8]],
  ["a lower bound holds", 10, [{ target: 5, lower: 5, upper: 20 }, { target: 10, lower: 0, upper: 20 }], [5, 5]],
  ["an upper bound holds", 10, [{ target: 5, lower: 0, upper: 2 }, { target: 5, lower: 0, upper: 20 }], [2, 8]],
  ["all at the bottom", 3, [{ target: 2, lower: 2, upper: 9 }, { target: 1, lower: 1, upper: 9 }], [2, 1]],
  ["all at the top", 5, [{ target: 2, lower: 2, upper: 3 }, { target: 1, lower: 1, upper: 2 }], [3, 2]],
  ["nothing wanted is shared evenly", 8, [{ target: 0, lower: 0, upper: 9 }, { target: 0, lower: 0, upper: 9 }], [4, 4]],
  ["less than the bottom", 2, [{ target: 2, lower: 2, upper: 3 }, { target: 1, lower: 1, upper: 2 }], undefined],
  ["more than the top", 6, [{ target: 2, lower: 2, upper: 3 }, { target: 1, lower: 1, upper: 2 }], undefined],
];

for (const [name, total, claims, amounts] of rows) {
  test(`allocate: ${name}`, () => {
    const rounded = allocate(total, claims)?.amounts.map((amount) => Math.round(amount * 1e6) / 1e6);
    assert.deepEqual(rounded, amounts);
  });
}

test("allocate keeps what it promises", () => {
  const claim = fc
    .tuple(fc.nat({ max: 100 }), fc.nat({ max: 100 }), fc.nat({ max: 200 }))
    .map(([lower, more, room]) => ({ lower, target: lower + more, upper: lower + room }));
  fc.assert(
    fc.property(fc.array(claim, { minLength: 1, maxLength: 8 }), fc.nat({ max: 1000 }), (claims, part) => {
      const low = claims.reduce((sum, { lower }) => sum + lower, 0);
      const high = claims.reduce((sum, { upper }) => sum + upper, 0);
      const total = low + Math.round(((high - low) * part) / 1000);
      const found = allocate(total, claims);
      assert.ok(found);
      const sum = found.amounts.reduce((all, amount) => all + amount, 0);
      assert.ok(Math.abs(sum - total) < 1e-4, `${sum} of ${total}`);
      claims.forEach(({ lower, upper, target }, i) => {
        const fair = found.fairFraction * Math.max(target, 0.001);
        assert.ok(Math.abs((found.amounts[i] as number) - Math.max(lower, Math.min(upper, fair))) < 1e-6);
      });
    }),
  );
});
