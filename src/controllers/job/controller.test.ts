import assert from "node:assert/strict";
import { test } from "node:test";
import { type Job, jobs } from "#api/batch/v1/job.ts";
import type { JobSpec } from "#api/batch/v1/job-spec.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { rfc3339 } from "#base/clock.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { endedStatus, runningStatus, runPods } from "#testing/pod-runner.ts";
import { jobController } from "./controller.ts";

const labels = { job: "j" };

function setUp(
  spec: Partial<JobSpec>,
  exitCodeOf?: (pod: Pod, attempt: number) => number | undefined,
) {
  const world = startControllerWorld([jobController]);
  const attempts = new Map<string, number>();
  const made: string[] = [];
  runPods(world, {
    statusOf(pod) {
      const now = rfc3339(world.clock.nowMs());
      const index = indexOf(pod);
      const attempt = (attempts.get(index) ?? 0) + 1;
      attempts.set(index, attempt);
      made.push(index);
      const exitCode = exitCodeOf?.(pod, attempt);
      return exitCode === undefined ? runningStatus(now, "10.0.0.1") : endedStatus(now, exitCode);
    },
  });
  const job: Job = {
    kind: "Job",
    apiVersion: "batch/v1",
    metadata: { namespace: "a", name: "j" },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { restartPolicy: "Never", containers: [{ name: "main" }] },
      },
      ...spec,
    },
  };
  world.seed(jobs, job);
  const status = () => world.get(jobs, "a/j")?.status ?? {};
  const conditions = () =>
    (status().conditions ?? [])
      .filter(({ status: is }) => is === "True")
      .map(({ type, reason }) => `${type} ${reason}`);
  const patch = (body: object) =>
    world.client.resource(jobs).patch("a/j", { type: "merge", body: { spec: body } });
  return { world, status, conditions, patch, made };
}

const indexOf = (pod: Pod): string =>
  pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"] ?? "-";

test("a Job completes when its Pods have succeeded, and lets them go", async () => {
  const { world, status, conditions } = setUp({ completions: 3, parallelism: 2 }, () => 0);
  await world.settle();
  assert.deepEqual(conditions(), [
    "SuccessCriteriaMet CompletionsReached",
    "Complete CompletionsReached",
  ]);
  assert.deepEqual([status().succeeded, status().failed, status().active], [3, 0, 0]);
  assert.notEqual(status().completionTime, undefined);
  assert.deepEqual(status().uncountedTerminatedPods, { succeeded: [], failed: [] });
  assert.ok(world.list(pods).every(({ metadata }) => (metadata.finalizers ?? []).length === 0));
  assert.equal(world.list(pods).length, 3);
  assert.equal(world.events().at(-1), "Completed: Job completed");
  assert.deepEqual(world.errors, []);
});

test("failed Pods are replaced after 10 s, then twice as long, until the limit", async () => {
  const { world, status, conditions, made } = setUp({ backoffLimit: 2 }, () => 1);
  const counts: number[] = [];
  for (const waitMs of [5000, 7000, 10_000, 15_000]) {
    await world.settle(waitMs);
    counts.push(made.length);
  }
  assert.deepEqual(counts, [1, 2, 2, 3]);
  assert.deepEqual(conditions(), [
    "FailureTarget BackoffLimitExceeded",
    "Failed BackoffLimitExceeded",
  ]);
  assert.equal(status().failed, 3);
  assert.equal(
    world.events().at(-1),
    "BackoffLimitExceeded: Job has reached the specified backoff limit",
  );
});

test("an indexed Job runs each index once, with its index in name, host name and environment", async () => {
  const { world, status } = setUp(
    { completionMode: "Indexed", completions: 3, parallelism: 3 },
    () => 0,
  );
  await world.settle();
  assert.equal(status().completedIndexes, "0-2");
  const pod = world.list(pods).find((each) => indexOf(each) === "1");
  assert.match(pod?.metadata.name ?? "", /^j-1-[a-z0-9]{5}$/);
  assert.equal(pod?.spec.hostname, "j-1");
  assert.equal(pod?.spec.containers[0]?.env?.[0]?.name, "JOB_COMPLETION_INDEX");
});

