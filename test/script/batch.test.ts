import assert from "node:assert/strict";
import { at, refused } from "./api.ts";
import { changeStatus, createAndChange, type Operations } from "./operations.ts";
import { area, scenario } from "./scenario.ts";

area("[sig-apps] CronJob", () => {
  scenario("should support CronJob API operations", async ({ own, all, unique }) => {
    const objects = own("batch/v1", "cronjobs");
    const selection = { labelSelector: `special-label=${unique}` };
    const pod = {
      restartPolicy: "OnFailure",
      volumes: [{ name: "data", emptyDir: {} }],
      containers: [{ name: "c", image: "busybox:1", volumeMounts: [{ name: "data", mountPath: "/data" }], command: ["true"] }],
    };
    const cronJob = (name: string): object => ({
      metadata: { name, labels: { "special-label": unique } },
      spec: {
        schedule: "* */1 * * ?",
        concurrencyPolicy: "Allow",
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 0,
        jobTemplate: { spec: { parallelism: 1, completions: 1, backoffLimit: 1, template: { spec: pod } } },
      },
    });
    const operations: Operations = { objects, everywhere: all("batch/v1", "cronjobs"), selection, objectsOf: [cronJob("test-api")] };
    await createAndChange(operations);
    const times = ["2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z"];
    const status = await changeStatus(objects, "test-api", {
      patch: { lastScheduleTime: times[0] },
      update: { status: { lastScheduleTime: times[1] } },
    });
    assert.equal(at(status, "status", "lastScheduleTime"), times[1]);
    await objects.create(cronJob("for-removal"));
    await objects.delete("for-removal");
    await refused(objects.get("for-removal"), 404);
    await objects.deleteAll(selection);
    assert.deepEqual((await objects.list(selection)).items, []);
  });
});
