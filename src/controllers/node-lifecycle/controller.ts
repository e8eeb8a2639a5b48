import { type Lease, leases } from "#api/coordination/v1/lease.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import type { NodeCondition } from "#api/core/v1/node-status.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";
import {
  type Context,
  type ControllerEnvironment,
  defineController,
  done,
  indexOf,
  type Outcome,
  sooner,
  watchOf,
} from "../framework/controller.ts";
import { byNode } from "../framework/node-index.ts";
import { isReady } from "../framework/pods.ts";
import { executeTaintKey, readyStatusOf, withConditionTaints, withExecuteTaint } from "./taints.ts";
import { evictionRate, zoneOf } from "./zones.ts";

/** A node that says nothing for so long counts as lost. Source: --node-monitor-grace-period. */
const graceMsDefault = 50_000;
/** A node that has never said anything is given so long. Source: --node-startup-grace-period. */
const startupGraceMs = 60_000;

const leaseNamespace = "kube-node-lease";

interface Heartbeat {
  /** Monotonic time of the last sign of life, by our own clock: theirs may be wrong. */
  atMs: number;
  sign: string;
}

interface LifecycleState {
  readonly heartbeats: Map<string, Heartbeat>;
  /** Zone -> monotonic time from which the next node may be declared lost. */
  readonly nextEvictionMs: Map<string, number>;
}

type NodeContext = Context<Node, LifecycleState>;

/**
 * Watches over nodes: silent ones become Unknown, conditions become taints, and Pods of nodes that
 * are not ready stop counting as ready. Source: pkg/controller/nodelifecycle.
 */
export const nodeLifecycleController = defineController<Node, LifecycleState>({
  name: "node-lifecycle-controller",
  account: "node-controller",
  component: "node-controller",
  for: nodes,
  workers: 8,
  indexes: [indexOf(pods, byNode)],
  watches: [
    watchOf(leases, {
      selection: { namespace: leaseNamespace },
      keys: ({ metadata }, context) => {
        const node = context.lister(nodes).get(metadata.name ?? "");
        return node && readyStatusOf(node) === "Unknown" ? [metadata.name ?? ""] : [];
      },
    }),
  ],
  state: startState,
  async reconcile(context) {
    const node = context.get();
    if (node === undefined) {
      context.state.heartbeats.delete(context.key);
      return done;
    }
    const { current, wait } = await checkHealth(context, node);
    await labelPlatform(context, current);
    const tainted = await taint(context, current);
    if (readyStatusOf(current) !== "True" && readyStatusOf(current) !== undefined)
      await markPods(context, current);
    return sooner(wait, tainted);
  },
});

/** Notes signs of life as they come, so that only silence costs work. */
function startState({ informers, clock }: ControllerEnvironment): LifecycleState {
  const heartbeats = new Map<string, Heartbeat>();
  const note = (name: string, sign: string): void => {
    const known = heartbeats.get(name);
    if (known?.sign !== sign) heartbeats.set(name, { atMs: clock.monotonicMs(), sign });
  };
  const ofLease = ({ metadata, spec }: Lease): void =>
    note(metadata.name ?? "", `lease ${spec.renewTime}`);
  const ofNode = (node: Node): void =>
    note(node.metadata.name ?? "", `status ${lastHeartbeatOf(node)}`);
  informers
    .of(leases, { namespace: leaseNamespace })
    .subscribe({ onAdd: ofLease, onUpdate: ofLease });
  informers.of(nodes).subscribe({
    onAdd: (node) => heartbeats.has(node.metadata.name ?? "") || ofNode(node),
    onUpdate: (node, old) => void (lastHeartbeatOf(node) !== lastHeartbeatOf(old) && ofNode(node)),
  });
  return { heartbeats, nextEvictionMs: new Map() };
}

function lastHeartbeatOf({ status }: Node): string | undefined {
  return status?.conditions?.find(({ type }) => type === "Ready")?.lastHeartbeatTime;
}

interface Checked {
  readonly current: Node;
  readonly wait: Outcome;
}

