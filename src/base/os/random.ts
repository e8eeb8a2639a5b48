import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Random } from "../random.ts";

/** The machine's randomness; all but `float` is cryptographically strong. */
export const systemRandom: Random = {
  float: () => Math.random(),
  below: (limit) => (limit <= 1 ? 0 : randomInt(limit)),
  uuid: () => randomUUID(),
  bytes: pooledBytes,
};

/** Small requests are served from so many bytes at a time: a call of the system costs microseconds. */
const poolBytes = 4096;
let pool = Buffer.alloc(0);
let taken = 0;

function pooledBytes(count: number): Uint8Array {
  if (count > poolBytes / 16) return randomBytes(count);
  if (taken + count > pool.length) {
    pool = randomBytes(poolBytes);
    taken = 0;
  }
  const bytes = Uint8Array.prototype.slice.call(pool, taken, taken + count);
  pool.fill(0, taken, (taken += count));
  return bytes;
}
