import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TopologySpreadConstraint } from "#api/core/v1/pod-spec.ts";
import { services } from "#api/core/v1/service.ts";
import { makeWorld, node, pod } from "../../testing/world.ts";

const zone = "topology.kubernetes.io/zone";
const spread = (more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey: zone,
  whenUnsatisfiable: "DoNotSchedule",
  labelSelector: { matchLabels: { app: "web" } },
  ...more,
});

function zones(...names: string[]) {
  const world = makeWorld();
  for (const [i, name] of names.entries()) world.addNode(node(`n${i}`, { labels: { [zone]: name } }));
  const countByZone = (pods: readonly string[]) => {
    const counts: Record<string, number> = {};
    for (const each of pods) {
      const at = world.nodeOf(each);
      if (at === undefined) continue;
      const name = names[Number(at.slice(1))] as string;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  };
  return { world, countByZone };
}

describe("PodTopologySpread", () => {
  it("keeps the skew of zones within its limit", async () => {
    const { world, countByZone } = zones("east", "east", "east", "west");
    await using _ = world;
    const names = Array.from({ length: 6 }, (__, i) => `web-${i}`);
    for (const name of names)
      world.addPod(pod(name, { labels: { app: "web" }, topologySpreadConstraints: [spread()] }));
    await world.settle();
    assert.deepEqual(countByZone(names), { east: 3, west: 3 });
  });

  it("refuses what would skew, and what has no domain", async () => {
    const { world } = zones("east");
    await using _ = world;
    world.addNode(node("tight", { labels: { [zone]: "west" }, unschedulable: true }));
    world.addNode(node("nowhere"));
    for (const name of ["web-0", "web-1"]) {
      world.addPod(pod(name, { labels: { app: "web" }, topologySpreadConstraints: [spread()] }));
    }
    await world.settle();
    const [refused] = ["web-0", "web-1"].filter((name) => world.nodeOf(name) === undefined);
    assert.match(
      world.conditionOf(refused ?? "", "PodScheduled").message,
      /^0\/3 nodes are available: 1 node\(s\) didn't match pod topology spread constraints, 1 node\(s\) didn't match pod topology spread constraints \(missing required label\), 1 node\(s\) were unschedulable\./,
    );
  });

  it("wants as many domains as the constraint says", async () => {
    const { world, countByZone } = zones("east", "west");
    await using _ = world;
    const names = ["web-0", "web-1", "web-2"];
    for (const name of names) {
      world.addPod(
        pod(name, {
          labels: { app: "web" },
          topologySpreadConstraints: [spread({ minDomains: 3 })],
        }),
      );
    }
    await world.settle();
    assert.deepEqual(countByZone(names), { east: 1, west: 1 });
  });

  it("spreads the pods of a service without being asked", async () => {
    const { world, countByZone } = zones("east", "east", "east", "west", "west", "west");
    await using _ = world;
    world.api.seed(services, {
      metadata: { name: "web", namespace: "default" },
      spec: { selector: { app: "web" } },
    });
    await world.settle();
    const names = Array.from({ length: 12 }, (__, i) => `web-${i}`);
    for (const name of names) world.addPod(pod(name, { labels: { app: "web" } }));
    await world.settle();
    assert.deepEqual(countByZone(names), { east: 6, west: 6 });
  });
});
