import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeWorld, node, pod } from "../../testing/world.ts";

const zone = "topology.kubernetes.io/zone";
const term = (app: string, topologyKey = zone) => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
});

function threeNodes() {
  const world = makeWorld();
  world.addNode(node("a", { labels: { [zone]: "east" } }));
  world.addNode(node("b", { labels: { [zone]: "east" } }));
  world.addNode(node("c", { labels: { [zone]: "west" } }));
  return world;
}

describe("InterPodAffinity", () => {
  it("puts a pod beside the one it requires", async () => {
    await using world = threeNodes();
    world.addPod(pod("db", { labels: { app: "db" }, nodeSelector: { "kubernetes.io/hostname": "c" } }));
    await world.settle();
    world.addPod(
      pod("web", {
        affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("db")] } },
      }),
    );
    await world.settle();
    assert.equal(world.nodeOf("web"), "c");
  });

  it("lets the first of a group that wants to be together in", async () => {
    await using world = threeNodes();
    const affinity = {
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("web")] },
    };
    for (const name of ["one", "two"]) world.addPod(pod(name, { labels: { app: "web" }, affinity }));
    world.addPod(
      pod("alone", {
        labels: { app: "other" },
        affinity: {
          podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("nobody")] },
        },
      }),
    );
    await world.settle();
    const zoneOf = (name: string) => (world.nodeOf(name) === "c" ? "west" : "east");
    assert.notEqual(world.nodeOf("one"), undefined);
    assert.equal(zoneOf("one"), zoneOf("two"));
    assert.match(world.conditionOf("alone", "PodScheduled").message, /3 node\(s\) didn't match pod affinity rules\./);
  });

  it("keeps pods apart, also from those that run already", async () => {
    await using world = threeNodes();
    const affinity = {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("web")] },
    };
    for (const name of ["one", "two", "three"]) world.addPod(pod(name, { labels: { app: "web" }, affinity }));
    world.addPod(pod("plain", { labels: { app: "web" } }));
    await world.settle();
    const bound = ["one", "two", "three"].map(world.nodeOf).filter((name) => name !== undefined);
    assert.equal(bound.length, 2);
    assert.match(
      world.conditionOf("plain", "PodScheduled").message,
      /3 node\(s\) didn't satisfy existing pods anti-affinity rules\./,
    );
    assert.match(
      world.conditionOf("three", "PodScheduled").message,
      /3 node\(s\) didn't match pod anti-affinity rules\./,
    );
    world.deletePod("one");
    await world.advance(2000);
    assert.notEqual(world.nodeOf("three") ?? world.nodeOf("plain"), undefined);
  });

  it("prefers company, and distance", async () => {
    await using world = threeNodes();
    world.addPod(pod("db", { labels: { app: "db" }, nodeSelector: { "kubernetes.io/hostname": "a" } }));
    await world.settle();
    const weighted = (weight: number) => [{ weight, podAffinityTerm: term("db") }];
    world.addPod(
      pod("near", {
        affinity: {
          podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: weighted(100) },
        },
      }),
    );
    world.addPod(
      pod("far", {
        affinity: {
          podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: weighted(100) },
        },
      }),
    );
    await world.settle();
    assert.notEqual(world.nodeOf("near"), "c");
    assert.equal(world.nodeOf("far"), "c");
  });
});
