/**
 * Registers the node and keeps its Lease and status fresh. The Lease says that the node lives, every
 * 10 seconds; the status is written when it changes, and every 5 minutes.
 * Source: kubelet_node_status.go, component-helpers/apimachinery/lease.
 */
import { type Lease, leases } from "#api/coordination/v1/lease.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#apimachinery/status.ts";
import { rfc3339, rfc3339Micro } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import type { Client } from "#client/client.ts";
import type { KubeletConfig } from "../config.ts";
import type { ContainerRuntime } from "../cri/runtime.ts";
import type { Machine } from "./machine.ts";
import {
  newNode,
  nodeLabels,
  type NodePressure,
  type NodeReport,
  nodeStatusOf,
  silentRuntime,
} from "./node-status.ts";

export interface NodeAgentOptions {
  readonly client: Client;
  readonly world: World;
  readonly config: KubeletConfig;
  readonly cri: ContainerRuntime;
  readonly machine: Machine;
  readonly pressure: () => NodePressure;
  /** The node as a watch has it; undefined before there is one. */
  readonly current: () => Node | undefined;
  readonly lifetime: Lifetime;
}

export interface NodeAgent {
  /** The node as the API has it. */
  readonly node: Node;
  /** Writes the status soon, because something in it changed. */
  report(): void;
}

const leaseNamespace = "kube-node-lease";
export const leaseDurationSeconds = 40;
const leaseRenewMs = 10_000;
const statusCheckMs = 10_000;
/** A node that is not ready is looked at often: Pods wait for it. Source: fastNodeStatusUpdate. */
const unreadyCheckMs = 200;
const statusReportMs = 300_000;
const retryMs = 1000;

/** Resolves when the node is registered. */
export async function startNodeAgent(options: NodeAgentOptions): Promise<NodeAgent> {
  const { world, lifetime } = options;
  const { clock, log } = world;
  let node = await untilDone(() => register(options), options);
  let reportedMs = clock.monotonicMs();
  let reporting: Promise<void> | undefined;

  async function write(): Promise<void> {
    const report = await collect(options);
    const latest = options.current() ?? node;
    const status = nodeStatusOf(report, latest.status ?? {});
    const due = clock.monotonicMs() - reportedMs >= statusReportMs;
    if (!due && deepEqual(withoutHeartbeats(status), withoutHeartbeats(latest.status ?? {}))) return;
    node = await writeStatus(options, report, latest);
    reportedMs = clock.monotonicMs();
  }

  function report(): void {
    reporting ??= write()
      .catch((error: unknown) => {
        if (!lifetime.ended) log.warn("node status not written", { error });
      })
      .finally(() => (reporting = undefined));
  }

  every(() => (isReady(node) ? statusCheckMs : unreadyCheckMs), report, options);
  const renewing = createLeaseRenewal(options, () => node);
  every(() => leaseRenewMs, renewing, options);
  renewing();
  return {
    get node() {
      return node;
    },
    report,
  };
}

function isReady({ status }: Node): boolean {
  return (
    status?.conditions?.some(({ type, status: text }) => type === "Ready" && text === "True") ===
    true
  );
}

function every(
  periodMs: () => number,
  run: () => void,
  { world, lifetime }: NodeAgentOptions,
): void {
  let timer: Disposable | undefined;
  const arm = (): void => {
    timer = world.clock.after(periodMs(), () => {
      run();
      if (!lifetime.ended) arm();
    });
  };
  arm();
  lifetime.defer(() => timer?.[Symbol.dispose]());
}

async function untilDone<T>(
  work: () => Promise<T>,
  { world, lifetime }: NodeAgentOptions,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      lifetime.signal.throwIfAborted();
      world.log.warn("node not registered", { error });
      await world.clock.sleep(retryMs, lifetime.signal);
    }
  }
}

/** A runtime that does not answer is part of the report. */
async function collect(options: NodeAgentOptions): Promise<NodeReport> {
  const { config, machine, pressure, world } = options;
  const now = rfc3339(world.clock.nowMs());
  const common = { config, machine, pressure: pressure(), now };
  try {
    return { ...common, ...(await askRuntime(options)) };
  } catch (error) {
    world.log.warn("container runtime does not answer", { error });
    return { ...common, ...silentRuntime };
  }
}

async function askRuntime({ cri }: NodeAgentOptions) {
  const [runtimeVersion, runtimeStatus, images] = await Promise.all([
    cri.runtime.version(),
    cri.runtime.status(),
    cri.images.listImages(),
  ]);
  return { runtimeVersion, runtimeStatus, images };
}

async function register(options: NodeAgentOptions): Promise<Node> {
  const report = await collect(options);
  const client = options.client.resource(nodes);
  try {
    return await client.create(newNode(report));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const { config, machine } = options;
  let node = await client.get(config.nodeName);
  const labels = { ...node.metadata?.labels, ...nodeLabels(config, machine) };
  if (!deepEqual(labels, node.metadata?.labels)) {
    node = await client.update({ ...node, metadata: { ...node.metadata, labels } });
  }
  return writeStatus(options, report, node);
}

async function writeStatus(
  options: NodeAgentOptions,
  report: NodeReport,
  known: Node,
): Promise<Node> {
  const client = options.client.resource(nodes);
  let node = known;
  for (let attempt = 0; ; attempt++) {
    if (attempt > 0) node = await client.get(options.config.nodeName);
    try {
      return await client.updateStatus({
        ...node,
        status: nodeStatusOf(report, node.status ?? {}),
      });
    } catch (error) {
      if (!isConflict(error) || attempt >= conflictsMax) throw error;
    }
  }
}

const conflictsMax = 5;

function withoutHeartbeats({ conditions, ...status }: NonNullable<Node["status"]>): object {
  return {
    ...status,
    conditions: (conditions ?? []).map(({ lastHeartbeatTime: _, ...rest }) => rest),
  };
}

function createLeaseRenewal(options: NodeAgentOptions, node: () => Node): () => void {
  const { world, config, lifetime } = options;
  const client = options.client.resource(leases);
  const key = `${leaseNamespace}/${config.nodeName}`;
  let lease: Lease | undefined;

  async function renew(): Promise<void> {
    const spec = {
      holderIdentity: config.nodeName,
      leaseDurationSeconds,
      renewTime: rfc3339Micro(world.clock.nowMs()),
    };
    lease ??= await client.get(key).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    lease = await (lease === undefined
      ? client.create({ metadata: newLeaseMetadata(node()), spec })
      : client.update({ ...lease, spec: { ...lease.spec, ...spec } }));
  }

  return () => {
    renew().catch((error: unknown) => {
      lease = undefined;
      if (!lifetime.ended) world.log.warn("node lease not renewed", { error });
    });
  };
}

function newLeaseMetadata({ metadata }: Node): NonNullable<Lease["metadata"]> {
  const { name = "", uid = "" } = metadata ?? {};
  return {
    name,
    namespace: leaseNamespace,
    ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid }],
  };
}
