import assert from "node:assert/strict";
import { test } from "node:test";
import { createServer } from "node:http";
import { once } from "node:events";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { prepareScheduler } from "./scheduler-process.ts";
import { startCluster } from "./start-cluster.ts";

test("a scheduler of its own reads its profiles and asks its extenders", async () => {
  // An extender that likes the last node best.
  const server = createServer((request, response) => {
    request.on("data", () => undefined).on("end", () => response.end(JSON.stringify([{ Host: "hollow-2", Score: 10 }])));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const files = createVirtualFiles();
  await files.writeAtomic(
    "/scheduler.yaml",
    `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: mine
extenders:
- urlPrefix: http://127.0.0.1:${port}/
  prioritizeVerb: prioritize
  weight: 100
`,
    0o600,
  );
  await using cluster = await startCluster({ nodes: 3, components: ["apiserver", "controller-manager"] });
  const lifetime = new Lifetime("test");
  const world = { ...openWorld({ log: silentLogger }), files };
  const remote = { client: cluster.client, informers: cluster.informers };
  const flags = { config: "/scheduler.yaml" };
  const lead = await prepareScheduler(world, { remote, flags, host: "h", lifetime });
  lead(lifetime);
  const { promise, resolve } = Promise.withResolvers<Pod>();
  cluster.informers.of(pods).subscribe({ onUpdate: (pod) => void (pod.status?.phase === "Running" && resolve(pod)) });
  await cluster.client.resource(pods).create({
    metadata: { name: "web", namespace: "default" },
    spec: { schedulerName: "mine", containers: [{ name: "main", image: "app" }] },
  });
  assert.equal((await promise).spec.nodeName, "hollow-2");
  await lifetime.end();
  server.close();
});
