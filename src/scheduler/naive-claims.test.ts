import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "#api/core/v1/node.ts";
import { nodes } from "#api/core/v1/node.ts";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { podDisruptionBudgets } from "#api/policy/v1/pod-disruption-budget.ts";
import { type DeviceClass, deviceClasses } from "#api/resource/v1/device-class.ts";
import { type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { type ResourceSlice, resourceSlices } from "#api/resource/v1/resource-slice.ts";
import { csiNodes } from "#api/storage/v1/csi-node.ts";
import { type StorageClass, storageClasses } from "#api/storage/v1/storage-class.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createDice, models } from "./testing/dice.ts";
import { decideNaively, placesOf, type Rules } from "./testing/naive.ts";
import { type Budget, preemptNaively } from "./testing/naive-preemption.ts";
import { devicesRule, devicesTaken, smallestOn, storageRule } from "./testing/naive-storage.ts";
import { makeWorld, pod, type PodSketch } from "./testing/world.ts";

/** Worlds of each kind; more of them on demand. */
const seeds = Number(process.env["SEEDS"] ?? 50);

/** A cluster with storage and devices, as its API server has them. */
function makeSetting(seed: number) {
  const dice = createDice(createVirtualRandom(seed));
  const world = makeWorld({ seed });
  const { api } = world;
  const names = Array.from({ length: dice.one(3, 5) }, (_, i) => `n${i}`);
  const limits = new Map<string, number>();
  const provisioner = "kubernetes.io/no-provisioner";
  api.seed(storageClasses, { metadata: { name: "local" }, provisioner, volumeBindingMode: "WaitForFirstConsumer" } as StorageClass);
  for (const model of ["any", ...models]) {
    const expression = model === "any" ? "true" : `device.attributes["gpu.example.com"].model == "${model}"`;
    api.seed(deviceClasses, { metadata: { name: model }, spec: { selectors: [{ cel: { expression } }] } } as DeviceClass);
  }
  for (const name of names) {
    world.addNode(dice.node(name));
    api.seed(resourceSlices, dice.slice(name));
    if (!dice.chance(0.7)) continue;
    limits.set(name, dice.one(1, 2));
    const driver = { name: "csi.example.com", nodeID: name, topologyKeys: [], allocatable: { count: limits.get(name) as number } };
    api.seed(csiNodes, { metadata: { name }, spec: { drivers: [driver] } });
  }
  const rules = (): Rules => {
    const claims = api.list(persistentVolumeClaims) as PersistentVolumeClaim[];
    const volumes = api.list(persistentVolumes) as PersistentVolume[];
    return {
      storage: storageRule({ claims, volumes, limits }),
      devices: devicesRule({ claims: api.list(resourceClaims) as ResourceClaim[], slices: api.list(resourceSlices) as ResourceSlice[] }),
    };
  };
  const nodesNow = () => api.list(nodes) as Node[];
  const podsNow = () => api.list(pods) as Pod[];
  return { dice, world, api, names, rules, nodesNow, podsNow };
}

type Setting = ReturnType<typeof makeSetting>;

/** A pod's claims, old and new, bound and not. */
function storageSketch({ dice, api, names }: Setting, step: number): PodSketch {
  const { chance, one } = dice;
  const where = (): string[] => names.filter(() => chance(0.4));
  const open = dice.volume(`pv-${step}`, where(), step);
  if (chance(0.5)) api.seed(persistentVolumes, open);
  const known = (api.list(persistentVolumeClaims) as PersistentVolumeClaim[]).filter(({ spec }) => spec.volumeName);
  if (known.length > 0 && chance(0.3)) {
    const claimName = one(...known).metadata?.name ?? "";
    return { volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] };
  }
  const claimName = `claim-${step}`;
  const bound = chance(0.5);
  if (bound) {
    const own = dice.volume(`own-${step}`, where(), step);
    api.seed(persistentVolumes, { ...own, spec: { ...own.spec, claimRef: { name: claimName, namespace: "default", uid: `uid-${claimName}` } } });
  }
  api.seed(persistentVolumeClaims, dice.claim(claimName, bound ? `own-${step}` : undefined));
  return { volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] };
}

function deviceSketch({ dice, api }: Setting, step: number): PodSketch {
  const name = `devices-${step}`;
  api.seed(resourceClaims, dice.deviceClaim(name));
  return { resourceClaims: [{ name: "gpu", resourceClaimName: name }] };
}

/** What the volume controller does with the volume that was chosen for a claim. */
function bindVolume({ api }: Setting, claimName: string): void {
  const claim = api.get(persistentVolumeClaims, `default/${claimName}`) as PersistentVolumeClaim | undefined;
  if (claim === undefined || claim.spec.volumeName) return;
  const chosen = (api.list(persistentVolumes) as PersistentVolume[]).find(({ spec }) => spec.claimRef?.name === claimName);
  if (chosen === undefined) return;
  const annotations = { "pv.kubernetes.io/bind-completed": "yes" };
  const volumeName = chosen.metadata?.name ?? "";
  api.seed(persistentVolumeClaims, { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName } });
}

