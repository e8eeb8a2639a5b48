import assert from "node:assert/strict";
import { test } from "node:test";
import { type Job, jobs } from "#api/batch/v1/job.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { ttlAfterFinishedController } from "./controller.ts";

function job(name: string, ttl: number | undefined, ended: boolean): Job {
  const condition = {
    type: "Complete",
    status: "True",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  return {
    metadata: { namespace: "a", name },
    spec: {
      template: { metadata: {}, spec: { containers: [] } },
      ...(ttl !== undefined && { ttlSecondsAfterFinished: ttl }),
    },
    status: { conditions: ended ? [condition] : [] },
  };
}

test("ended Jobs go when their time is over, others stay", async () => {
  const world = startControllerWorld([ttlAfterFinishedController]);
  for (const each of [
    job("now", 0, true),
    job("later", 60, true),
    job("never", undefined, true),
    job("running", 0, false),
  ]) {
    world.seed(jobs, each);
  }
  const left = () =>
    world
      .list(jobs)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name);
  await world.settle();
  assert.deepEqual(left(), ["later", "never", "running"]);
  await world.settle(58_000);
  assert.deepEqual(left(), ["never", "running"]);
});
