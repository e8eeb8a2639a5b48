import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfiguration } from "./configuration.ts";
import { definePlugin, unschedulable } from "./framework.ts";
import { makeWorld, node, pod } from "./testing/world.ts";

const header = { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "KubeSchedulerConfiguration" };

describe("readConfiguration", () => {
  it("has upstream's plugins in upstream's order without being told", () => {
    const [profile] = readConfiguration(undefined).profiles;
    assert.equal(profile?.schedulerName, "default-scheduler");
    assert.deepEqual(
      profile?.filters.map(({ name }) => name),
      [
        "NodeUnschedulable",
        "NodeName",
        "TaintToleration",
        "NodeAffinity",
        "NodePorts",
        "NodeResourcesFit",
        "VolumeRestrictions",
        "NodeVolumeLimits",
        "VolumeBinding",
        "VolumeZone",
        "PodTopologySpread",
        "InterPodAffinity",
        "DynamicResources",
      ],
    );
    assert.deepEqual(
      profile?.scorers.map(({ plugin, weight }) => `${plugin.name}=${weight}`),
      [
        "TaintToleration=3",
        "NodeAffinity=2",
        "NodeResourcesFit=1",
        "PodTopologySpread=2",
        "InterPodAffinity=2",
        "NodeResourcesBalancedAllocation=1",
        "ImageLocality=1",
      ],
    );
  });

  it("merges what a profile says with the defaults", () => {
    const [profile] = readConfiguration({
      ...header,
      profiles: [
        {
          schedulerName: "mine",
          plugins: {
            multiPoint: {
              enabled: [{ name: "NodeAffinity", weight: 7 }],
              disabled: [{ name: "ImageLocality" }],
            },
            score: {
              enabled: [{ name: "NodeResourcesFit", weight: 9 }],
              disabled: [{ name: "InterPodAffinity" }],
            },
          },
        },
      ],
    }).profiles;
    assert.deepEqual(
      profile?.scorers.map(({ plugin, weight }) => `${plugin.name}=${weight}`),
      [
        "NodeResourcesFit=9",
        "TaintToleration=3",
        "NodeAffinity=7",
        "PodTopologySpread=2",
        "NodeResourcesBalancedAllocation=1",
      ],
    );
    assert.ok(profile?.filters.some(({ name }) => name === "InterPodAffinity"));
  });

  const wrong: readonly (readonly [name: string, given: object, message: RegExp])[] = [
    ["another kind", { apiVersion: "v1", kind: "Pod" }, /no kind "Pod" is registered/],
    [
      "an unknown plugin",
      { ...header, profiles: [{ plugins: { filter: { enabled: [{ name: "Nope" }] } } }] },
      /Nope does not exist/,
    ],
    [
      "a plugin at a point it has not",
      { ...header, profiles: [{ plugins: { score: { enabled: [{ name: "NodeName" }] } } }] },
      /does not extend score plugin/,
    ],
    [
      "two profiles of one name",
      { ...header, profiles: [{ schedulerName: "a" }, { schedulerName: "a" }] },
      /Duplicate value: "a"/,
    ],
    [
      "no binder",
      { ...header, profiles: [{ plugins: { multiPoint: { disabled: [{ name: "*" }] } } }] },
      /at least one bind plugin/,
    ],
    [
      "wrong arguments",
      {
        ...header,
        profiles: [
          {
            pluginConfig: [{ name: "NodeResourcesFit", args: { scoringStrategy: { type: "Odd" } } }],
          },
        ],
      },
      /Unsupported value: "Odd"/,
    ],
  ];
  for (const [name, given, message] of wrong) {
    it(`refuses ${name}`, () => assert.throws(() => readConfiguration(given), message));
  }
});

describe("profiles", () => {
  it("serves several scheduler names, each with its own plugins", async () => {
    await using world = makeWorld({
      configuration: {
        ...header,
        profiles: [
          {},
          {
            schedulerName: "packer",
            pluginConfig: [{ name: "NodeResourcesFit", args: { scoringStrategy: { type: "MostAllocated" } } }],
          },
        ],
      },
    });
    world.addNode(node("a"));
    world.addNode(node("b"));
    world.addPod(pod("first", { cpu: "2", memory: "4Gi" }));
    await world.settle();
    world.addPod(pod("packed", { cpu: "2", memory: "4Gi", schedulerName: "packer" }));
    world.addPod(pod("spread", { cpu: "1", memory: "2Gi" }));
    await world.settle();
    assert.equal(world.nodeOf("packed"), world.nodeOf("first"));
    assert.notEqual(world.nodeOf("spread"), world.nodeOf("first"));
  });

  it("runs plugins of others", async () => {
    const evenOnly = definePlugin({
      name: "EvenOnly",
      enqueueOn: ["Node/add"],
      filter: () => ({
        check: ({ name }) => (Number(name.slice(1)) % 2 === 0 ? undefined : unschedulable("odd node(s)")),
      }),
    });
    await using world = makeWorld({
      plugins: [evenOnly],
      configuration: {
        ...header,
        profiles: [{ plugins: { multiPoint: { enabled: [{ name: "EvenOnly" }] } } }],
      },
    });
    world.addNode(node("n1"));
    world.addPod(pod("web"));
    await world.settle();
    assert.match(world.conditionOf("web", "PodScheduled").message, /^0\/1 nodes are available: 1 odd node\(s\)\./);
    world.addNode(node("n2"));
    await world.advance(1000);
    assert.equal(world.nodeOf("web"), "n2");
  });
});