async function placed(setting: Setting, added: Pod): Promise<string | undefined> {
  const { world } = setting;
  world.addPod(added);
  await world.settle();
  for (const { persistentVolumeClaim } of added.spec.volumes ?? []) {
    if (persistentVolumeClaim) bindVolume(setting, persistentVolumeClaim.claimName);
  }
  await world.settle();
  return world.nodeOf(added.metadata?.name ?? "");
}

async function compareClaims(seed: number, steps: number): Promise<void> {
  const setting = makeSetting(seed);
  const { dice, world, api } = setting;
  await using _ = world;
  const standing: string[] = [];
  for (let step = 0; step < steps; step++) {
    const where = `seed ${seed}, step ${step}`;
    if (dice.chance(0.2) && standing.length > 0) world.deletePod(standing.splice(0, 1)[0] ?? "");
    const name = `p${step}`;
    const claims = dice.chance(0.5) ? storageSketch(setting, step) : deviceSketch(setting, step);
    const added = pod(name, { ...dice.podSketch(), priority: 0, ...claims });
    await world.settle();
    const volumes = api.list(persistentVolumes) as PersistentVolume[];
    const before = api.list(persistentVolumeClaims) as PersistentVolumeClaim[];
    const places = placesOf(setting.nodesNow(), setting.podsNow());
    const expected = decideNaively(added, setting.nodesNow(), setting.podsNow(), setting.rules());
    const actual = await placed(setting, added);
    const taken = devicesTaken(api.list(resourceClaims) as ResourceClaim[]);
    assert.equal(new Set(taken).size, taken.length, `${where}: a device was given twice`);
    if (expected.best.length === 0) {
      assert.equal(actual, undefined, where);
      const counted = Object.entries(expected.reasons).map(([reason, count]) => `${count} ${reason}`);
      const { message } = world.conditionOf(name, "PodScheduled");
      const nodeCount = setting.nodesNow().length;
      const told = message.split(/\. (no new|still not|deallocation)/)[0];
      assert.equal(told, `0/${nodeCount} nodes are available: ${counted.toSorted().join(", ")}`, where);
      world.deletePod(name);
      continue;
    }
    assert.ok(expected.best.includes(actual ?? ""), `${where}: ${actual} is not among ${expected.best.join()}`);
    standing.push(name);
    const [claimName] = added.spec.volumes?.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []) ?? [];
    const claim = before.find(({ metadata }) => metadata?.name === claimName);
    const place = places.find(({ node }) => node.metadata?.name === actual);
    if (claim === undefined || claim.spec.volumeName || place === undefined) continue;
    const bound = api.get(persistentVolumeClaims, `default/${claimName}`) as PersistentVolumeClaim;
    assert.equal(bound.spec.volumeName, smallestOn(claim, place, volumes)?.metadata?.name, where);
  }
}

async function comparePreemption(seed: number, steps: number): Promise<void> {
  const setting = makeSetting(seed);
  const { dice, world } = setting;
  await using _ = world;
  for (let step = 0; step < steps; step++) {
    const where = `seed ${seed}, step ${step}`;
    const name = `p${step}`;
    const added = pod(name, dice.podSketch());
    const rules = setting.rules();
    const budgets: Budget[] = dice.chance(0.5) ? [{ app: dice.one("web", "db"), allowed: dice.one(0, 1) }] : [];
    for (const budget of setting.api.list(podDisruptionBudgets)) setting.api.remove(podDisruptionBudgets, keyOfObject(budget));
    for (const { app, allowed } of budgets) {
      setting.api.seed(podDisruptionBudgets, {
        metadata: { name: app, namespace: "default" },
        spec: { selector: { matchLabels: { app } } },
        status: { disruptionsAllowed: allowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
      });
    }
    await world.settle();
    const before = { nodes: setting.nodesNow(), pods: setting.podsNow(), rules, budgets };
    const expected = decideNaively(added, before.nodes, before.pods, rules);
    world.addPod(added);
    await world.settle();
    const leaving = world.finishDeletions().toSorted();
    if (expected.best.length > 0) {
      assert.ok(expected.best.includes(world.nodeOf(name) ?? ""), where);
      assert.deepEqual(leaving, [], where);
    } else {
      const evictions = preemptNaively(added, before);
      const nominated = world.podOf(name)?.status?.nominatedNodeName ?? "";
      const chosen = evictions.find(({ node }) => node === nominated);
      const told = `${where}: ${JSON.stringify({ nominated, leaving, evictions })}`;
      assert.equal(chosen !== undefined, evictions.length > 0, told);
      assert.deepEqual(leaving, chosen?.victims ?? [], told);
      await world.advance(15_000);
      assert.equal(world.nodeOf(name), chosen?.node, told);
    }
    const now = world.podOf(name) as Pod;
    if (now.spec.nodeName === undefined) world.deletePod(name);
    else if (dice.chance(0.7)) {
      const startTime = `2026-01-01T00:${dice.one("01", "02", "03")}:00Z`;
      world.api.seed(pods, { ...now, status: { ...now.status, startTime } });
    }
    await world.settle();
  }
}

describe("the scheduler and its naive reference, with claims and priorities,", () => {
  it("find room for volumes and devices alike", async () => {
    for (let seed = 1; seed <= seeds; seed++) await compareClaims(seed, 40);
  });

  it("drive the same pods away", async () => {
    for (let seed = 1; seed <= seeds; seed++) await comparePreemption(seed, 60);
  });
});
