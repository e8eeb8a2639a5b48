import assert from "node:assert/strict";
import { test } from "node:test";
import { daemonSets } from "#api/apps/v1/daemon-set.ts";
import { deployments } from "#api/apps/v1/deployment.ts";
import { replicaSets } from "#api/apps/v1/replica-set.ts";
import { statefulSets } from "#api/apps/v1/stateful-set.ts";
import { jobs } from "#api/batch/v1/job.ts";
import { configMaps } from "#api/core/v1/config-map.ts";
import { namespaces } from "#api/core/v1/namespace.ts";
import { nodes } from "#api/core/v1/node.ts";
import { pods } from "#api/core/v1/pod.ts";
import { resourceQuotas } from "#api/core/v1/resource-quota.ts";
import { serviceAccounts } from "#api/core/v1/service-account.ts";
import { services } from "#api/core/v1/service.ts";
import { endpointSlices } from "#api/discovery/v1/endpoint-slice.ts";
import type { ResourceTarget } from "#client/client.ts";
import { type ControllerWorld, startControllerWorld } from "#testing/controller-world.ts";
import { runPods } from "#testing/pod-runner.ts";
import { controllers } from "./registry.ts";

const served: readonly ResourceTarget[] = [
  configMaps,
  daemonSets,
  deployments,
  endpointSlices,
  jobs,
  namespaces,
  nodes,
  pods,
  replicaSets,
  resourceQuotas,
  serviceAccounts,
  services,
  statefulSets,
];

async function setUp(): Promise<ControllerWorld> {
  const world = startControllerWorld(controllers, { served, settings: { rootCa: "PEM" } });
  runPods(world);
  const ready = { conditions: [{ type: "Ready", status: "True" }] };
  world.seed(nodes, { metadata: { name: "node-1" }, spec: {}, status: ready });
  world.seed(namespaces, {
    kind: "Namespace",
    metadata: { name: "a" },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
  await world.settle(1000);
  return world;
}

const template = (app: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "c", image: "v1" }] },
});
const selecting = (app: string) => ({
  selector: { matchLabels: { app } },
  template: template(app),
});

test("names are unique", () => {
  const names = controllers.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

test("all controllers together bring a namespace up, keep still, and take it down", async () => {
  const world = await setUp();
  const metadata = { namespace: "a" };
  world.seed(services, {
    metadata: { ...metadata, name: "web" },
    spec: { ipFamilies: ["IPv4"], selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  world.seed(deployments, {
    metadata: { ...metadata, name: "web" },
    spec: { replicas: 2, ...selecting("web") },
  });
  world.seed(statefulSets, {
    metadata: { ...metadata, name: "db" },
    spec: { replicas: 2, serviceName: "db", ...selecting("db") },
  });
  world.seed(daemonSets, { metadata: { ...metadata, name: "agent" }, spec: selecting("agent") });
  world.seed(jobs, { metadata: { ...metadata, name: "once" }, spec: selecting("once") });
  world.seed(resourceQuotas, {
    metadata: { ...metadata, name: "q" },
    spec: { hard: { pods: "10" } },
  });
  await world.settle();
  const owners = world
    .list(pods)
    .map(({ metadata: { ownerReferences } }) => ownerReferences?.[0]?.kind);
  assert.deepEqual(owners.toSorted(), [
    "DaemonSet",
    "Job",
    "ReplicaSet",
    "ReplicaSet",
    "StatefulSet",
    "StatefulSet",
  ]);
  assert.deepEqual(
    world.list(endpointSlices).map(({ endpoints }) => endpoints.length),
    [2],
  );
  assert.equal(world.get(resourceQuotas, "a/q")?.status?.used?.["pods"], "6");
  assert.notEqual(world.get(serviceAccounts, "a/default"), undefined);
  assert.notEqual(world.get(configMaps, "a/kube-root-ca.crt"), undefined);

  const before = world.api.resourceVersion;
  await world.settle(20_000);
  assert.equal(world.api.resourceVersion, before, "nothing changes when nothing happens");

  await world.client.resource(namespaces).delete("a");
  await world.settle(60_000);
  assert.equal(world.get(namespaces, "a"), undefined);
  assert.deepEqual(world.list(pods), []);
  assert.deepEqual(world.errors, []);
});

test("ending the lifetime leaves no timer behind", async () => {
  const world = await setUp();
  await world.lifetime.end();
  await world.clock.settle();
  assert.equal(world.clock.pendingCount, 0);
});
