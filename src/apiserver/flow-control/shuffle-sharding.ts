import { createHash } from "node:crypto";

/**
 * The queues that a flow may wait in: `handSize` different numbers below `deckSize`, the same for
 * the same hash. Two flows seldom share all of theirs, so that a noisy one harms few others.
 * Source: apiserver/pkg/util/shufflesharding.
 */
export function dealHand(hash: bigint, deckSize: number, handSize: number): number[] {
  const hand: number[] = [];
  const remainders: number[] = [];
  let rest = hash;
  for (let i = 0; i < handSize; i++) {
    const left = BigInt(deckSize - i);
    remainders.push(Number(rest % left));
    rest /= left;
    // A card's number among those left, turned into its number in the whole deck.
    let card = remainders[i] as number;
    for (let j = i; j > 0; j--) {
      if (card >= (remainders[j - 1] as number)) card++;
    }
    hand.push(card);
  }
  return hand;
}

/** Source: apf_controller.go hashFlowID. */
export function hashFlow(schemaName: string, distinguisher: string): bigint {
  const digest = createHash("sha256").update(`${schemaName}\0${distinguisher}`).digest();
  return digest.readBigUInt64LE(0);
}
