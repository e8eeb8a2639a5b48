import { type Job, jobs } from "#api/batch/v1/job.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { defineController, done } from "../framework/controller.ts";

/** Deletes Jobs `ttlSecondsAfterFinished` after their end. Source: pkg/controller/ttlafterfinished. */
export const ttlAfterFinishedController = defineController<Job>({
  name: "ttl-after-finished-controller",
  for: jobs,
  workers: 5,
  async reconcile(context) {
    const cached = context.get();
    if (cached === undefined || expiryMs(cached) === undefined) return done;
    const leftMs = (expiryMs(cached) ?? 0) - context.clock.nowMs();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    try {
      // The TTL may have been raised, or the Job made anew, since the cache saw it.
      const job = await context.resource(jobs).get(context.key);
      const dueMs = expiryMs(job);
      if (dueMs === undefined) return done;
      if (dueMs > context.clock.nowMs()) return { requeueAfterMs: dueMs - context.clock.nowMs() };
      const { uid = "", resourceVersion = "" } = job.metadata;
      await context.resource(jobs).delete(context.key, {
        propagationPolicy: "Foreground",
        preconditions: { uid, resourceVersion },
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  },
});

/** Undefined when it never expires, has not ended, or is going already. */
function expiryMs({ metadata, spec, status }: Job): number | undefined {
  if (metadata.deletionTimestamp !== undefined || spec.ttlSecondsAfterFinished === undefined)
    return undefined;
  const end = status?.conditions?.find(
    ({ type, status: is }) => is === "True" && (type === "Complete" || type === "Failed"),
  );
  return end && Date.parse(end.lastTransitionTime ?? "") + spec.ttlSecondsAfterFinished * 1000;
}
