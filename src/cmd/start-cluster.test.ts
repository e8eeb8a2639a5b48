import assert from "node:assert/strict";
import { test } from "node:test";
import { deployments } from "#api/apps/v1/deployment.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { startCluster } from "./start-cluster.ts";

test("startCluster runs Deployments on simulated nodes", async () => {
  await using cluster = await startCluster({ nodes: 2 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const ready = new Set<string>();
  const look = (pod: Pod): void => {
    if (pod.status?.phase === "Running") ready.add(pod.spec.nodeName ?? "");
    if (ready.size === 2) resolve();
  };
  cluster.informers.of(pods).subscribe({ onAdd: look, onUpdate: look });
  const labels = { app: "web" };
  await cluster.client.resource(deployments).create({
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "main", image: "app" }] } },
    },
  });
  await promise;
  assert.deepEqual([...ready].sort(), ["hollow-0", "hollow-1"]);
  assert.match(cluster.kubeconfig, new RegExp(cluster.url));
  await using http = createHttpClient({ baseUrl: cluster.url, tls: { insecure: true } });
  const response = await http.request({ method: "GET", path: "/readyz" });
  assert.equal(response.status, 200);
});
