import assert from "node:assert/strict";
import { test } from "node:test";
import { leases } from "#api/coordination/v1/lease.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { rfc3339Micro } from "#base/clock.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { taintEvictionController } from "../taint-eviction/controller.ts";
import { nodeLifecycleController } from "./controller.ts";
import { evictionRate } from "./zones.ts";

function node(name: string, ready = "True", labels: Record<string, string> = {}): Node {
  return {
    metadata: { name, labels },
    spec: {},
    status: { conditions: [{ type: "Ready", status: ready }] },
  };
}

function pod(name: string, nodeName: string, tolerations: Pod["spec"]["tolerations"] = []): Pod {
  return {
    metadata: { namespace: "a", name },
    spec: { nodeName, containers: [], tolerations },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
}

function setUp() {
  const world = startControllerWorld([nodeLifecycleController, taintEvictionController]);
  const beat = (name: string): void => {
    world.seed(leases, {
      metadata: { namespace: "kube-node-lease", name },
      spec: { renewTime: rfc3339Micro(world.clock.nowMs()) },
    });
  };
  const taints = (name: string) =>
    (world.get(nodes, name)?.spec.taints ?? []).map(
      ({ key, effect }) => `${key.split("/")[1]}:${effect}`,
    );
  const ready = (name: string) =>
    world.get(nodes, name)?.status?.conditions?.find(({ type }) => type === "Ready");
  return { world, beat, taints, ready };
}

test("a node whose lease is renewed stays, a silent one becomes Unknown after 50 s and is tainted", async () => {
  const { world, beat, taints, ready } = setUp();
  for (const name of ["alive", "silent"]) {
    world.seed(nodes, node(name));
    beat(name);
  }
  world.seed(pods, pod("p", "silent"));
  for (let i = 0; i < 4; i++) {
    await world.settle(10_000);
    beat("alive");
  }
  assert.equal(ready("silent")?.status, "True");
  await world.settle(9_000);
  assert.equal(ready("silent")?.status, "True");
  beat("alive");
  await world.settle(2_000);
  assert.deepEqual(
    [ready("silent")?.status, ready("silent")?.reason],
    ["Unknown", "NodeStatusUnknown"],
  );
  assert.deepEqual(taints("silent"), ["unreachable:NoSchedule", "unreachable:NoExecute"]);
  assert.deepEqual([ready("alive")?.status, taints("alive")], ["True", []]);
  assert.equal(
    world.list(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined).length,
    0,
  );
});

test("a node that comes back loses its taints", async () => {
  const { world, beat, taints } = setUp();
  world.seed(nodes, node("other"));
  world.seed(nodes, node("n"));
  beat("n");
  for (let i = 0; i < 6; i++) {
    await world.settle(10_000);
    beat("other");
  }
  assert.ok(taints("n").includes("unreachable:NoExecute"));
  beat("n");
  const current = world.get(nodes, "n");
  if (current)
    world.seed(nodes, {
      ...current,
      status: {
        conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: "2026-01-01T00:01:01Z" }],
      },
    });
  await world.settle();
  assert.deepEqual(taints("n"), []);
});

test("conditions and cordoning become NoSchedule taints, others stay", async () => {
  const { world, taints } = setUp();
  world.seed(nodes, {
    metadata: { name: "n", labels: { "kubernetes.io/os": "linux" } },
    spec: { unschedulable: true, taints: [{ key: "own/x", effect: "NoSchedule" }] },
    status: {
      conditions: [
        { type: "Ready", status: "True" },
        { type: "DiskPressure", status: "True" },
      ],
    },
  });
  await world.settle();
  assert.deepEqual(taints("n"), [
    "x:NoSchedule",
    "disk-pressure:NoSchedule",
    "unschedulable:NoSchedule",
  ]);
  assert.equal(world.get(nodes, "n")?.metadata.labels?.["beta.kubernetes.io/os"], "linux");
});

test("a node that never spoke is given a minute", async () => {
  const { world, ready } = setUp();
  world.seed(nodes, { metadata: { name: "n" }, spec: {} });
  await world.settle(59_000);
  assert.equal(ready("n"), undefined);
  await world.settle(2_000);
  assert.equal(ready("n")?.reason, "NodeStatusNeverUpdated");
});

test("tolerations decide when a Pod goes, and are cancelled with the taint", async () => {
  const { world } = setUp();
  const taint = { key: "x", effect: "NoExecute" };
  world.seed(nodes, { ...node("n"), spec: { taints: [taint] } });
  world.seed(pods, pod("now", "n"));
  world.seed(pods, pod("later", "n", [{ key: "x", operator: "Exists", tolerationSeconds: 30 }]));
  world.seed(pods, pod("never", "n", [{ operator: "Exists" }]));
  const left = () =>
    world
      .list(pods)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name);
  await world.settle(20_000);
  assert.deepEqual(left(), ["later", "never"]);
  const current = world.get(nodes, "n");
  if (current) world.seed(nodes, { ...current, spec: {} });
  await world.settle(20_000);
  assert.deepEqual(left(), ["later", "never"]);
  assert.ok(world.events().includes("TaintManagerEviction: Cancelling deletion of Pod a/later"));
  if (current)
    world.seed(nodes, { ...current, metadata: { name: "n" }, spec: { taints: [taint] } });
  await world.settle(31_000);
  assert.deepEqual(left(), ["never"]);
});

test("zones that are mostly down are treated with care", () => {
  const zone = (name: string) => ({ "topology.kubernetes.io/zone": name });
  const many = (name: string, up: number, down: number): Node[] => [
    ...Array.from({ length: up }, (_, i) => node(`${name}${i}`, "True", zone(name))),
    ...Array.from({ length: down }, (_, i) => node(`${name}-${i}`, "Unknown", zone(name))),
  ];
  const rows: [Node[], number][] = [
    [many("a", 3, 1), 0.1],
    [many("a", 0, 3), 0],
    [[...many("a", 0, 3), ...many("b", 3, 0)], 0.1],
    [many("a", 4, 6), 0],
    [many("a", 40, 60), 0.01],
  ];
  for (const [i, [all, rate]] of rows.entries())
    assert.equal(evictionRate(":\0:a", all), rate, `row ${i}`);
});
