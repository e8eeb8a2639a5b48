/**
 * Pods scheduled per second on the workloads of scheduler_perf, with the API server on a memory
 * store in this process. Prints one line a workload and gates nothing.
 *
 *     node bench/scheduler.ts [--queued] [DIRECTORY] [NAME...]
 *
 * NAME selects workloads that begin with it (default: SchedulingBasic/5000Nodes_10000Pods);
 * `--queued` creates the measured pods before the scheduler starts, so that creations do not
 * take its time. `gate` is what upstream asks of its own machines. With `KUBE_PEER_DIR` (a directory with
 * `kube-apiserver`, `etcd` and `kube-scheduler`) the last column is what those do here.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openBenchCluster } from "./scheduler-cluster.ts";
import { openPeerCluster } from "./scheduler-peer.ts";
import { runWorkload } from "./scheduler-run.ts";
import { readWorkloads, type Workload } from "./scheduler-workload.ts";

const words = process.argv.slice(2);
const queued = words.includes("--queued");
const rest = words.filter((word) => !word.startsWith("--"));
const directory =
  rest[0]?.includes("/") && !rest[0].match(/^[A-Z]/)
    ? (rest.shift() as string)
    : "../shared/kubernetes-1.36/scheduler_perf";
const wanted = rest.length > 0 ? rest : ["SchedulingBasic/5000Nodes_10000Pods"];

const all = readdirSync(directory, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith("performance-config.yaml"))
  .toSorted()
  .flatMap((file) => readWorkloads(join(directory, file)));

process.stdout.write(
  `${"workload".padEnd(64)} ${"pods/s".padStart(8)} ${"p50 ms".padStart(8)} ${"p99 ms".padStart(8)} ${"created/s".padStart(10)} ${"gate".padStart(6)} ${"peer/s".padStart(8)}\n`,
);
for (const workload of all) {
  if (wanted.some((name) => workload.name === name || workload.name.startsWith(`${name}/`)))
    await measure(workload);
}

async function measure(workload: Workload): Promise<void> {
  const gates = Object.entries(workload.featureGates).map(([gate, value]) => `${gate}=${value}`);
  // Its templates use a kind that 1.36 keeps behind a gate of its own.
  if (workload.directory.endsWith("devicetaints")) gates.push("DRADeviceTaintRules=true");
  const claims = workload.directory.split("/").includes("dra");
  const controllers = claims ? ["resourceclaim-controller", "garbage-collector-controller"] : [];
  await using cluster = await openBenchCluster({ featureGates: gates.join(","), controllers });
  const peerDirectory = process.env["KUBE_PEER_DIR"];
  const peer = peerDirectory === undefined || claims ? "" : await measurePeer(workload, peerDirectory, gates.join(","));
  try {
    for (const { podsPerSecond, latencyMs, createdPerSecond } of await runWorkload(
      workload,
      cluster,
      { queued },
    )) {
      const columns = [podsPerSecond, latencyMs.p50, latencyMs.p99].map((value) =>
        value.toFixed(0).padStart(8),
      );
      const gate = workload.threshold === undefined ? "" : String(workload.threshold);
      process.stdout.write(
        `${workload.name.padEnd(64)} ${columns.join(" ")} ${createdPerSecond.toFixed(0).padStart(10)} ${gate.padStart(6)} ${peer.padStart(8)}\n`,
      );
    }
  } catch (error) {
    process.stdout.write(
      `${workload.name.padEnd(64)} ${error instanceof Error ? error.message : String(error)}\n`,
    );
    await cluster.stop();
  }
}

/** Pods a second of Kubernetes' own, or why there are none. */
async function measurePeer(workload: Workload, directory: string, featureGates: string): Promise<string> {
  await using cluster = await openPeerCluster(directory, featureGates);
  try {
    const [figures] = await runWorkload(workload, cluster, { queued });
    return figures === undefined ? "" : figures.podsPerSecond.toFixed(0);
  } catch (error) {
    await cluster.stop();
    return error instanceof Error ? error.message : String(error);
  }
}
