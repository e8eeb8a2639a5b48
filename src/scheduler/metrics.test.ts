import assert from "node:assert/strict";
import { it } from "node:test";
import { createMetricRegistry } from "#base/metrics.ts";
import { makeWorld, node, pod } from "./testing/world.ts";

it("the scheduler counts attempts by result, and pods by queue", async () => {
  const metrics = createMetricRegistry();
  await using world = makeWorld({ metrics });
  world.addNode(node("a", { cpu: "1" }));
  for (const [name, cpu] of [
    ["fits", "1"],
    ["large", "9"],
  ] as const)
    world.addPod(pod(name, { cpu }));
  world.addPod(pod("gated", { schedulingGates: [{ name: "wait" }] }));
  await world.settle();
  const told = metrics
    .families()
    .flatMap((family) =>
      family.type === "histogram"
        ? []
        : [...family.series()].map(({ values, cell }) => `${family.name} ${values.join()} ${cell.value}`),
    );
  assert.deepEqual(told.toSorted(), [
    "scheduler_pending_pods active 0",
    "scheduler_pending_pods backoff 0",
    "scheduler_pending_pods gated 1",
    "scheduler_pending_pods unschedulable 1",
    "scheduler_schedule_attempts_total scheduled,default-scheduler 1",
    "scheduler_schedule_attempts_total unschedulable,default-scheduler 1",
  ]);
});
