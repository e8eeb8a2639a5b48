import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { clusterObstacle, httpGet, httpGetWhenServed, startCluster, type TestCluster, tryRun } from "./cluster-fixture.ts";

const obstacle = await clusterObstacle();
const options = { skip: obstacle ?? false, timeout: 120_000 };
let cluster: TestCluster;

before(async () => {
  if (obstacle !== undefined) return;
  cluster = await startCluster();
  await cluster.kubectl("apply", "-f", "samples/hello.yaml");
  await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
});

after(async () => {
  if (obstacle === undefined) await cluster[Symbol.asyncDispose]();
});

test("three Pods run, and a request through the Service is answered", options, async () => {
  assert.equal((await cluster.kubectl("get", "pods")).match(/1\/1 +Running/g)?.length, 3);
  const answer = await httpGetWhenServed(`http://${cluster.node.address}:30080/`);
  assert.match(answer, /^hello from web-/);
});

test("the machine's own network has the bridge's route and no rule", options, async () => {
  const routes = await tryRun("ip", ["route"]);
  assert.doesNotMatch(routes.stdout, /10\.(96|244)\./);
  const { stdout } = await tryRun("nft", ["list", "tables"]);
  assert.doesNotMatch(stdout, /kube/);
});

test("in a Pod, names resolve and requests spread over the replicas", options, async () => {
  const image = "--image=docker.io/library/busybox:latest";
  await cluster.kubectl("run", "tool", image, "--image-pull-policy=IfNotPresent", "--", "sleep", "3600");
  await cluster.kubectl("wait", "--for=condition=Ready", "pod/tool", "--timeout=60s");
  const lookup = await cluster.kubectl("exec", "tool", "--", "nslookup", "web.default.svc.cluster.local");
  const address = await cluster.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
  assert.ok(lookup.includes(address), lookup);
  const script = "for i in $(seq 40); do wget -qO- http://web; done";
  const answers = await cluster.kubectl("exec", "tool", "--", "sh", "-c", script);
  const lines = answers.trim().split("\n");
  assert.equal(lines.length, 40);
  assert.equal(new Set(lines).size, 3, answers);
});

test("kill -9 and up again: objects are there, containers were adopted", options, async () => {
  const path = "jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].containerID}{\"\\n\"}{end}";
  const before = await cluster.kubectl("get", "pods", "-o", path);
  const readyMs = readFileSync(join(cluster.directory, "run/server.json"), "utf8");
  process.kill(cluster.serverPid(), "SIGKILL");
  const answer = await httpGet(`http://${cluster.node.address}:30080/`);
  assert.match(answer, /^hello from web-/, "Pods serve while nothing of the cluster's own runs");
  await cluster.up();
  assert.notEqual(readFileSync(join(cluster.directory, "run/server.json"), "utf8"), readyMs);
  await cluster.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
  assert.equal(await cluster.kubectl("get", "pods", "-o", path), before);
  const restarts = "jsonpath={.items[*].status.containerStatuses[0].restartCount}";
  assert.match(await cluster.kubectl("get", "pods", "-o", restarts), /^[0 ]+$/);
});
