import { nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { PodStatus } from "#api/core/v1/pod-status.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";
import {
  type Context,
  defineController,
  done,
  indexOf,
  type Outcome,
  watchOf,
} from "../framework/controller.ts";
import { byNode } from "../framework/node-index.ts";
import { createdMs, isTerminal } from "../framework/pods.ts";

/** Ended Pods that may stay. Source: --terminated-pod-gc-threshold. */
const terminatedMaxDefault = 12_500;

/** A node may be missing so long before its Pods count as lost. Source: quarantineTime. */
const quarantineMs = 40_000;

/** The key that stands for all ended Pods; no Pod has it. */
const terminatedKey = "";

interface PodGcState {
  /** Node -> since when it is known to be missing, monotonic. */
  readonly missing: Map<string, number>;
}

type PodGcContext = Context<Pod, PodGcState>;

/**
 * Removes Pods that nobody else will: of nodes that are gone or declared out of service, deleted
 * before they had a node, and ended ones beyond a limit. Source: pkg/controller/podgc.
 */
export const podGarbageCollector = defineController<Pod, PodGcState>({
  name: "pod-garbage-collector-controller",
  account: "pod-garbage-collector",
  for: pods,
  changed: (pod, old) =>
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    pod.spec.nodeName !== old.spec.nodeName ||
    isTerminal(pod) !== isTerminal(old),
  indexes: [indexOf(pods, byNode)],
  watches: [
    watchOf(pods, {
      changed: (pod, old) => isTerminal(pod) !== isTerminal(old),
      keys: (pod) => (isTerminal(pod) ? [terminatedKey] : []),
    }),
    watchOf(nodes, {
      keys: (node, { informers }) =>
        informers
          .of(pods)
          .lister.by(byNode, node.metadata.name ?? "")
          .map(keyOfObject),
      changed: (node, old) => isOutOfService(node) !== isOutOfService(old),
    }),
  ],
  state: () => ({ missing: new Map() }),
  async reconcile(context) {
    if (context.key === terminatedKey) return trimTerminated(context);
    const pod = context.get();
    if (pod === undefined) return done;
    const going = pod.metadata.deletionTimestamp !== undefined;
    const { nodeName = "" } = pod.spec;
    if (nodeName === "") {
      if (going) await remove(context, pod);
      return done;
    }
    const node = context.lister(nodes).get(nodeName);
    if (node === undefined) return collectOrphan(context, pod);
    context.state.missing.delete(nodeName);
    if (going && isOutOfService(node)) await remove(context, pod);
    return done;
  },
});

function isOutOfService(node: {
  readonly spec: { readonly taints?: readonly { readonly key: string }[] | undefined };
}): boolean {
  return (node.spec.taints ?? []).some(({ key }) => key === "node.kubernetes.io/out-of-service");
}

async function collectOrphan(context: PodGcContext, pod: Pod): Promise<Outcome> {
  const { nodeName = "" } = pod.spec;
  const nowMs = context.clock.monotonicMs();
  const sinceMs = context.state.missing.get(nodeName) ?? nowMs;
  context.state.missing.set(nodeName, sinceMs);
  const leftMs = sinceMs + quarantineMs - nowMs;
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  try {
    await context.resource(nodes).get(nodeName);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await remove(context, pod, {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByPodGC",
      message: "PodGC: node no longer exists",
    });
  }
  return done;
}

type Told = Pick<
  NonNullable<PodStatus["conditions"]>[number],
  "type" | "status" | "reason" | "message"
>;

/** Marks the Pod as failed, since no kubelet will, then deletes it without grace. */
async function remove(context: PodGcContext, pod: Pod, condition?: Told): Promise<void> {
  const key = keyOfObject(pod);
  const { uid = "" } = pod.metadata;
  try {
    if (!isTerminal(pod)) {
      const lastTransitionTime = rfc3339(context.clock.nowMs());
      const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== condition?.type);
      const conditions = condition ? [...others, { ...condition, lastTransitionTime }] : others;
      const body = { metadata: { uid }, status: { phase: "Failed", conditions } };
      // Its role allows patches of the status only.
      await context.resource(pods).patch(key, { type: "merge", body, subresource: "status" });
    }
    await context.resource(pods).delete(key, { gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function trimTerminated(context: PodGcContext): Promise<Outcome> {
  const max = context.settings.terminatedPodsMax ?? terminatedMaxDefault;
  if (max <= 0) return done;
  const ended = context.lister(pods).list().filter(isTerminal);
  const oldest = ended.toSorted(
    (a, b) => Number(isEvicted(b)) - Number(isEvicted(a)) || createdMs(a) - createdMs(b),
  );
  for (const pod of oldest.slice(0, Math.max(0, ended.length - max))) await remove(context, pod);
  return done;
}

function isEvicted({ status }: Pod): boolean {
  return status?.reason === "Evicted";
}
