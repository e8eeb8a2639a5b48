/**
 * Nodes without a machine: they register, keep their leases, and say of their Pods what a kubelet
 * would say, at once. Thousands of them are one list of Pods and some timers.
 *
 * A Pod runs until it is deleted, unless its annotations say otherwise:
 *     hollow.kubets/exit-after-ms: "500"     its containers end so long after their start
 *     hollow.kubets/exit-code: "1"           with this code; 0 when absent
 *     hollow.kubets/ready-after-ms: "1000"   becomes ready so long after its start
 */
import { leases } from "#api/coordination/v1/lease.ts";
import type { ContainerState, ContainerStatus } from "#api/core/v1/container-status.ts";
import type { Container } from "#api/core/v1/container.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import type { PodCondition, PodStatus } from "#api/core/v1/pod-status.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#apimachinery/status.ts";
import { type Clock, rfc3339, rfc3339Micro } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";
import { createEventRecorder } from "#client/events.ts";
import type { Informers } from "#client/informer-factory.ts";
import type { Random } from "#base/random.ts";
import { stageFunctions } from "./kwok/stage-functions.ts";
import { createStagePlayer, type StagePlayer } from "./kwok/stage-player.ts";
import type { Stage } from "./kwok/stage.ts";

export interface HollowNodesOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  readonly count: number;
  /** @default "hollow-" */
  readonly namePrefix?: string;
  readonly labels?: (index: number) => Readonly<Record<string, string>>;
  readonly capacity?: Readonly<Record<string, string>>;
  /** How long a container takes to start. @default 0 */
  readonly startMs?: number;
  /** What becomes of Pods and Nodes, instead of what is said above; see `kwok/stage.ts`. */
  readonly stages?: readonly Stage[];
  /** For stages with delays or weights to choose from; without it the least. */
  readonly random?: Random;
  /** @default 10,000; 0 renews no lease after the first */
  readonly leaseRenewMs?: number;
}

export interface HollowNodes {
  readonly names: readonly string[];
  /** The node falls silent: no lease, no status, and its Pods stay as they are. */
  crash(name: string): void;
  /** And comes back. */
  recover(name: string): void;
}

const capacityDefault = { cpu: "32", memory: "256Gi", "ephemeral-storage": "500Gi", pods: "110" };
/** As a kubelet of 1.36 with its defaults. */
const declaredFeatures = [
  "ExtendWebSocketsToKubelet",
  "GuaranteedQoSPodCPUResize",
  "InPlacePodLevelResourcesVerticalScaling",
  "RestartAllContainersOnContainerExits",
];
const leaseNamespace = "kube-node-lease";

/** Resolves when all are registered. */
export async function startHollowNodes(options: HollowNodesOptions): Promise<HollowNodes> {
  const { client, clock, lifetime, count, namePrefix = "hollow-" } = options;
  const names = Array.from({ length: count }, (_, i) => `${namePrefix}${i}`);
  const alive = new Set(names);
  await inBatches(names, async (name, i) => {
    await register(options, name, i);
    await createLease(options, name);
  });
  const tender = playsPods(options) ? stageTender(options, alive) : createTender(options, alive);
  if (options.stages?.some(({ kind }) => kind === "Node") === true) playNodes(options, alive);
  const informer = options.informers.of(pods);
  const subscription = informer.subscribe({
    onAdd: tender.tend,
    onUpdate: tender.tend,
    onDelete: tender.forget,
  });
  lifetime.use(subscription);
  lifetime.use(offerExtendedResources(options, alive));
  const { leaseRenewMs = 10_000 } = options;
  if (leaseRenewMs > 0) {
    for (const [i, name] of names.entries())
      renewLeases(options, { name, alive, firstMs: (leaseRenewMs * i) / count });
  }
  return {
    names,
    crash: (name) => void alive.delete(name),
    recover(name) {
      alive.add(name);
      void setReady(client, name, clock);
      for (const pod of informer.lister.list()) tender.tend(pod);
    },
  };
}

function playsPods({ stages = [] }: HollowNodesOptions): boolean {
  return stages.some(({ kind }) => kind === "Pod");
}

/** Always the least. */
const noRandom: Pick<Random, "float" | "below"> = { float: () => 0, below: () => 0 };

