/**
 * A process that writes to a durable store until it is killed, and tells on its standard output
 * what was acknowledged: `writer counter revision`, a line each. Arguments: directory, writers,
 * round.
 */
import { writeSync } from "node:fs";
import { systemClock } from "#base/os/clock.ts";
import { systemFiles } from "#base/os/files.ts";
import { systemRandom } from "#base/os/random.ts";
import { openDurableStore } from "../durable.ts";
import { putOp } from "../store-contract.ts";

const [directory = "", writers = "", round = ""] = process.argv.slice(2);

const store = await openDurableStore({
  files: systemFiles,
  directory,
  clock: systemClock,
  random: systemRandom,
  segmentBytesMax: 1024 * 1024,
});
// Blocking: what was acknowledged must be told before anything else happens.
const tell = (line: string): void => void writeSync(1, `${line}\n`);
tell("open");
await Promise.all(
  Array.from({ length: Number(writers) }, async (_, writer) => {
    for (let counter = 1; ; counter++) {
      const text = `${round}/${counter}/`.padEnd(200 + ((counter * 37) % 1000), "x");
      const op = putOp(`/writer/${writer}`, text);
      const { revision } = await store.txn({ compare: [], success: [op] });
      tell(`${writer} ${counter} ${revision}`);
      if (writer === 0 && counter % 50 === 0) await store.compact(revision - 20).catch(() => {});
    }
  }),
);
