import { type Namespace, namespaces } from "#api/core/v1/namespace.ts";
import { pods } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";
import {
  type Context,
  defineController,
  done,
  type Outcome,
  watchOf,
} from "../framework/controller.ts";
import { terminationConditions } from "./conditions.ts";
import { deleteContent } from "./content.ts";

/** The finalizer in `spec` that is ours to take away. */
const finalizer = "kubernetes";

/**
 * Empties namespaces that are being deleted and lets them go. Source: pkg/controller/namespace.
 * Wakes with the end of each Pod; other content that finalizers hold is looked at again in time.
 */
export const namespaceController = defineController({
  name: "namespace-controller",
  for: namespaces,
  workers: 10,
  changed: ({ metadata, spec }) =>
    metadata?.deletionTimestamp !== undefined && (spec.finalizers ?? []).length > 0,
  watches: [
    watchOf(pods, {
      on: ["delete"],
      keys({ metadata }, context) {
        const namespace = metadata?.namespace ?? "";
        const going =
          context.lister(namespaces).get(namespace)?.metadata?.deletionTimestamp !== undefined;
        return going ? [namespace] : [];
      },
    }),
  ],
  async reconcile(context) {
    if (context.get()?.metadata?.deletionTimestamp === undefined) return done;
    try {
      return await empty(context);
    } catch (error) {
      if (isNotFound(error)) return done;
      throw error;
    }
  },
});

async function empty(context: Context<Namespace, undefined>): Promise<Outcome> {
  const resource = context.resource(namespaces);
  let namespace = await resource.get(context.key);
  if (namespace.metadata?.deletionTimestamp === undefined || !namespace.spec.finalizers?.length)
    return done;
  if (namespace.status?.phase !== "Terminating") {
    namespace = await resource.updateStatus({
      ...namespace,
      status: { ...namespace.status, phase: "Terminating" },
    });
  }
  const found = await deleteContent(context.client, context.key, context.signal);
  const conditions = terminationConditions(namespace, found, rfc3339(context.clock.nowMs()));
  if (!deepEqual(conditions, namespace.status?.conditions)) {
    namespace = await resource.updateStatus({
      ...namespace,
      status: { ...namespace.status, conditions },
    });
  }
  if (found.estimateSeconds > 0)
    return { requeueAfterMs: (Math.floor(found.estimateSeconds / 2) + 1) * 1000 };
  if (found.failures.length > 0 || found.remaining.length > 0 || found.undiscovered.length > 0) {
    const kinds = found.remaining.map(({ target }) => `${target.plural} remain`);
    const why = [...found.failures, ...found.undiscovered, ...kinds].join(", ");
    throw new Error(`namespace ${context.key} is not empty: ${why}`);
  }
  const spec = {
    ...namespace.spec,
    finalizers: namespace.spec.finalizers?.filter((name) => name !== finalizer),
  };
  await resource.updateSubresource({
    key: context.key,
    name: "finalize",
    body: { ...namespace, spec },
  });
  return done;
}