function playerOf(options: HollowNodesOptions, kind: Stage["kind"]): StagePlayer {
  const { client, clock, log, lifetime, random = noRandom, stages = [] } = options;
  const podAddresses = new Map<string, string>();
  const podAddress = (uid: string): string => {
    const known = podAddresses.get(uid) ?? podAddressOf(podAddresses.size + 1);
    podAddresses.set(uid, known);
    return known;
  };
  const nodeAddress = (name: string): string => nodeAddressOf(Number(/(\d+)$/.exec(name)?.[1] ?? 0));
  const player = createStagePlayer({
    stages: stages.filter((stage) => stage.kind === kind),
    resource: client.dynamic(kind === "Pod" ? pods : nodes),
    clock,
    random,
    log,
    lifetime,
    events: createEventRecorder({ client, clock, log, lifetime, component: "hollow-node" }),
    functionsFor: stageFunctions({ nodeAddress, podAddress }),
  });
  return {
    see: player.see,
    forget(object) {
      podAddresses.delete(object.metadata?.uid ?? "");
      player.forget(object);
    },
  };
}

function stageTender(options: HollowNodesOptions, alive: ReadonlySet<string>): Tender {
  const player = playerOf(options, "Pod");
  return {
    tend: (pod) => alive.has(pod.spec.nodeName ?? "") && player.see(pod),
    forget: player.forget,
  };
}

function playNodes(options: HollowNodesOptions, alive: ReadonlySet<string>): void {
  const player = playerOf(options, "Node");
  const see = (node: Node): void => {
    if (alive.has(node.metadata?.name ?? "")) player.see(node);
  };
  options.lifetime.use(options.informers.of(nodes).subscribe({ onAdd: see, onUpdate: see, onDelete: player.forget }));
}

/** What somebody writes into a node's capacity can be had there. Source: kubelet nodestatus MachineInfo. */
function offerExtendedResources(
  { client, informers, log }: HollowNodesOptions,
  alive: ReadonlySet<string>,
): Disposable {
  const offer = (node: Node): void => {
    const name = node.metadata?.name ?? "";
    const { capacity = {}, allocatable = {} } = node.status ?? {};
    const change: Record<string, string | null> = {};
    for (const [resource, quantity] of Object.entries(capacity)) {
      if (resource.includes("/") && allocatable[resource] !== quantity) change[resource] = quantity;
    }
    for (const resource of Object.keys(allocatable)) {
      if (resource.includes("/") && capacity[resource] === undefined) change[resource] = null;
    }
    if (!alive.has(name) || Object.keys(change).length === 0) return;
    const body = { status: { allocatable: change } };
    client
      .resource(nodes)
      .patch(name, { type: "merge", body, subresource: "status" })
      .catch((error: unknown) => log.warn("hollow node", { name, error }));
  };
  return informers.of(nodes).subscribe({ onAdd: offer, onUpdate: offer });
}

/** Most requests at a time. */
const batchSize = 50;

async function inBatches<T>(
  items: readonly T[],
  run: (item: T, i: number) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += batchSize) {
    await Promise.all(items.slice(start, start + batchSize).map((item, i) => run(item, start + i)));
  }
}

function nodeAddressOf(index: number): string {
  return `10.64.${(index >> 8) & 255}.${index & 255}`;
}

function podAddressOf(n: number): string {
  return `10.${128 + ((n >> 16) & 63)}.${(n >> 8) & 255}.${n & 255}`;
}

function newNode(options: HollowNodesOptions, name: string, index: number): Node {
  const now = rfc3339(options.clock.nowMs());
  const capacity = { ...capacityDefault, ...options.capacity };
  const address = nodeAddressOf(index);
  return {
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        ...options.labels?.(index),
      },
    },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      conditions: [readyCondition(now)],
      declaredFeatures: [...declaredFeatures],
      addresses: [
        { type: "InternalIP", address },
        { type: "Hostname", address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  };
}

