/**
 * A durable store behind etcd's face, to be killed. Arguments: directory, port (0 for any).
 * Prints the port when it serves.
 */
import { systemClock } from "#base/os/clock.ts";
import { systemFiles } from "#base/os/files.ts";
import { systemRandom } from "#base/os/random.ts";
import { openDurableStore } from "#store/durable.ts";
import { serveEtcd } from "#store/etcd-server.ts";

const [directory = "", port = "0"] = process.argv.slice(2);
const store = await openDurableStore({
  files: systemFiles,
  directory,
  clock: systemClock,
  random: systemRandom,
});
const server = await serveEtcd({
  store,
  clock: systemClock,
  host: "127.0.0.1",
  port: Number(port),
});
process.stdout.write(`${server.port}\n`);
