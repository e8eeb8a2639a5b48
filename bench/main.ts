/**
 * The figures that users feel, as ratios to Kubernetes 1.36 where its figure is known. Gates nothing.
 *
 *     npm run bench                        start, memory, API rates, definitions of custom resources, first Pod
 *     npm run bench -- api pod             some sections
 *     KUBE_PEER_DIR=dir npm run bench -- server --quick    lists, watches, starts, memory, beside kube-apiserver and etcd
 *     PEER_KUBECONFIG=file npm run bench -- api    asks a peer's API server the same, on this machine
 *     KUBE_PEER_DIR=dir npm run bench -- crds    definitions beside those of kube-apiserver and etcd
 *     npm run bench -- scheduler SchedulingBasic    workloads of scheduler_perf
 *     node bench/store.ts, bench/scheduler-scale.ts, bench/crds.ts    the parts by themselves
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { HttpClient } from "#base/http.ts";
import { silentLogger } from "#base/log.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { openWorld } from "#base/os/world.ts";
import { readCredentials } from "#cmd/remote.ts";
import { benchApiServer } from "./api-server.ts";
import { subjects } from "./api-server-peers.ts";
import { type DefinitionCosts, definitionCosts } from "./crds.ts";
import { endProcess } from "../tools/end-process.ts";
import { done, podOf, pods, rate } from "./requests.ts";

const root = join(import.meta.dirname, "..");
const world = openWorld({ log: silentLogger });

/** Kubernetes 1.36.2 built from source, on a machine of this size. Source: the project's design. */
const upstream = { readyMs: 2600, memoryMiB: 495, createPerS: 1000, getPerS: 1750, list5000Ms: 370, firstPodMs: 20_000 };
/** Of a definition of 800 properties. */
const upstreamDefinitionMiB = 13.3;

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly upstream?: number;
}

function tell({ name, value, unit, upstream: theirs }: Figure): void {
  const better = unit === "/s" ? value / (theirs ?? 1) : (theirs ?? 1) / value;
  const ratio = theirs === undefined ? "" : `${better.toFixed(1)} times as good as upstream's ${theirs}`;
  process.stdout.write(`${name.padEnd(44)} ${value.toFixed(value < 10 ? 2 : 0).padStart(8)} ${unit.padEnd(4)} ${ratio}\n`);
}

interface Server {
  readonly directory: string;
  readonly child: ChildProcess;
  readonly readyMs: number;
}

async function startApiServer(): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), "kubets-bench-"));
  const began = performance.now();
  const args = ["apiserver", "--data-dir", directory, "--bind-address", "127.0.0.1", "--secure-port", "0"];
  const child = spawn("./kubets", [...args, "--disable-admission-plugins=ServiceAccount"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (line.includes("ready")) break;
  }
  return { directory, child, readyMs: performance.now() - began };
}

async function stopServer({ child, directory }: Server): Promise<void> {
  await endProcess(child);
  rmSync(directory, { recursive: true });
}

function memoryMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
}

async function benchStart(): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const server = await startApiServer();
    times.push(server.readyMs);
    if (i === 4) tell({ name: "API server, memory when ready", value: memoryMiB(server.child.pid as number), unit: "MiB" });
    await stopServer(server);
  }
  times.sort((a, b) => a - b);
  tell({ name: "API server, command to ready (median of 5)", value: times[2] ?? 0, unit: "ms", upstream: upstream.readyMs });
}

async function openHttp(kubeconfig: string): Promise<HttpClient> {
  const { baseUrl, trust, pair, token } = await readCredentials(world, kubeconfig);
  return createHttpClient({ baseUrl, tls: { ...trust, ...pair }, ...(token !== undefined && { token }) });
}

interface ApiRates {
  readonly createPerS: number;
  readonly getPerS: number;
  readonly list5000Ms: number;
}

async function apiRates(http: HttpClient): Promise<ApiRates> {
  const removeAll = (): Promise<void> => done(http, "DELETE", pods, '{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}');
  await rate(0, 500, (i) => done(http, "POST", pods, podOf(10_000 + i)));
  await removeAll();
  const createPerS = await rate(0, 5000, (i) => done(http, "POST", pods, podOf(i)));
  const getPerS = await rate(0, 10_000, (i) => done(http, "GET", `${pods}/bench-${i % 5000}`));
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const began = performance.now();
    await done(http, "GET", pods);
    best = Math.min(best, performance.now() - began);
  }
  await removeAll();
  return { createPerS, getPerS, list5000Ms: best };
}

