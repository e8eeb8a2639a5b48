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
    "scheduler_preemption_attempts_total  1",
    "scheduler_queue_incoming_pods_total active,UnschedulablePodAdd 2",
    "scheduler_queue_incoming_pods_total unschedulable,ScheduleAttemptFailure 1",
    "scheduler_schedule_attempts_total scheduled,default-scheduler 1",
    "scheduler_schedule_attempts_total unschedulable,default-scheduler 1",
    "scheduler_scheduler_cache_size assumed_pods 0",
    "scheduler_scheduler_cache_size nodes 1",
    "scheduler_scheduler_cache_size pods 1",
    "scheduler_unschedulable_pods NodeResourcesFit,default-scheduler 1",
    "scheduler_unschedulable_pods SchedulingGates,default-scheduler 1",
  ]);
  const histograms = metrics.families().flatMap((family) =>
    family.type === "histogram" ? [...family.series()].map(({ values, cell }) => `${family.name} ${values.join()} ${cell.count}`) : [],
  );
  assert.deepEqual(
    histograms.filter((line) => line.startsWith("scheduler_pod")),
    ["scheduler_pod_scheduling_attempts  1", "scheduler_pod_scheduling_sli_duration_seconds 1 1"],
  );
  const points = histograms.flatMap((line) => /extension_point_duration_seconds (\w+,\w+),default-scheduler (\d+)/.exec(line)?.slice(1).join(" ") ?? []);
  assert.deepEqual(points.toSorted(), [
    "Bind,Success 1",
    "Filter,Success 1",
    "Filter,Unschedulable 1",
    "Permit,Success 1",
    "PostFilter,Unschedulable 1",
    "PreBind,Success 1",
    "PreFilter,Success 2",
    "Reserve,Success 1",
  ]);
});
