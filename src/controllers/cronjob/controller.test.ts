import assert from "node:assert/strict";
import { test } from "node:test";
import { type CronJob, cronJobs } from "#api/batch/v1/cron-job.ts";
import { jobs } from "#api/batch/v1/job.ts";
import { rfc3339 } from "#base/clock.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { cronJobController } from "./controller.ts";

function setUp(spec: Partial<CronJob["spec"]> = {}) {
  const world = startControllerWorld([cronJobController]);
  world.seed(cronJobs, {
    kind: "CronJob",
    apiVersion: "batch/v1",
    metadata: { namespace: "a", name: "tick" },
    spec: {
      schedule: "* * * * *",
      concurrencyPolicy: "Allow",
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: {
        metadata: { labels: { x: "y" } },
        spec: { template: { metadata: {}, spec: { containers: [] } } },
      },
      ...spec,
    },
  });
  const end = (name: string, type: string): void => {
    const job = world.get(jobs, `a/${name}`);
    const now = rfc3339(world.clock.nowMs());
    if (job)
      world.seed(jobs, {
        ...job,
        status: { startTime: now, completionTime: now, conditions: [{ type, status: "True" }] },
      });
  };
  const names = () => world.list(jobs).map(({ metadata }) => metadata.name);
  const status = () => world.get(cronJobs, "a/tick")?.status ?? {};
  const reasons = () => world.events().map((text) => text.split(":")[0]);
  return { world, end, names, status, reasons };
}

const minute = 60_000;

test("a Job is made each minute, named by it, and counted as active", async () => {
  const { world, names, status, reasons } = setUp();
  await world.settle(2 * minute + 1000);
  assert.deepEqual(names(), ["tick-29453761", "tick-29453762"]);
  assert.equal(
    world.list(jobs)[0]?.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"],
    "2026-01-01T00:01:00Z",
  );
  assert.deepEqual(
    status().active?.map(({ name }) => name),
    names(),
  );
  assert.equal(status().lastScheduleTime, "2026-01-01T00:02:00Z");
  assert.deepEqual(reasons(), ["SuccessfulCreate", "SuccessfulCreate"]);
  assert.deepEqual(world.errors, []);
});

test("finished Jobs leave the active list and, beyond the limits, go", async () => {
  const { world, end, names, status, reasons } = setUp({ successfulJobsHistoryLimit: 1 });
  await world.settle(1500);
  for (let i = 0; i < 3; i++) {
    await world.settle(minute - 1000);
    end(names().at(-1) ?? "", "Complete");
    await world.settle(1000);
  }
  assert.deepEqual(names(), ["tick-29453763"]);
  assert.deepEqual(status().active, []);
  assert.equal(status().lastSuccessfulTime, "2026-01-01T00:03:00Z");
  assert.ok(reasons().includes("SawCompletedJob"));
});

test("Forbid waits for the running Job, Replace takes its place", async () => {
  const forbid = setUp({ concurrencyPolicy: "Forbid" });
  await forbid.world.settle(3 * minute + 1000);
  assert.deepEqual(forbid.names(), ["tick-29453761"]);
  assert.ok(forbid.reasons().includes("JobAlreadyActive"));
  const replace = setUp({ concurrencyPolicy: "Replace" });
  await replace.world.settle(3 * minute + 1000);
  assert.deepEqual(replace.names(), ["tick-29453763"]);
  assert.equal(replace.status().active?.length, 1);
});

test("after a pause only the newest missed time is served, within the deadline", async () => {
  const { world, names, reasons } = setUp({ suspend: true });
  await world.settle(300 * minute);
  assert.deepEqual(names(), []);
  await world.client
    .resource(cronJobs)
    .patch("a/tick", { type: "merge", body: { spec: { suspend: false } } });
  await world.settle(1000);
  assert.deepEqual(names(), ["tick-29454060"]);
  assert.ok(reasons().includes("TooManyMissedTimes"));
});

test("an active Job that vanished is forgotten", async () => {
  const { world, names, status, reasons } = setUp();
  await world.settle(minute + 1000);
  world.api.remove(jobs, `a/${names()[0]}`);
  await world.settle(1000);
  assert.deepEqual(status().active, []);
  assert.ok(reasons().includes("MissingJob"));
});

test("bad schedules and zones are told, and nothing runs", async () => {
  for (const [spec, reason] of [
    [{ schedule: "nonsense" }, "UnparseableSchedule"],
    [{ timeZone: "Nowhere/City" }, "UnknownTimeZone"],
  ] as const) {
    const { world, names, reasons } = setUp(spec);
    await world.settle(2 * minute);
    assert.deepEqual([names(), reasons()], [[], [reason]]);
  }
});
