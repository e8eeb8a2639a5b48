import assert from "node:assert/strict";
import { test } from "node:test";
import { startKubeletWorld } from "../testing/kubelet-world.ts";
import { defaultKubeletConfig } from "../config.ts";
import { kubeletHandler } from "./kubelet-server.ts";
import { createUsageRates } from "./usage-rates.ts";
import { readInterfaces, readProcessCount } from "./node-usage.ts";
import { readNodeLog } from "./node-logs.ts";
import { runningPods } from "./running-pods.ts";
import { statsSummary } from "./stats-summary.ts";

test("runningPods tells of containers that run, and of nothing else", async () => {
  const world = await startKubeletWorld({ scripts: { once: { exitAfterMs: 10 } } });
  world.run("web", {});
  world.run("job", { restartPolicy: "Never", containers: [{ name: "once", image: "app:1" }] });
  await world.settle();
  const shown = runningPods(world.kubelet).map(({ metadata, spec }) => [
    metadata.name,
    spec.containers.map(({ name, image }) => `${name} ${image}`),
  ]);
  assert.deepEqual(shown, [["web", ["main app:1"]]]);
  await world.lifetime.end();
});

test("the summary's rates are those between two looks at the counters", async () => {
  const world = await startKubeletWorld();
  const { files } = world.world;
  const rates = createUsageRates();
  const look = async (ticks: number) => {
    await files.write("/proc/stat", `cpu  ${ticks} 0 0 500 0 0 0 0\nbtime 1700000000\n`);
    return (await statsSummary(world.kubelet, rates)).node;
  };
  await files.write("/proc/vmstat", "nr_free_pages 1\npgfault 70\npgmajfault 7\n");
  assert.equal((await look(100)).cpu.usageNanoCores, undefined);
  await world.settle(1_600);
  const { cpu, memory } = await look(260);
  assert.deepEqual([cpu.usageCoreNanoSeconds, cpu.usageNanoCores], [2.6e9, 1e9]);
  assert.deepEqual([memory.pageFaults, memory.majorPageFaults], [70, 7]);
  await world.lifetime.end();
});

test("interfaces and processes are read from /proc", async () => {
  const { world, lifetime } = await startKubeletWorld();
  await world.files.makeDirectory("/proc/net");
  await world.files.write(
    "/proc/net/dev",
    "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop|bytes packets errs\n" +
      "    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 10 2 3 0 0 0 0 0 40 5 6 0 0 0 0 0\n",
  );
  assert.deepEqual(await readInterfaces(world), [{ name: "eth0", rxBytes: 10, rxErrors: 3, txBytes: 40, txErrors: 6 }]);
  await world.files.makeDirectory("/proc/sys/kernel");
  await world.files.write("/proc/sys/kernel/pid_max", "32768\n");
  await world.files.write("/proc/loadavg", "0.1 0.2 0.3 2/174 900\n");
  assert.deepEqual(await readProcessCount(world), { max: 32768, current: 174 });
  await lifetime.end();
});

test("the node's logs are read as files and lists, and nothing beside them", async () => {
  const { world, kubelet, lifetime } = await startKubeletWorld();
  await world.files.makeDirectory("/var/log/pods/a_b_c/main");
  await world.files.write("/var/log/pods/a_b_c/main/0.log", "said\n");
  await world.files.write("/var/log/pods/a_b_c/x&y", "");
  const text = async (...path: string[]) => {
    const log = await readNodeLog(kubelet, path);
    return log && Buffer.from(log.content).toString();
  };
  assert.equal(await text(""), '<pre>\n<a href="pods/">pods/</a>\n</pre>\n');
  const list = '<pre>\n<a href="main/">main/</a>\n<a href="x&y">x&#38;y</a>\n</pre>\n';
  assert.equal(await text("pods", "a_b_c", ""), list);
  assert.equal(await text("pods", "a_b_c", "main", "0.log"), "said\n");
  const refused = [["pods", ".."], ["pods", "a_b_c/../.."], ["pods", "none"], ["..", "etc"]];
  for (const path of refused) assert.equal(await text(...path), undefined, path.join("/"));
  await lifetime.end();
});

test("what the runtime says against a stream is the answer", async () => {
  const { kubelet, lifetime, run, settle } = await startKubeletWorld();
  run("web", {});
  await settle();
  const handle = kubeletHandler({
    kubelet,
    config: { ...defaultKubeletConfig, nodeName: "n", nodeIps: [], directories: kubelet.services.directories },
    auth: undefined,
    metrics: kubelet.metrics,
    openHttpClient: () => assert.fail("no stream was given"),
  });
  const answers: unknown[] = [];
  const url = "/attach/default/web/main?output=1";
  const respond = (status: number, _headers: object, body: string) => answers.push([status, body]);
  await handle({ method: "GET", url, headers: {}, respond } as never);
  assert.deepEqual(answers, [[500, "rpc error: code = Unimplemented desc = not in the fake runtime"]]);
  await lifetime.end();
});
