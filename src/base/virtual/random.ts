import type { Random } from "../random.ts";

/** Randomness that a seed decides: the same seed gives the same sequence on every machine. */
export function createVirtualRandom(seed: number): Random {
  const next32 = xoshiro128(seed);
  const float = (): number => (next32() * 2 ** 21 + (next32() >>> 11)) / 2 ** 53;

  function bytes(count: number): Uint8Array {
    const result = new Uint8Array(count);
    for (let i = 0; i < count; i++) result[i] = next32() & 0xff;
    return result;
  }

  function uuid(): string {
    const raw = bytes(16);
    raw[6] = ((raw[6] ?? 0) & 0x0f) | 0x40;
    raw[8] = ((raw[8] ?? 0) & 0x3f) | 0x80;
    const hex = Buffer.from(raw).toString("hex");
    const cuts = [0, 8, 12, 16, 20, 32];
    return cuts
      .slice(1)
      .map((end, i) => hex.slice(cuts[i], end))
      .join("-");
  }

  return { float, below: (limit) => Math.floor(float() * limit), uuid, bytes };
}

/** xoshiro128** (Blackman and Vigna), its state filled from the seed by splitmix32. */
function xoshiro128(seed: number): () => number {
  let fill = seed | 0;
  const splitmix = (): number => {
    fill = (fill + 0x9e3779b9) | 0;
    let z = fill ^ (fill >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()];
  return () => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}
