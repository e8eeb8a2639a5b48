import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Taint } from "#api/core/v1/node.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { PodSpec } from "#api/core/v1/pod-spec.ts";
import type { Random } from "#base/random.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { decideNaively } from "./testing/naive.ts";
import { makeWorld, node, pod } from "./testing/world.ts";

const zone = "topology.kubernetes.io/zone";
const hostname = "kubernetes.io/hostname";
const apps = ["web", "db", "cache"];

/** Worlds; more of them on demand. */
const seeds = Number(process.env["SEEDS"] ?? 100);

/**
 * Rolls dice for one world; few values each, so that things meet. `plain`: no pod looks at others,
 * which is when totals are kept from pod to pod.
 */
function dice(random: Random, plain: boolean) {
  const chance = (share: number): boolean => random.float() < share;
  const one = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T;

  function taints(): Taint[] {
    const keys = ["gpu", "old", "slow"].filter(() => chance(0.15));
    return keys.map((key) => ({
      key,
      value: "yes",
      effect: one("NoSchedule", "PreferNoSchedule", "PreferNoSchedule", "NoExecute"),
    }));
  }

  function someNode(name: string): Node {
    return node(name, {
      cpu: one("2", "4", "8"),
      memory: one("4Gi", "8Gi"),
      podsMax: one("4", "10", "10"),
      taints: taints(),
      unschedulable: chance(0.08),
      labels: {
        ...(chance(0.85) && { [zone]: one("east", "west", "north") }),
        ...(chance(0.5) && { disk: one("ssd", "hdd") }),
      },
      ...(chance(0.3) && { extended: { "example.com/widget": one("1", "3") } }),
    });
  }

  const term = () => ({
    topologyKey: one(zone, hostname),
    labelSelector: { matchLabels: { app: one(...apps) } },
  });
  const requirement = () =>
    one(
      { key: "disk", operator: "In", values: [one("ssd", "hdd")] },
      { key: "disk", operator: "NotIn", values: ["hdd"] },
      { key: zone, operator: "Exists" },
      { key: "disk", operator: "DoesNotExist" },
    );

  function affinity(): NonNullable<PodSpec["affinity"]> {
    const required = (share: number) =>
      chance(share) ? { requiredDuringSchedulingIgnoredDuringExecution: [term()] } : {};
    const preferred = (share: number) =>
      chance(share)
        ? {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: one(1, 30, 100), podAffinityTerm: term() }],
          }
        : {};
    return {
      ...(!plain && { podAffinity: { ...required(0.15), ...preferred(0.2) } }),
      ...(!plain && { podAntiAffinity: { ...required(0.15), ...preferred(0.2) } }),
      nodeAffinity: {
        ...(chance(0.2) && {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [requirement()] }],
          },
        }),
        preferredDuringSchedulingIgnoredDuringExecution: (plain ? [0.8, 0.8, 0.8] : [0.3, 0.3])
          .filter(chance)
          .map(() => ({
            weight: one(1, 20, 50),
            preference: { matchExpressions: [requirement()] },
          })),
      },
    };
  }

  function spread() {
    return {
      maxSkew: one(1, 2),
      topologyKey: one(zone, hostname),
      whenUnsatisfiable: one("DoNotSchedule", "ScheduleAnyway", "ScheduleAnyway"),
      labelSelector: { matchLabels: { app: one(...apps) } },
    };
  }

  /** What pods of one owner have in common. */
  function template() {
    return {
      labels: { app: one(...apps) },
      namespace: one("default", "default", "other"),
      ...(chance(0.8) && { cpu: plain ? one("1", "2") : one("100m", "500m", "1") }),
      ...(chance(0.8) && { memory: one("128Mi", "1Gi") }),
      ...(chance(0.1) && { requests: { "example.com/widget": "1" } }),
      ...(chance(0.1) && { hostPort: one(80, 443) }),
      ...(chance(0.15) && { nodeSelector: { disk: one("ssd", "hdd") } }),
      ...(chance(0.3) && { tolerations: [{ key: one("gpu", "old", "slow"), operator: "Exists" }] }),
      ...(chance(0.5) && { affinity: affinity() }),
      ...(!plain && chance(0.4) && { topologySpreadConstraints: [spread()] }),
    };
  }

  return { chance, one, someNode, template, below: (limit: number) => random.below(limit) };
}

/** Pods placed one after the other, while nodes and pods come and go. */
async function compare(seed: number, steps: number): Promise<void> {
  const plain = seed % 2 === 0;
  const { chance, one, someNode, template } = dice(createVirtualRandom(seed), plain);
  await using world = makeWorld({ seed });
  const templates = Array.from({ length: plain ? 3 : 6 }, template);
  for (let i = 0; i < one(3, 6, 10); i++) world.addNode(someNode(`n${i}`));
  const standing: string[] = [];
  for (let step = 0; step < steps; step++) {
    await disturb();
    await world.settle();
    const sketch = one(...templates);
    const name = `p${step}`;
    const added = pod(name, sketch);
    const expected = decideNaively(added, world.api.list(nodes) as Node[], world.api.list(pods) as Pod[]);
    world.addPod(added);
    await world.settle();
    const key = `${sketch.namespace}/${name}`;
    const where = `seed ${seed}, step ${step}`;
    const actual = world.nodeOf(key);
    if (expected.best.length > 0) {
      assert.ok(expected.best.includes(actual ?? ""), `${where}: ${actual} is not among ${expected.best.join()}`);
      standing.push(key);
      continue;
    }
    assert.equal(actual, undefined, where);
    const counted = Object.entries(expected.reasons)
      .map(([reason, count]) => `${count} ${reason}`)
      .toSorted();
    const count = world.api.list(nodes).length;
    const { message } = world.conditionOf(key, "PodScheduled");
    assert.equal(message.split(". no new claims")[0], `0/${count} nodes are available: ${counted.join(", ")}`, where);
    world.deletePod(key);
  }

  async function disturb(): Promise<void> {
    if (chance(plain ? 0.4 : 0.15) && standing.length > 0)
      world.deletePod(standing.splice(standing.indexOf(one(...standing)), 1)[0] ?? "");
    if (chance(plain ? 0.3 : 0.08)) world.addNode(someNode(`n${one(0, 1, 2, 11, 12)}`));
    if (chance(0.03) && world.api.list(nodes).length > 1)
      world.removeNode(one(...world.api.list(nodes)).metadata?.name ?? "");
  }
}

describe("the scheduler and its naive reference", () => {
  it("decide alike", async () => {
    for (let seed = 1; seed <= seeds; seed++) await compare(seed, 80);
  });
});
