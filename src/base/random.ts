/** Randomness as a port: `os/random.ts` is the real one, `virtual/random.ts` is seeded. */
export interface Random {
  /** 0 <= x < 1. */
  float(): number;
  /** 0 <= n < `limit`, an integer. */
  below(limit: number): number;
  /** RFC 9562 version 4, lower case. */
  uuid(): string;
  /** Cryptographically strong in the real implementation. */
  bytes(count: number): Uint8Array;
}

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** Characters that form no words, as upstream's `rand.String`: for `generateName` and Pod names. */
export function randomSuffix(random: Random, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += suffixAlphabet[random.below(suffixAlphabet.length)];
  return text;
}
