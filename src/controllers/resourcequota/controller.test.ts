import assert from "node:assert/strict";
import { test } from "node:test";
import { deployments } from "#api/apps/v1/deployment.ts";
import { configMaps } from "#api/core/v1/config-map.ts";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { type ResourceQuota, resourceQuotas } from "#api/core/v1/resource-quota.ts";
import { services } from "#api/core/v1/service.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { resourceQuotaController } from "./controller.ts";

const served = [pods, services, configMaps, persistentVolumeClaims, deployments, resourceQuotas];

function setUp(spec: ResourceQuota["spec"]) {
  const world = startControllerWorld([resourceQuotaController], { served });
  world.seed(resourceQuotas, { metadata: { namespace: "a", name: "q" }, spec });
  return { world, used: () => world.get(resourceQuotas, "a/q")?.status?.used };
}

function pod(
  name: string,
  resources: NonNullable<Pod["spec"]["containers"][0]>["resources"],
  extra: Partial<Pod["spec"]> = {},
): Pod {
  return {
    metadata: { namespace: "a", name },
    spec: { containers: [{ name: "c", resources }], ...extra },
  };
}

test("Pods count by requests and limits, until they end", async () => {
  const { world, used } = setUp({
    hard: {
      pods: "10",
      cpu: "4",
      "requests.memory": "1Gi",
      "limits.cpu": "8",
      "requests.example.com/gpu": "2",
    },
  });
  await world.settle();
  assert.deepEqual(used(), {
    pods: "0",
    cpu: "0",
    "requests.memory": "0",
    "limits.cpu": "0",
    "requests.example.com/gpu": "0",
  });
  world.seed(
    pods,
    pod("p1", {
      requests: { cpu: "500m", memory: "64Mi", "example.com/gpu": "1" },
      limits: { cpu: "1" },
    }),
  );
  const second = world.seed(pods, pod("p2", { requests: { cpu: "600m" } }));
  world.seed(pods, {
    ...pod("other", { requests: { cpu: "9" } }),
    metadata: { namespace: "b", name: "other" },
  });
  await world.settle();
  assert.deepEqual(used(), {
    pods: "2",
    cpu: "1100m",
    "requests.memory": "64Mi",
    "limits.cpu": "1",
    "requests.example.com/gpu": "1",
  });
  world.seed(pods, { ...second, status: { phase: "Succeeded" } });
  await world.settle();
  assert.deepEqual([used()?.["pods"], used()?.["cpu"]], ["1", "500m"]);
  world.api.remove(pods, "a/p1");
  await world.settle();
  assert.deepEqual([used()?.["pods"], used()?.["cpu"]], ["0", "0"]);
});

test("objects count by kind, Services by ports, claims by class", async () => {
  const { world, used } = setUp({
    hard: {
      configmaps: "5",
      "count/deployments.apps": "5",
      services: "5",
      "services.nodeports": "5",
      "services.loadbalancers": "5",
      "requests.storage": "10Gi",
      "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
    },
  });
  const template = { metadata: {}, spec: { containers: [] } };
  world.seed(configMaps, { metadata: { namespace: "a", name: "c" } });
  world.seed(deployments, {
    metadata: { namespace: "a", name: "d" },
    spec: { selector: {}, template },
  });
  world.seed(services, {
    metadata: { namespace: "a", name: "s1" },
    spec: { type: "NodePort", ports: [{ port: 1 }, { port: 2 }] },
  });
  world.seed(services, {
    metadata: { namespace: "a", name: "s2" },
    spec: { type: "LoadBalancer", ports: [{ port: 1 }] },
  });
  for (const [name, storageClassName] of [
    ["v1", "gold"],
    ["v2", "tin"],
  ] as const) {
    world.seed(persistentVolumeClaims, {
      metadata: { namespace: "a", name },
      spec: { storageClassName, resources: { requests: { storage: "1Gi" } } },
    });
  }
  await world.settle();
  assert.deepEqual(used(), {
    configmaps: "1",
    "count/deployments.apps": "1",
    services: "2",
    "services.nodeports": "3",
    "services.loadbalancers": "1",
    "requests.storage": "2Gi",
    "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
  });
});

test("scopes choose Pods", async () => {
  const rows: [ResourceQuota["spec"], count: string][] = [
    [{ scopes: ["BestEffort"] }, "2"],
    [{ scopes: ["NotBestEffort"] }, "1"],
    [{ scopes: ["Terminating"] }, "1"],
    [{ scopes: ["NotTerminating", "BestEffort"] }, "1"],
    [
      {
        scopeSelector: {
          matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }],
        },
      },
      "1",
    ],
    [
      { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "Exists" }] } },
      "1",
    ],
  ];
  for (const [spec, count] of rows) {
    const { world, used } = setUp({ hard: { pods: "10" }, ...spec });
    world.seed(pods, pod("best-effort", {}));
    world.seed(pods, pod("deadline", {}, { activeDeadlineSeconds: 5 }));
    world.seed(pods, pod("high", { requests: { cpu: "1" } }, { priorityClassName: "high" }));
    await world.settle();
    assert.deepEqual(used(), { pods: count }, JSON.stringify(spec));
  }
});

/** Charges the quota as admission does, before the Pod is stored. */
function charge(world: ReturnType<typeof setUp>["world"], count: string): void {
  const quota = world.get(resourceQuotas, "a/q") as ResourceQuota;
  world.seed(resourceQuotas, { ...quota, status: { ...quota.status, used: { pods: count } } });
}

test("what admission charged stays charged until its Pod is stored", async () => {
  const { world, used } = setUp({ hard: { pods: "3" } });
  await world.settle();
  charge(world, "1");
  world.seed(pods, pod("p1", {}));
  await world.settle(40);
  charge(world, "2");
  await world.settle(100);
  assert.deepEqual(used(), { pods: "2" });
  world.seed(pods, pod("p2", {}));
  await world.settle();
  assert.deepEqual(used(), { pods: "2" });
});

test("a charge whose Pod never came is given back, even while others are charged", async () => {
  const { world, used } = setUp({ hard: { pods: "1000" } });
  await world.settle();
  charge(world, "1");
  await world.settle();
  assert.deepEqual(used(), { pods: "0" });
  for (let i = 0; i < 14; i++) {
    charge(world, String(Number(used()?.["pods"]) + 2));
    world.seed(pods, pod(`p${i}`, {}));
    await world.settle(400);
  }
  assert.ok(Number(used()?.["pods"]) < 20, used()?.["pods"]);
  await world.settle();
  assert.deepEqual(used(), { pods: "14" });
});

test("limits that somebody wrote into the status are put right at once", async () => {
  const { world } = setUp({ hard: { pods: "3" } });
  await world.settle();
  const quota = world.get(resourceQuotas, "a/q") as ResourceQuota;
  world.seed(resourceQuotas, { ...quota, status: { ...quota.status, hard: { pods: "9" } } });
  await world.settle(20);
  assert.deepEqual(world.get(resourceQuotas, "a/q")?.status, { hard: { pods: "3" }, used: { pods: "0" } });
});
