import assert from "node:assert/strict";
import type { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { HttpClient, HttpServer } from "#base/http.ts";
import { silentLogger } from "#base/log.ts";
import { createMetricRegistry } from "#base/metrics.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { serveHttp } from "#base/os/http.ts";
import { defaultKubeletConfig } from "#kubelet/config.ts";
import { kubeletHandler } from "#kubelet/server/kubelet-server.ts";
import { dialPortForward } from "#wire/port-forward.ts";
import { dialRemoteCommand } from "#wire/remote-command-client.ts";
import { nodeObstacle, startTestNode, testImage, type TestNode } from "./node-fixture.ts";

const obstacle = await nodeObstacle();
const options = { skip: obstacle ?? false, timeout: 30_000 };
let node: TestNode;
let server: HttpServer;
let client: HttpClient;

before(async () => {
  if (obstacle !== undefined) return;
  node = await startTestNode(2);
  const { kubelet } = node;
  const onRequest = kubeletHandler({
    kubelet,
    config: {
      ...defaultKubeletConfig,
      nodeName: "t2",
      nodeIps: [],
      directories: { root: "", memory: "", podLogs: "" },
    },
    auth: undefined,
    metrics: createMetricRegistry(),
    openHttpClient: (baseUrl) => createHttpClient({ baseUrl }),
  });
  server = await serveHttp({
    listen: { host: "127.0.0.1", port: 0 },
    onRequest,
    log: silentLogger,
  });
  client = createHttpClient({ baseUrl: `http://127.0.0.1:${server.port}` });
  const script = `
mkdir -p /www; echo page >/www/index.html; httpd -p 8080 -h /www
i=0; while [ $i -lt 5 ]; do echo line $i; i=$((i+1)); done
while [ ! -e /go ]; do sleep 0.1; done
echo last`;
  node.api.seed<Pod>(pods, {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name: "web", namespace: "default", uid: "u1", generation: 1 },
    spec: {
      nodeName: "t2",
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "main", image: testImage, command: ["sh", "-c", script] }],
    },
    status: { phase: "Pending" },
  });
  await node.until<Pod>(pods, "default/web", (pod) => pod?.status?.phase === "Running");
});

after(async () => {
  if (obstacle !== undefined) return;
  await client[Symbol.asyncDispose]();
  await server.close(0);
  await node[Symbol.asyncDispose]();
});

async function text(stream: Readable | AsyncIterable<Uint8Array> | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString("utf8");
}

async function get(path: string): Promise<{ status: number; body: string }> {
  const response = await client.request({ method: "GET", path });
  return { status: response.status, body: Buffer.from(await response.readAll()).toString("utf8") };
}

test("exec runs a command, passes stdin to its end, and tells the exit code", options, async () => {
  const request = { stdin: true, stdout: true, stderr: true, tty: false };
  const query =
    "input=1&output=1&error=1&command=sh&command=-c&command=cat%3B%20echo%20err%20%3E%262%3B%20exit%207";
  const command = await dialRemoteCommand(client, request, {
    path: `/exec/default/web/main?${query}`,
  });
  command.stdin?.end("given\n");
  const [stdout, stderr, status] = await Promise.all([
    text(command.stdout),
    text(command.stderr),
    command.status,
  ]);
  assert.deepEqual([stdout, stderr], ["given\n", "err\n"]);
  assert.equal(status.status, "Failure");
  assert.equal(status.reason, "NonZeroExitCode");
  command.close();
});

test("exec has a terminal when asked for one", options, async () => {
  const request = { stdin: false, stdout: true, stderr: false, tty: true };
  const query = "output=1&tty=1&command=tty";
  const command = await dialRemoteCommand(client, request, {
    path: `/exec/default/web/main?${query}`,
  });
  assert.match(await text(command.stdout), /^\/dev\/pts\/0\r\n$/);
  assert.equal((await command.status).status, "Success");
  command.close();
});

test("port-forward reaches a port of the Pod, and says when there is none", options, async () => {
  const forwarder = await dialPortForward(client, { path: "/portForward/default/web" });
  const { data } = forwarder.connect(8080);
  data.write("GET / HTTP/1.0\r\n\r\n");
  assert.match(await text(data), /page\n$/);
  const refused = forwarder.connect(81);
  refused.data.on("error", () => undefined);
  refused.data.write("x");
  assert.match(await refused.error, /connection refused/);
  forwarder.close();
});

test("logs come whole, in parts, and as they are written", options, async () => {
  const path = "/containerLogs/default/web/main";
  assert.equal((await get(`${path}?tailLines=2`)).body, "line 3\nline 4\n");
  assert.equal((await get("/containerLogs/default/none/main")).status, 404);
  assert.match(
    (await get(`${path}?previous=true`)).body,
    /previous terminated container "main" in pod "web" not found/,
  );
  const following = await client.request({
    method: "GET",
    path: `${path}?follow=true&tailLines=1`,
  });
  const whole = text(following.body);
  const [container] = node.kubelet.pods.find("default/web")?.runtime.containers ?? [];
  await node.containerd.runtime.runtime.execSync(container?.id ?? "", ["touch", "/go"], 5);
  assert.equal(await whole, "line 4\nlast\n");
});

test("stats and resource metrics name the container", options, async () => {
  const { body } = await get("/metrics/resource");
  assert.match(body, /^node_cpu_usage_seconds_total \d/m);
  const summary = JSON.parse((await get("/stats/summary")).body) as {
    node: { memory: { workingSetBytes: number } };
  };
  assert.ok(summary.node.memory.workingSetBytes > 0);
});
