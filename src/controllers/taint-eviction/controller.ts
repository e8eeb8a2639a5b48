import { nodes, type Taint } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";
import { type Context, defineController, done, indexOf, watchOf } from "../framework/controller.ts";
import { type Toleration, tolerates } from "../framework/node-fit.ts";
import { byNode } from "../framework/node-index.ts";

interface Marked {
  readonly uid: string;
  readonly sinceMs: number;
}

interface EvictionState {
  /** Pods that will have to go, since when they are tolerated, monotonic. */
  readonly marked: Map<string, Marked>;
}

/** Deletes Pods from nodes with NoExecute taints, when they tolerate those no longer. Source: pkg/controller/tainteviction. */
export const taintEvictionController = defineController<Pod, EvictionState>({
  name: "taint-eviction-controller",
  account: "node-controller",
  for: pods,
  workers: 8,
  changed: (pod, old) =>
    pod.spec.nodeName !== old.spec.nodeName ||
    !deepEqual(pod.spec.tolerations, old.spec.tolerations) ||
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp,
  indexes: [indexOf(pods, byNode)],
  watches: [
    watchOf(nodes, {
      changed: (node, old) => !deepEqual(executing(node.spec.taints), executing(old.spec.taints)),
      keys: ({ metadata }, context) =>
        context
          .lister(pods)
          .by(byNode, metadata.name ?? "")
          .map(keyOfObject),
    }),
  ],
  state: () => ({ marked: new Map() }),
  async reconcile(context) {
    const pod = context.get();
    const node = pod?.spec.nodeName ? context.lister(nodes).get(pod.spec.nodeName) : undefined;
    if (pod === undefined || node === undefined || pod.metadata.deletionTimestamp !== undefined) {
      context.state.marked.delete(context.key);
      return done;
    }
    const seconds = toleratedSeconds(executing(node.spec.taints), pod.spec.tolerations ?? []);
    if (seconds === Infinity) {
      if (context.state.marked.delete(context.key)) {
        context.events.normal(
          pod,
          "TaintManagerEviction",
          `Cancelling deletion of Pod ${context.key}`,
        );
      }
      return done;
    }
    const nowMs = context.clock.monotonicMs();
    const { uid = "" } = pod.metadata;
    const known = context.state.marked.get(context.key);
    const marked = known?.uid === uid ? known : { uid, sinceMs: nowMs };
    context.state.marked.set(context.key, marked);
    const leftMs = marked.sinceMs + seconds * 1000 - nowMs;
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    await evict(context, pod);
    return done;
  },
});

function executing(taints: readonly Taint[] | undefined): Taint[] {
  return (taints ?? []).filter(({ effect }) => effect === "NoExecute");
}

/** How long the Pod may stay: 0 when some taint is not tolerated, else the shortest toleration. */
export function toleratedSeconds(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
): number {
  let shortest = Infinity;
  for (const taint of taints) {
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return 0;
    for (const { tolerationSeconds } of matching.slice(0, 1)) {
      if (tolerationSeconds !== undefined)
        shortest = Math.min(shortest, Math.max(0, tolerationSeconds));
    }
  }
  return shortest;
}

async function evict(context: Context<Pod, EvictionState>, pod: Pod): Promise<void> {
  context.events.normal(pod, "TaintManagerEviction", `Marking for deletion Pod ${context.key}`);
  const { uid = "" } = pod.metadata;
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    lastTransitionTime: rfc3339(context.clock.nowMs()),
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
  };
  try {
    await context
      .resource(pods)
      .updateStatus({ ...pod, status: { ...pod.status, conditions: [...others, condition] } });
    await context.resource(pods).delete(context.key, { preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
