import type { Logger } from "../log.ts";
import type { World } from "../world.ts";
import { systemClock } from "./clock.ts";
import { systemFiles } from "./files.ts";
import { systemProcesses } from "./processes.ts";
import { systemRandom } from "./random.ts";

/** The machine itself: real time, randomness, disk and processes, with the caller's logger. */
export function openWorld(options: { readonly log: Logger }): World {
  return {
    clock: systemClock,
    random: systemRandom,
    files: systemFiles,
    processes: systemProcesses,
    log: options.log,
  };
}
