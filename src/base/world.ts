import type { Clock } from "./clock.ts";
import type { Files } from "./files.ts";
import type { Logger } from "./log.ts";
import type { Processes } from "./processes.ts";
import type { Random } from "./random.ts";

/** Everything outside the program that components may touch, as one value handed down. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly processes: Processes;
  readonly log: Logger;
}
