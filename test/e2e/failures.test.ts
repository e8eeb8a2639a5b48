import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { clusterObstacle, httpGet, httpGetWhenServed, startCluster, type TestCluster, tryRun } from "./cluster-fixture.ts";
import { endProcess } from "../../tools/end-process.ts";

const obstacle = await clusterObstacle();
const options = { skip: obstacle ?? false, timeout: 180_000 };
let cluster: TestCluster;
const running = new Map<string, ChildProcess>();

before(async () => {
  if (obstacle !== undefined) return;
  cluster = await startCluster("--components=apiserver");
  for (const name of ["controller-manager", "scheduler", "kubelet", "proxy", "dns"]) start(name);
  await cluster.kubectl("apply", "-f", "samples/hello.yaml");
  await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
  assert.match(await answerWhenServed("30080"), /^hello from web-/);
});

after(async () => {
  if (obstacle === undefined) await cluster[Symbol.asyncDispose]();
});

function start(name: string): void {
  const { directory } = cluster;
  const flags: Record<string, readonly string[]> = {
    "controller-manager": ["--kubeconfig", join(directory, "controller-manager.conf"), "--leader-elect=false"],
    scheduler: ["--kubeconfig", join(directory, "scheduler.conf"), "--leader-elect=false"],
  };
  const data = name === "scheduler" ? [] : ["--data-dir", directory];
  running.set(name, cluster.startComponent(name, ...data, ...(flags[name] ?? [])));
}

async function stop(name: string): Promise<void> {
  const child = running.get(name);
  assert.ok(child !== undefined && child.exitCode === null, `${name} runs`);
  await endProcess(child, "SIGKILL");
}

function answerOf(port: string): Promise<string> {
  return httpGet(`http://${cluster.node.address}:${port}/`);
}

function answerWhenServed(port: string): Promise<string> {
  return httpGetWhenServed(`http://${cluster.node.address}:${port}/`);
}

async function podNames(): Promise<string[]> {
  return (await cluster.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}")).split(" ");
}

test("API server down: kubectl fails, Pods go on serving", options, async () => {
  process.kill(cluster.serverPid(), "SIGKILL");
  const failed = await cluster.tryKubectl("get", "pods");
  assert.notEqual(failed.code, 0);
  assert.match(failed.stderr, /refused/);
  assert.match(await answerOf("30080"), /^hello from web-/);
  await cluster.up("--components=apiserver");
  await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
});

test("scheduler down: a replacement stays Pending, and is placed when it returns", options, async () => {
  await stop("scheduler");
  const [first = ""] = await podNames();
  await cluster.kubectl("delete", "pod", first, "--grace-period=1");
  const pending = await cluster.kubectlUntil(/Pending/, "get", "pods", "-w", "--field-selector=spec.nodeName=");
  assert.match(pending, /web-\S+ +0\/1 +Pending/);
  start("scheduler");
  await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
});

test("controller manager down: a deleted Pod is not replaced until it returns", options, async () => {
  await stop("controller-manager");
  const [first = ""] = await podNames();
  await cluster.kubectl("delete", "pod", first, "--grace-period=1");
  assert.equal((await podNames()).length, 2);
  start("controller-manager");
  // The status of the Deployment is that of before: Pods tell.
  const three = /^(web-\S+) +1\/1 +Running[^]*^(?!\1 )(web-\S+) +1\/1 +Running[^]*^(?!\1 |\2 )web-\S+ +1\/1 +Running/m;
  await cluster.kubectlUntil(three, "get", "pods", "-l", "app=web", "-w");
});

test("kubelet down: containers go on; a killed one is dead until it returns", options, async () => {
  await stop("kubelet");
  assert.match(await answerWhenServed("30080"), /^hello from web-/);
  const [name = ""] = await podNames();
  const id = await cluster.kubectl("get", "pod", name, "-o", "jsonpath={.status.containerStatuses[0].containerID}");
  const socket = join(cluster.node.stateDirectory, "containerd.sock");
  const ctr = (...args: string[]): ReturnType<typeof tryRun> => tryRun("ctr", ["-a", socket, "-n", "k8s.io", ...args]);
  const container = id.replace("containerd://", "");
  const killed = await ctr("task", "kill", "-s", "SIGKILL", container);
  assert.equal(killed.code, 0, killed.stderr);
  const restarts = ["get", "pod", name, "-o", "jsonpath={.status.containerStatuses[0].restartCount}"];
  assert.equal(await cluster.kubectl(...restarts), "0");
  start("kubelet");
  await cluster.kubectl("wait", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", `pod/${name}`, "--timeout=60s");
  await cluster.kubectl("wait", "--for=condition=Ready", `pod/${name}`, "--timeout=60s");
});

test("proxy down: the present rules go on; a new Service appears after it returns", options, async () => {
  await stop("proxy");
  assert.match(await answerOf("30080"), /^hello from web-/);
  const ports = "--tcp=80:8080";
  await cluster.kubectl("create", "service", "nodeport", "late", ports, "--node-port=30081");
  await cluster.kubectl("set", "selector", "service", "late", "app=web");
  assert.equal(await answerOf("30081"), "");
  start("proxy");
  await once(running.get("proxy") as ChildProcess, "spawn");
  await cluster.kubectlUntil(/late/, "get", "endpointslices", "-w");
  assert.match(await answerWhenServed("30081"), /^hello from web-/);
});