test("with a limit per index, one bad index fails alone and the others finish", async () => {
  const { world, status, conditions, made } = setUp(
    {
      completionMode: "Indexed",
      completions: 2,
      parallelism: 2,
      backoffLimitPerIndex: 1,
      backoffLimit: 2 ** 31 - 1,
    },
    (pod) => (indexOf(pod) === "0" ? 1 : 0),
  );
  await world.settle(30_000);
  assert.deepEqual([status().completedIndexes, status().failedIndexes], ["1", "0"]);
  assert.deepEqual(made.filter((index) => index === "0").length, 2);
  assert.deepEqual(conditions(), ["FailureTarget FailedIndexes", "Failed FailedIndexes"]);
  assert.equal(status().failed, 2);
});

test("a success policy ends the Job before all indexes are done", async () => {
  const { world, conditions, status } = setUp(
    {
      completionMode: "Indexed",
      completions: 5,
      parallelism: 5,
      successPolicy: { rules: [{ succeededIndexes: "0,2" }] },
    },
    (pod) => (["0", "2"].includes(indexOf(pod)) ? 0 : undefined),
  );
  await world.settle();
  assert.deepEqual(conditions(), ["SuccessCriteriaMet SuccessPolicy", "Complete SuccessPolicy"]);
  assert.equal(status().completedIndexes, "0,2");
  assert.equal(status().active, 0);
});

test("a rule of the failure policy fails the Job at once, another ignores failures", async () => {
  const rules = [
    { action: "Ignore", onExitCodes: { operator: "In", values: [7] } },
    { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
  ];
  const { world, conditions, status, made } = setUp(
    { podFailurePolicy: { rules } },
    (_pod, attempt) => (attempt === 1 ? 7 : 42),
  );
  await world.settle(15_000);
  assert.equal(made.length, 2);
  assert.equal(status().failed, 1);
  assert.deepEqual(conditions(), ["FailureTarget PodFailurePolicy", "Failed PodFailurePolicy"]);
});

test("a deadline ends a running Job, and its Pods", async () => {
  const { world, conditions, status } = setUp({ activeDeadlineSeconds: 20 });
  await world.settle(19_000);
  assert.deepEqual(conditions(), []);
  assert.equal(status().active, 1);
  await world.settle(3000);
  assert.deepEqual(conditions(), ["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]);
  assert.equal(status().active, 0);
});

test("suspending takes the Pods away without failures, resuming starts over", async () => {
  const { world, status, conditions, patch } = setUp({ parallelism: 2, completions: 2 });
  await world.settle();
  assert.equal(status().active, 2);
  await patch({ suspend: true });
  await world.settle();
  assert.equal(world.list(pods).length, 0);
  assert.deepEqual([status().active, status().failed, status().startTime], [0, 0, undefined]);
  assert.deepEqual(conditions(), ["Suspended JobSuspended"]);
  await patch({ suspend: false });
  await world.settle();
  assert.deepEqual([status().active, conditions()], [2, []]);
  assert.notEqual(status().startTime, undefined);
});

test("fewer parallel Pods are taken away without counting, and Pods of a deleted Job are let go", async () => {
  const { world, status, patch } = setUp({ parallelism: 3, completions: 5 });
  await world.settle();
  await patch({ parallelism: 1 });
  await world.settle();
  assert.deepEqual([status().active, status().failed], [1, 0]);
  const [pod] = world.list(pods);
  world.api.remove(jobs, "a/j");
  await world.settle();
  assert.deepEqual(world.get(pods, `a/${pod?.metadata.name}`)?.metadata.finalizers, []);
});

test("a Job that another controller manages is left alone", async () => {
  const { world } = setUp({ managedBy: "example.com/other" });
  await world.settle();
  assert.equal(world.list(pods).length, 0);
});
