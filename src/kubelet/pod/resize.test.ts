import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import {
  changedResources,
  isResized,
  needsRestart,
  refuseResize,
  wishedResources,
  withGranted,
} from "./resize.ts";

function podOf(cpu: string): Pod {
  const resources = { requests: { cpu }, limits: { cpu } };
  return { metadata: {}, spec: { containers: [{ name: "main", resources }] } };
}

test("withGranted shows what was granted until more is", () => {
  const granted = wishedResources(podOf("100m"));
  const wished = podOf("200m");
  assert.equal(isResized(wished, granted), true);
  assert.equal(isResized(podOf("0.1"), granted), false);
  assert.equal(
    withGranted(wished, granted).spec.containers[0]?.resources?.requests?.["cpu"],
    "100m",
  );
});

test("changedResources compares quantities, not texts", () => {
  const rows = [
    [{ requests: { cpu: "1" } }, { requests: { cpu: "1000m" } }, []],
    [{ requests: { cpu: "1" } }, { requests: { cpu: "1" }, limits: { memory: "1Gi" } }, ["memory"]],
    [
      { limits: { cpu: "1", memory: "1Gi" } },
      { limits: { cpu: "2", memory: "2Gi" } },
      ["cpu", "memory"],
    ],
  ] as const;
  for (const [a, b, expected] of rows) assert.deepEqual(changedResources(a, b), expected);
});

test("needsRestart asks the policy of the resource that changed", () => {
  const resizePolicy = [{ resourceName: "memory", restartPolicy: "RestartContainer" }];
  assert.equal(needsRestart({ name: "a", resizePolicy }, ["cpu"]), false);
  assert.equal(needsRestart({ name: "a", resizePolicy }, ["cpu", "memory"]), true);
});

test("refuseResize tells what never fits from what does not fit now", () => {
  const node: Node = {
    metadata: {},
    spec: {},
    status: { allocatable: { cpu: "2", memory: "1Gi" } },
  };
  assert.equal(refuseResize(podOf("1"), node, [podOf("1")]), undefined);
  assert.deepEqual(refuseResize(podOf("3"), node, []), {
    reason: "Infeasible",
    message: "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
  });
  assert.deepEqual(refuseResize(podOf("1500m"), node, [podOf("1")]), {
    reason: "Deferred",
    message: "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
  });
});
