import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Random } from "../random.ts";

/** The machine's randomness; all but `float` is cryptographically strong. */
export const systemRandom: Random = {
  float: () => Math.random(),
  below: (limit) => (limit <= 1 ? 0 : randomInt(limit)),
  uuid: () => randomUUID(),
  bytes: (count) => randomBytes(count),
};
