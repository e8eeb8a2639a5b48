/**
 * A whole cluster of hollow nodes in one process: API server, scheduler, kubelets that are not.
 * Prints how long it takes until every pod runs, and the memory it takes.
 *
 *     node bench/scheduler-scale.ts [NODES] [PODS]
 */
import { writeHeapSnapshot } from "node:v8";
import { namespaces } from "#api/core/v1/namespace.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { systemClock } from "#base/os/clock.ts";
import { silentLogger } from "#base/log.ts";
import { startHollowNodes } from "#testing/hollow-node.ts";
import { openBenchCluster } from "./scheduler-cluster.ts";

const [nodeCount = 5000, podCount = 100_000] = process.argv.slice(2).map(Number);
const podsPerNamespace = 1000;
const inFlightMax = 64;

await using cluster = await openBenchCluster({ featureGates: "" });
const { client, informers, lifetime } = cluster;
const startMs = systemClock.monotonicMs();
const tell = (what: string): void => {
  const seconds = (systemClock.monotonicMs() - startMs) / 1000;
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const megabytes = [rss, heapUsed, arrayBuffers].map((bytes) => (bytes / 2 ** 20).toFixed(0).padStart(6));
  process.stdout.write(
    `${what.padEnd(32)} ${seconds.toFixed(1).padStart(6)} s ${cpuSeconds.toFixed(1).padStart(6)} s of CPU ` +
      `${megabytes.join(" ")} MiB (resident, heap, buffers)\n`,
  );
};

await startHollowNodes({
  client,
  informers,
  clock: systemClock,
  log: silentLogger,
  lifetime,
  count: nodeCount,
});
tell(`${nodeCount} nodes registered`);
cluster.start(informers);

const running = new Set<string>();
const { promise: allRun, resolve } = Promise.withResolvers<void>();
const look = ({ metadata, status }: Pod): void => {
  if (status?.phase !== "Running") return;
  running.add(metadata?.uid ?? "");
  if (running.size === podCount) resolve();
};
informers.of(pods).subscribe({ onAdd: look, onUpdate: look });

for (let i = 0; i * podsPerNamespace < podCount; i++) {
  await client.resource(namespaces).create({ metadata: { name: `load-${i}` }, spec: {} });
}
let next = 0;
async function create(): Promise<void> {
  while (next < podCount) {
    const i = next++;
    const namespace = `load-${Math.floor(i / podsPerNamespace)}`;
    const requests = { cpu: "100m", memory: "200Mi" };
    const container = { name: "main", image: "registry.example/app", resources: { requests } };
    await client
      .resource(pods)
      .create({ metadata: { name: `pod-${i}`, namespace }, spec: { containers: [container] } });
  }
}
await Promise.all(Array.from({ length: inFlightMax }, create));
tell(`${podCount} pods created`);
await allRun;
tell(`${podCount} pods running`);
if (globalThis.gc !== undefined) {
  globalThis.gc();
  tell("after garbage collection");
}
const snapshotFile = process.env["HEAP_SNAPSHOT"];
if (snapshotFile !== undefined) writeHeapSnapshot(snapshotFile);