async function checkHealth(context: NodeContext, node: Node): Promise<Checked> {
  const nowMs = context.clock.monotonicMs();
  const heard = context.state.heartbeats.get(context.key)?.atMs ?? nowMs;
  const known = readyStatusOf(node) !== undefined;
  const graceMs = known ? (context.settings.nodeMonitorGraceMs ?? graceMsDefault) : startupGraceMs;
  const leftMs = heard + graceMs - nowMs;
  if (leftMs > 0) return { current: node, wait: { requeueAfterMs: leftMs } };
  const conditions = withUnknown(node, rfc3339(context.clock.nowMs()));
  if (deepEqual(conditions, node.status?.conditions ?? [])) return { current: node, wait: done };
  const current = await context
    .resource(nodes)
    .updateStatus({ ...node, status: { ...node.status, conditions } });
  if (readyStatusOf(node) === "True") {
    context.events.normal(node, "NodeNotReady", `Node ${context.key} status is now: NodeNotReady`);
  }
  return { current, wait: done };
}

/** The conditions of a node that has gone silent. */
function withUnknown(node: Node, now: string): NodeCondition[] {
  const conditions = [...(node.status?.conditions ?? [])];
  for (const type of ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"]) {
    const at = conditions.findIndex((condition) => condition.type === type);
    const old = conditions[at];
    if (old === undefined) {
      conditions.push({
        type,
        status: "Unknown",
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: now,
        reason: "NodeStatusNeverUpdated",
        message: "Kubelet never posted node status.",
      });
    } else if (old.status !== "Unknown") {
      const reason = "NodeStatusUnknown";
      const message = "Kubelet stopped posting node status.";
      conditions[at] = { ...old, status: "Unknown", lastTransitionTime: now, reason, message };
    }
  }
  return conditions;
}

/** The labels of old clients say the same as the present ones. */
const platformLabels = [
  { from: "kubernetes.io/os", to: "beta.kubernetes.io/os" },
  { from: "kubernetes.io/arch", to: "beta.kubernetes.io/arch" },
];

async function labelPlatform(context: NodeContext, { metadata }: Node): Promise<void> {
  const missing = platformLabels.filter(
    ({ from, to }) =>
      metadata.labels?.[from] !== undefined && metadata.labels[to] !== metadata.labels[from],
  );
  if (missing.length === 0) return;
  const labels = Object.fromEntries(missing.map(({ from, to }) => [to, metadata.labels?.[from]]));
  await context
    .resource(nodes)
    .patch(context.key, { type: "merge", body: { metadata: { labels } } });
}

async function taint(context: NodeContext, node: Node): Promise<Outcome> {
  const now = rfc3339(context.clock.nowMs());
  const old = node.spec.taints ?? [];
  const scheduled = withConditionTaints(node, now);
  const key = executeTaintKey(node);
  const adds =
    key !== undefined && !old.some((each) => each.key === key && each.effect === "NoExecute");
  const waitMs = adds ? evictionWaitMs(context, node) : 0;
  // Until the new taint may come, the other one of ours stays: the node is no better than before.
  const next = waitMs > 0 ? scheduled : withExecuteTaint(scheduled, key, now);
  if (!deepEqual(next, old)) {
    const { resourceVersion } = node.metadata;
    await context.resource(nodes).patch(context.key, {
      type: "merge",
      body: { metadata: { resourceVersion }, spec: { taints: next } },
    });
  }
  return waitMs === 0 ? done : { requeueAfterMs: waitMs };
}

/** 0 when the node may be declared lost now, which then counts against its zone. */
function evictionWaitMs(context: NodeContext, node: Node): number {
  const zone = zoneOf(node);
  const rate = evictionRate(zone, context.lister(nodes).list());
  const nowMs = context.clock.monotonicMs();
  const nextMs = context.state.nextEvictionMs.get(zone) ?? 0;
  if (rate === 0) return stoppedCheckMs;
  if (nextMs > nowMs) return nextMs - nowMs;
  context.state.nextEvictionMs.set(zone, nowMs + 1000 / rate);
  return 0;
}

/** A zone that was stopped is looked at again this much later. */
const stoppedCheckMs = 5000;

/** Services must not send to Pods that nobody can vouch for. */
async function markPods(context: NodeContext, node: Node): Promise<void> {
  for (const pod of context.lister(pods).by(byNode, context.key)) {
    if (!isReady(pod)) continue;
    try {
      await context.resource(pods).updateStatus(notReady(pod, rfc3339(context.clock.nowMs())));
      context.events.warning(pod, "NodeNotReady", "Node is not ready");
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  context.log.debug("marked Pods of a node as not ready", { node: node.metadata.name });
}

function notReady(pod: Pod, now: string): Pod {
  const conditions = (pod.status?.conditions ?? []).map((condition) =>
    condition.type === "Ready"
      ? { ...condition, status: "False", lastTransitionTime: now }
      : condition,
  );
  return { ...pod, status: { ...pod.status, conditions } };
}