async function benchApi(): Promise<void> {
  const peer = process.env["PEER_KUBECONFIG"];
  let theirs: ApiRates = upstream;
  if (peer !== undefined) {
    await using http = await openHttp(peer);
    theirs = await apiRates(http);
  }
  const server = await startApiServer();
  {
    await using http = await openHttp(join(server.directory, "kubeconfig"));
    const ours = await apiRates(http);
    tell({ name: "create Pod, durable, 64 in flight", value: ours.createPerS, unit: "/s", upstream: theirs.createPerS });
    tell({ name: "get Pod, 64 in flight", value: ours.getPerS, unit: "/s", upstream: theirs.getPerS });
    tell({ name: "list 5,000 Pods", value: ours.list5000Ms, unit: "ms", upstream: theirs.list5000Ms });
    tell({ name: "API server, memory after 5,000 Pods", value: memoryMiB(server.child.pid as number), unit: "MiB" });
  }
  await stopServer(server);
}

/** Definitions of custom resources; with `KUBE_PEER_DIR` the peer's figures take the place of the known ones. */
async function benchCrds(): Promise<void> {
  for (const [count, properties] of [[1000, 200], [200, 800]] as const) {
    const costs: DefinitionCosts[] = [];
    for (const open of subjects()) {
      await using subject = await open();
      await subject.start?.();
      await using http = subject.open();
      costs.push(await definitionCosts(http, { memoryMiB: subject.memoryMiB ?? (() => Number.NaN), count, properties }));
    }
    const [ours, peer] = costs;
    const memoryMiBEach = peer?.memoryMiBEach ?? (properties === 800 ? upstreamDefinitionMiB : undefined);
    const what = `CRD of ${properties} properties and an instance`;
    const beside = (upstream: number | undefined) => (upstream === undefined || Number.isNaN(upstream) ? {} : { upstream });
    tell({ name: `${what}, memory`, value: ours?.memoryMiBEach ?? 0, unit: "MiB", ...beside(memoryMiBEach) });
    tell({ name: `${what}, time`, value: ours?.msEach ?? 0, unit: "ms", ...beside(peer?.msEach) });
  }
}

function kubets(...args: string[]): string {
  return execFileSync("./kubets", args, { cwd: root, encoding: "utf8" });
}

/** From nothing to a Pod that runs, with real containers. */
async function benchPod(): Promise<void> {
  if (process.getuid?.() !== 0) return void process.stdout.write("pod: needs root\n");
  const directory = mkdtempSync(join(tmpdir(), "kubets-bench-"));
  const data = ["--data-dir", directory];
  try {
    const began = performance.now();
    kubets("up", ...data, "--detach");
    const readyMs = performance.now() - began;
    kubets("kubectl", ...data, "apply", "-f", "samples/hello.yaml");
    kubets("kubectl", ...data, "wait", "--for=condition=Available", "deployment/web", "--timeout=60s");
    tell({ name: "up, command to ready, containerd too", value: readyMs, unit: "ms" });
    tell({ name: "nothing to a Deployment of 3 available", value: performance.now() - began, unit: "ms", upstream: upstream.firstPodMs });
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const created = performance.now();
      kubets("kubectl", ...data, "run", `one-${i}`, "--image=kubets.local/hello:1", "--image-pull-policy=IfNotPresent");
      kubets("kubectl", ...data, "wait", "--for=condition=Ready", `pod/one-${i}`, "--timeout=60s");
      times.push(performance.now() - created);
    }
    times.sort((a, b) => a - b);
    tell({ name: "kubectl run to Ready (median of 5, two kubectls)", value: times[2] ?? 0, unit: "ms" });
    const { pid } = JSON.parse(readFileSync(join(directory, "run/server.json"), "utf8")) as { pid: number };
    tell({ name: "whole cluster in one process, memory", value: memoryMiB(pid), unit: "MiB", upstream: upstream.memoryMiB });
  } finally {
    kubets("down", ...data, "--purge");
  }
}

/** Workloads of scheduler_perf; further words choose them. */
function benchScheduler(): Promise<void> {
  const chosen = words.slice(words.indexOf("scheduler") + 1);
  execFileSync(process.execPath, [join(root, "bench/scheduler.ts"), ...chosen], { cwd: root, stdio: "inherit" });
  return Promise.resolve();
}

const sections: Readonly<Record<string, () => Promise<void>>> = {
  start: benchStart,
  api: benchApi,
  server: () => benchApiServer(process.argv.includes("--quick")),
  crds: benchCrds,
  pod: benchPod,
  scheduler: benchScheduler,
};
const words = process.argv.slice(2).filter((word) => word !== "--quick");
const wanted = words.includes("scheduler") ? words.slice(0, words.indexOf("scheduler") + 1) : words;
for (const [name, run] of Object.entries(sections)) {
  if (wanted.length === 0 || wanted.includes(name)) await run();
}