function readyCondition(now: string) {
  return {
    type: "Ready",
    status: "True",
    reason: "KubeletReady",
    message: "kubelet is posting ready status",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
}

async function register(options: HollowNodesOptions, name: string, index: number): Promise<void> {
  const resource = options.client.resource(nodes);
  const node = newNode(options, name, index);
  try {
    const made = await resource.create(node);
    // A create drops the status where that is a subresource; a kubelet's own create does not.
    if (made.status?.conditions === undefined)
      await resource.updateStatus({ ...made, status: node.status });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await setReady(options.client, name, options.clock);
  }
}

async function setReady(client: Client, name: string, clock: Clock): Promise<void> {
  const resource = client.resource(nodes);
  const node = await resource.get(name);
  const others = (node.status?.conditions ?? []).filter(({ type }) => type !== "Ready");
  const conditions = [...others, readyCondition(rfc3339(clock.nowMs()))];
  await resource.updateStatus({ ...node, status: { ...node.status, conditions } });
}

async function createLease({ client, clock }: HollowNodesOptions, name: string): Promise<void> {
  const spec = {
    holderIdentity: name,
    leaseDurationSeconds: 40,
    renewTime: rfc3339Micro(clock.nowMs()),
  };
  try {
    await client.resource(leases).create({ metadata: { name, namespace: leaseNamespace }, spec });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

function renewLeases(
  { client, clock, log, lifetime, leaseRenewMs = 10_000 }: HollowNodesOptions,
  {
    name,
    alive,
    firstMs,
  }: { readonly name: string; readonly alive: ReadonlySet<string>; readonly firstMs: number },
): void {
  const resource = client.resource(leases);
  const renew = async (): Promise<void> => {
    const body = { spec: { renewTime: rfc3339Micro(clock.nowMs()) } };
    await resource.patch(`${leaseNamespace}/${name}`, { type: "merge", body });
  };
  let timer: Disposable | undefined;
  const arm = (delayMs: number): void => {
    timer = clock.after(delayMs, () => {
      if (alive.has(name))
        renew().catch((error: unknown) => log.debug("lease not renewed", { name, error }));
      if (!lifetime.ended) arm(leaseRenewMs);
    });
  };
  arm(firstMs + leaseRenewMs);
  lifetime.defer(() => timer?.[Symbol.dispose]());
}

interface Tender {
  tend(pod: Pod): unknown;
  forget(pod: Pod): void;
}

/** What is known of a Pod that runs: since when, and how often its containers ended. */
interface Running {
  readonly ip: string;
  readonly startedMs: number;
  restarts: number;
  exitCode: number | undefined;
  ready: boolean;
  /** What is due next of its start, its readiness, its end. */
  readonly timers: Set<Disposable>;
}

function createTender(options: HollowNodesOptions, alive: ReadonlySet<string>): Tender {
  const { client, clock, log, lifetime, startMs = 0 } = options;
  const resource = client.resource(pods);
  const { lister } = options.informers.of(pods);
  const running = new Map<string, Running>();
  let ips = 0;

  const nextIp = (): string => podAddressOf(++ips);

  function tend(pod: Pod): void {
    if (!alive.has(pod.spec.nodeName ?? "") || lifetime.ended) return;
    const { phase } = pod.status ?? {};
    const uid = pod.metadata?.uid ?? "";
    if (pod.metadata?.deletionTimestamp !== undefined) return void write(pod, () => end(pod));
    if (phase === "Succeeded" || phase === "Failed" || running.has(uid)) return;
    const state: Running = {
      ip: pod.status?.podIP ?? nextIp(),
      startedMs: clock.nowMs() + startMs,
      restarts: 0,
      exitCode: undefined,
      ready: annotationMs(pod, "ready-after-ms") === undefined,
      timers: new Set(),
    };
    running.set(uid, state);
    if (startMs > 0) later(state, startMs, () => begin(pod, state));
    else begin(pod, state);
  }

  function later(state: Running, delayMs: number, run: () => void): void {
    const timer = clock.after(delayMs, () => {
      state.timers.delete(timer);
      run();
    });
    state.timers.add(timer);
  }

  function begin(pod: Pod, state: Running): void {
    say(pod, state);
    const readyMs = annotationMs(pod, "ready-after-ms");
    if (readyMs !== undefined) {
      later(state, readyMs, () => {
        state.ready = true;
        say(pod, state);
      });
    }
    const exitMs = annotationMs(pod, "exit-after-ms");
    if (exitMs !== undefined)
      later(state, exitMs, () => exit(pod, state, exitMs));
  }

  function exit(pod: Pod, state: Running, againMs: number): void {
    const code = annotationMs(pod, "exit-code") ?? 0;
    const policy = pod.spec.restartPolicy ?? "Always";
    const restarts = policy === "Always" || (policy === "OnFailure" && code !== 0);
    if (restarts) {
      state.restarts++;
      later(state, againMs, () => exit(pod, state, againMs));
    } else state.exitCode = code;
    say(pod, state);
  }

  function say(pod: Pod, state: Running): void {
    if (!alive.has(pod.spec.nodeName ?? "")) return;
    const key = keyOfObject(pod);
    void write(pod, async () => {
      let current = lister.get(key) ?? pod;
      for (let attempt = 0; attempt < 5; attempt++) {
        if (current.metadata?.uid !== pod.metadata?.uid) return;
        try {
          const status = statusOf(current, state, clock.nowMs());
          await resource.updateStatus({ ...current, status });
          return;
        } catch (error) {
          if (!isConflict(error)) throw error;
          current = await resource.get(key);
        }
      }
    });
  }

  async function end(pod: Pod): Promise<void> {
    const uid = pod.metadata?.uid ?? "";
    await resource.delete(keyOfObject(pod), { gracePeriodSeconds: 0, preconditions: { uid } });
  }

  async function write(pod: Pod, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error))
        log.warn("hollow node", { pod: keyOfObject(pod), error });
    }
  }

  return {
    tend,
    forget(pod) {
      const uid = pod.metadata?.uid ?? "";
      for (const timer of running.get(uid)?.timers ?? []) timer[Symbol.dispose]();
      running.delete(uid);
    },
  };
}

