import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dealHand, hashFlow } from "./shuffle-sharding.ts";

test("a hand has different cards of the deck, the same for the same hash", () => {
  const deck = fc.integer({ min: 1, max: 512 }).chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 1, max: Math.min(size, 10) })));
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), deck, (hash, [deckSize, handSize]) => {
      const hand = dealHand(hash, deckSize, handSize);
      assert.equal(new Set(hand).size, handSize);
      assert.ok(hand.every((card) => card >= 0 && card < deckSize));
      assert.deepEqual(dealHand(hash, deckSize, handSize), hand);
    }),
  );
});

test("cards are numbers among those left", () => {
  // 5 = 1 + 4*(1 + 3*0): card 1 of four, then card 1 of the three others.
  assert.deepEqual(dealHand(5n, 4, 3), [1, 2, 0]);
  assert.deepEqual(dealHand(0n, 4, 4), [0, 1, 2, 3]);
});

test("every card comes about as often", () => {
  const counts = Array.from({ length: 16 }, () => 0);
  for (let i = 0; i < 4000; i++) {
    for (const card of dealHand(hashFlow("schema", `user-${i}`), 16, 4)) counts[card] = (counts[card] as number) + 1;
  }
  assert.ok(counts.every((count) => count > 850 && count < 1150), counts.join(" "));
});
