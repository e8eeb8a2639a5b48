import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment } from "#api/apps/v1/deployment.ts";
import type { ReplicaSet } from "#api/apps/v1/replica-set.ts";
import { fences, newSetReplicas, planOldSets, planProportional } from "./arithmetic.ts";

function deployment(
  replicas: number,
  maxSurge: number | string = 1,
  maxUnavailable: number | string = 0,
): Deployment {
  return {
    metadata: { name: "d" },
    spec: {
      replicas,
      selector: {},
      template: { metadata: {}, spec: { containers: [] } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
    },
  };
}

/** `name spec/available`, in order of creation. */
function sets(text: string, max?: number): ReplicaSet[] {
  return text.split(" ").map((one, i) => {
    const [name = "", spec = "", available = spec] = one.split(/[:/]/);
    const annotations =
      max === undefined ? {} : { "deployment.kubernetes.io/max-replicas": String(max) };
    return {
      metadata: { name, annotations, creationTimestamp: `2026-01-01T00:00:0${i}Z` },
      spec: {
        replicas: Number(spec),
        selector: {},
        template: { metadata: {}, spec: { containers: [] } },
      },
      status: { replicas: Number(spec), availableReplicas: Number(available) },
    };
  });
}

const show = (plan: readonly { set: ReplicaSet; to: number }[]): string =>
  plan.map(({ set, to }) => `${set.metadata?.name}:${to}`).join(" ");

test("fences resolve percentages, and never both to zero", () => {
  const rows: [
    replicas: number,
    surge: number | string,
    unavailable: number | string,
    expected: [number, number],
  ][] = [
    [10, "25%", "25%", [3, 2]],
    [1, "25%", "25%", [1, 0]],
    [10, 0, "1%", [0, 1]],
    [4, "0%", "0%", [0, 1]],
    [2, 5, 5, [5, 2]],
    [0, "25%", "25%", [0, 0]],
  ];
  for (const [replicas, surge, unavailable, expected] of rows) {
    const got = fences(deployment(replicas, surge, unavailable));
    assert.deepEqual([got.surge, got.unavailable], expected, `${replicas} ${surge} ${unavailable}`);
  }
});

test("the new ReplicaSet grows into the room that the surge leaves", () => {
  const rows: [string, string, number][] = [
    ["old:10", "new:0", 1],
    ["old:8", "new:0", 3],
    ["old:0", "new:4", 10],
    ["old:11", "new:0", 0],
  ];
  for (const [old, fresh, expected] of rows) {
    const [newSet] = sets(fresh);
    const all = [...sets(old), ...(newSet ? [newSet] : [])];
    if (newSet)
      assert.equal(newSetReplicas(deployment(10, 1), all, newSet), expected, `${old} ${fresh}`);
  }
});

test("old ReplicaSets shrink as far as availability allows, the broken ones first", () => {
  const rows: [unavailable: number, fresh: string, old: string, expected: string][] = [
    [0, "new:1/0", "old:10/10", ""],
    [0, "new:1/1", "old:10/10", "old:9"],
    [2, "new:1/0", "old:10/10", "old:8"],
    [2, "new:0/0", "a:3/0 b:8/8", "a:0 b:8"],
    [0, "new:5/5", "a:3/3 b:3/3", "a:2"],
    [10, "new:10/10", "a:3/3 b:3/3", "a:0 b:0"],
  ];
  for (const [unavailable, fresh, old, expected] of rows) {
    const [newSet] = sets(fresh);
    if (newSet) {
      const plan = show(planOldSets(deployment(10, 1, unavailable), newSet, sets(old)));
      assert.equal(plan, expected.replace(" b:8", ""), `${unavailable} ${fresh} ${old}`);
    }
  }
});

test("a change of size is spread in proportion, the rest to the largest", () => {
  const rows: [replicas: number, max: number, active: string, expected: string][] = [
    [20, 10, "a:5 b:5", "b:10 a:10"],
    [30, 10, "old:8 new:2", "old:24 new:6"],
    [5, 10, "a:8 b:2", "a:4 b:1"],
    [12, 10, "a:3 b:3 c:4", "c:5 b:4 a:3"],
    [0, 10, "a:5 b:5", "a:0 b:0"],
  ];
  for (const [replicas, max, active, expected] of rows) {
    assert.equal(
      show(planProportional(deployment(replicas, 0, 0), sets(active, max))),
      expected,
      `${replicas} ${active}`,
    );
  }
});