function annotationMs(pod: Pod, name: string): number | undefined {
  const text = pod.metadata?.annotations?.[`hollow.kubets/${name}`];
  return text === undefined ? undefined : Number(text);
}

function statusOf(pod: Pod, state: Running, nowMs: number): PodStatus {
  const ended = state.exitCode !== undefined;
  const phase = !ended ? "Running" : state.exitCode === 0 ? "Succeeded" : "Failed";
  const ready = !ended && state.ready;
  const startedAt = rfc3339(state.startedMs);
  const current: ContainerState = ended
    ? {
        terminated: {
          exitCode: state.exitCode ?? 0,
          reason: state.exitCode === 0 ? "Completed" : "Error",
          startedAt,
          finishedAt: rfc3339(nowMs),
        },
      }
    : { running: { startedAt } };
  const container = ({ name, image = "" }: Container): ContainerStatus => ({
    name,
    image,
    imageID: `hollow://${image}`,
    containerID: `hollow://${pod.metadata?.uid}/${name}/${state.restarts}`,
    state: current,
    lastState: {},
    ready,
    started: !ended,
    restartCount: state.restarts,
  });
  const init = (each: Container): ContainerStatus =>
    each.restartPolicy === "Always"
      ? container(each)
      : {
          ...container(each),
          ready: true,
          started: false,
          restartCount: 0,
          state: {
            terminated: { exitCode: 0, reason: "Completed", startedAt, finishedAt: startedAt },
          },
        };
  return {
    ...pod.status,
    phase,
    conditions: conditionsOf(pod, { ready, ended, now: rfc3339(nowMs) }),
    podIP: state.ip,
    podIPs: [{ ip: state.ip }],
    startTime: pod.status?.startTime ?? startedAt,
    ...(pod.spec.initContainers && { initContainerStatuses: pod.spec.initContainers.map(init) }),
    containerStatuses: pod.spec.containers.map(container),
    ...(pod.metadata?.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  };
}

function conditionsOf(
  pod: Pod,
  { ready, ended, now }: { readonly ready: boolean; readonly ended: boolean; readonly now: string },
): PodCondition[] {
  const old = pod.status?.conditions ?? [];
  const values: Record<string, boolean> = {
    PodReadyToStartContainers: !ended,
    Initialized: true,
    Ready: ready,
    ContainersReady: ready,
    PodScheduled: true,
  };
  const foreign = old.filter(({ type }) => !(type in values));
  const own = Object.entries(values).map(([type, value]): PodCondition => {
    const status = value ? "True" : "False";
    const before = old.find((condition) => condition.type === type);
    const reason =
      type.endsWith("Ready") && !value
        ? { reason: ended ? "PodCompleted" : "ContainersNotReady" }
        : {};
    return {
      type,
      status,
      ...reason,
      lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? now) : now,
    };
  });
  return [...foreign, ...own];
}
