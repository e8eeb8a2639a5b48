import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { IoError } from "#base/files.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import type { Processes } from "#base/processes.ts";
import { createVirtualClock, type VirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import type { World } from "#base/world.ts";
import { createClient } from "#client/client.ts";
import { createInformers } from "#client/informer-factory.ts";
import { createFakeApi, type FakeApi } from "#testing/fake-api.ts";
import { defaultKubeletConfig, type KubeletConfig } from "../config.ts";
import type { ContainerConfig } from "../cri/messages.ts";
import { type ContainerScript, createFakeRuntime, type FakeRuntime } from "../cri/fake-runtime.ts";
import { type Kubelet, startKubelet } from "../kubelet.ts";
import type { ProbeNetwork } from "../probes/probe-network.ts";

/** A kubelet on a fake API and a fake runtime, in virtual time, on virtual files. */
export interface KubeletWorld {
  readonly api: FakeApi;
  readonly clock: VirtualClock;
  readonly runtime: FakeRuntime;
  readonly world: World;
  readonly kubelet: Kubelet;
  readonly lifetime: Lifetime;
  /** Puts a Pod on the node; names and defaults are filled in. */
  run(name: string, spec: Partial<Pod["spec"]>, metadata?: Pod["metadata"]): Pod;
  pod(name: string): Pod | undefined;
  /** Deletes as a user would. */
  delete(name: string): Promise<void>;
  settle(ms?: number): Promise<void>;
  /** `Reason: message`, in order. */
  events(): string[];
}

export interface KubeletWorldOptions {
  /** By the container's name. */
  readonly scripts?: Readonly<Record<string, ContainerScript>>;
  readonly network?: Partial<ProbeNetwork>;
  readonly config?: Partial<KubeletConfig>;
  readonly seed?: (api: FakeApi) => void;
}

export async function startKubeletWorld(options: KubeletWorldOptions = {}): Promise<KubeletWorld> {
  const clock = createVirtualClock();
  const random = createVirtualRandom(3);
  const lifetime = new Lifetime("kubelet");
  const world: World = {
    clock,
    random,
    files: createVirtualFiles({ clock }),
    processes: inertProcesses,
    log: silentLogger,
  };
  await world.files.makeDirectory("/proc");
  await world.files.write("/proc/cpuinfo", "processor : 0\nprocessor : 1\n");
  await world.files.write("/proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 8000000 kB\n");
  const api = createFakeApi({ clock, random });
  options.seed?.(api);
  const client = createClient({ transport: api.transport, userAgent: "kubelet/v1" });
  const script = (config: ContainerConfig): ContainerScript =>
    options.scripts?.[config.metadata?.name ?? ""] ?? {};
  const runtime = createFakeRuntime({ clock, script });
  const config: KubeletConfig = {
    ...defaultKubeletConfig,
    nodeName: "node-1",
    nodeIps: ["192.168.0.1"],
    directories: { root: "/var/lib/kubelet", memory: "/run/kubelet", podLogs: "/var/log/pods" },
    ...options.config,
  };
  const starting = startKubelet({
    client,
    world,
    config,
    lifetime,
    cri: runtime,
    informers: createInformers({ client, clock, random, log: silentLogger, lifetime }),
    network: { ...unreachableNetwork, ...options.network },
  });
  await clock.advance(1000);
  const kubelet = await starting;
  return {
    api,
    clock,
    runtime,
    world,
    kubelet,
    lifetime,
    run: (name, spec, metadata) => api.seed(pods, newPod(name, { spec, metadata })),
    pod: (name) => api.get(pods, `default/${name}`) as Pod | undefined,
    async delete(name) {
      await client.resource(pods).delete(`default/${name}`);
    },
    settle: (ms = 1000) => clock.advance(ms),
    events: () => api.list(eventTarget).map(textOfEvent),
  };
}

const eventTarget = {
  group: "",
  version: "v1",
  plural: "events",
  kind: "Event",
  scope: "Namespaced",
} as const;

function textOfEvent(event: KubeObject): string {
  const { reason, message } = event as { reason?: string; message?: string };
  return `${reason}: ${message}`;
}

function newPod(
  name: string,
  given: { spec: Partial<Pod["spec"]>; metadata: Pod["metadata"] | undefined },
): Pod {
  const containers = given.spec.containers ?? [{ name: "main", image: "app:1" }];
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name, namespace: "default", uid: `uid-${name}`, generation: 1, ...given.metadata },
    spec: {
      nodeName: "node-1",
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      ...given.spec,
      containers,
    },
    status: { phase: "Pending" },
  };
}

const inertProcesses: Processes = {
  run: async () => ({ code: 0, stdout: "", stderr: "" }),
  start: () => {
    throw new IoError("spawn", "ENOSYS");
  },
};

const unreachableNetwork: ProbeNetwork = {
  httpGet: () => Promise.reject(new Error("connection refused")),
  connect: () => Promise.reject(new Error("connection refused")),
  grpcHealth: async () => ({ status: "ERROR", code: "UNAVAILABLE", message: "connection refused" }),
};
