/** A scheduler on a fake API server and a clock that tests move. */
import type { Taint } from "#api/core/v1/node.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { PodSpec } from "#api/core/v1/pod-spec.ts";
import { events } from "#api/events/v1/event.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createClient } from "#client/client.ts";
import { createInformers } from "#client/informer-factory.ts";
import { createFakeApi, type FakeApi } from "#testing/fake-api.ts";
import type { PostJson } from "../extender-calls.ts";
import type { Plugin } from "../framework.ts";
import { startScheduler } from "../scheduler.ts";

export interface NodeSketch {
  readonly cpu?: string;
  readonly memory?: string;
  readonly podsMax?: string;
  readonly extended?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
}

export function node(name: string, sketch: NodeSketch = {}): Node {
  const { cpu = "8", memory = "16Gi", podsMax = "110", labels = {}, taints, unschedulable } = sketch;
  return {
    kind: "Node",
    apiVersion: "v1",
    metadata: { name, uid: `uid-${name}`, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: { ...(taints && { taints: [...taints] }), ...(unschedulable && { unschedulable }) },
    status: { allocatable: { cpu, memory, pods: podsMax, ...sketch.extended } },
  } as Node;
}

export type PodSketch = Omit<Partial<PodSpec>, "containers"> & {
  readonly cpu?: string;
  readonly memory?: string;
  readonly requests?: Readonly<Record<string, string>>;
  readonly hostPort?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly namespace?: string;
};

export function pod(name: string, sketch: PodSketch = {}): Pod {
  const { cpu, memory, requests, hostPort, labels, namespace = "default", ...spec } = sketch;
  const container = {
    name: "main",
    image: "app",
    resources: { requests: { ...(cpu && { cpu }), ...(memory && { memory }), ...requests } },
    ...(hostPort && { ports: [{ containerPort: hostPort, hostPort, protocol: "TCP" }] }),
  };
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: {
      name,
      namespace,
      uid: `uid-${namespace}-${name}`,
      labels: { ...labels },
      generation: 1,
    },
    spec: { schedulerName: "default-scheduler", ...spec, containers: [container] },
    status: { phase: "Pending" },
  } as Pod;
}

export interface WorldOptions {
  readonly configuration?: unknown;
  readonly seed?: number;
  readonly plugins?: readonly Plugin[];
  readonly postJson?: PostJson;
  readonly metrics?: MetricRegistry;
  /** Gates that are on. */
  readonly features?: readonly string[];
}

export function makeWorld({ configuration, seed = 1, plugins, postJson, metrics, features = [] }: WorldOptions = {}) {
  const clock = createVirtualClock();
  const random = createVirtualRandom(seed);
  const api = createFakeApi({ clock, random });
  const lifetime = new Lifetime("scheduler test");
  const client = createClient({ transport: api.transport });
  const informers = createInformers({ client, clock, random, log: silentLogger, lifetime });
  const scheduler = startScheduler({
    client,
    informers,
    clock,
    random,
    log: silentLogger,
    lifetime,
    nextTurn: () => Promise.resolve(),
    ...(configuration !== undefined && { configuration }),
    ...(plugins && { plugins }),
    ...(postJson && { postJson }),
    ...(metrics && { metrics }),
    featureEnabled: (gate) => features.includes(gate),
  });

  async function settle(): Promise<void> {
    // Everything runs in microtasks here, and an advance lets all of them run.
    await clock.advance(0);
    await clock.advance(0);
  }

  return {
    api,
    clock,
    client,
    scheduler,
    settle,
    async advance(ms: number): Promise<void> {
      await settle();
      await clock.advance(ms);
      await settle();
    },
    ...changesOf(api),
    ...questionsTo(api),
    [Symbol.asyncDispose]: () => lifetime.end(),
  };
}

const keyOf = (name: string): string => (name.includes("/") ? name : `default/${name}`);

/** What others do to the cluster. */
function changesOf(api: FakeApi) {
  return {
    addNode: (added: Node) => void api.seed(nodes, added),
    removeNode: (name: string) => void api.remove(nodes, name),
    addPod: (added: Pod) => void api.seed(pods, added),
    updatePod(name: string, spec: Partial<PodSpec>): void {
      const old = api.get(pods, keyOf(name)) as Pod | undefined;
      if (old === undefined) throw new Error(`no pod ${name}`);
      api.seed(pods, { ...old, spec: { ...old.spec, ...spec } });
    },
    deletePod: (name: string) => void api.remove(pods, keyOf(name)),
    /** What kubelets do: pods that were told to go are gone. Returns their names. */
    finishDeletions(): string[] {
      const leaving = api.list(pods).filter(({ metadata }) => metadata?.deletionTimestamp !== undefined);
      for (const each of leaving) api.remove(pods, keyOfObject(each));
      return leaving.map(({ metadata }) => metadata?.name ?? "");
    },
  };
}

interface ToldEvent {
  readonly regarding?: { readonly name?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly note?: string;
}

/** What can be seen of pods. */
function questionsTo(api: FakeApi) {
  const podOf = (name: string): Pod | undefined => api.get(pods, keyOf(name)) as Pod | undefined;
  return {
    podOf,
    nodeOf: (name: string): string | undefined => podOf(name)?.spec.nodeName || undefined,
    conditionOf(name: string, type: string) {
      const found = podOf(name)?.status?.conditions?.find((condition) => condition.type === type);
      return { status: found?.status, reason: found?.reason, message: found?.message ?? "" };
    },
    eventsOf(name: string): string[] {
      const told = (api.list(events) as ToldEvent[]).filter(({ regarding }) => regarding?.name === name);
      return told.map(({ type, reason, note }) => `${type} ${reason} ${note}`);
    },
  };
}
