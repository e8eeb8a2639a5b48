/**
 * A container runtime in memory, for tests and hollow nodes: sandboxes get addresses, containers
 * run until their script ends them. Same states, events and errors as a real one; images are all
 * there unless `missing` says otherwise.
 */
import type { Clock, Timer } from "#base/clock.ts";
import type {
  ContainerConfig,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeContainer,
  RuntimeContainerStatus,
  RuntimeImage,
} from "./messages.ts";
import {
  ContainerStats,
  ContainerStatus,
  containerState,
  LinuxContainerResources,
  namespaceMode,
  sandboxState,
} from "./messages.ts";
import {
  type ContainerRuntime,
  type CreateContainer,
  type ExecResult,
  type ImageService,
  RuntimeError,
  type RuntimeEvent,
  type RuntimeEventSink,
  type RuntimeService,
} from "./runtime.ts";

/** What a container does. The default runs until it is stopped, and then exits 0 at once. */
export interface ContainerScript {
  /** Exits by itself; absent: runs on. */
  readonly exitAfterMs?: number;
  readonly exitCode?: number;
  /** Takes so long after SIGTERM; beyond the grace it is killed (137). */
  readonly stopMs?: number;
  readonly exec?: (command: readonly string[]) => {
    readonly exitCode: number;
    readonly output?: string;
  };
  readonly failsToStart?: string;
  /** What it uses while it runs. @default 0 */
  readonly memoryBytes?: number;
}

export interface FakeRuntimeOptions {
  readonly clock: Clock;
  readonly script?: (config: ContainerConfig) => ContainerScript;
  /** Addresses of sandboxes, in order. @default 10.0.0.1, 10.0.0.2, ... */
  readonly nextIp?: () => string;
}

export interface FakeRuntime extends ContainerRuntime {
  /** Images that the node lacks; pulling brings them, unless they are in `unpullable`. */
  readonly missing: Set<string>;
  readonly unpullable: Set<string>;
  /** Ends a container as if its process had. */
  exit(containerId: string, exitCode: number): void;
  readonly containers: ReadonlyMap<string, FakeContainer>;
}

export interface FakeContainer {
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  status: RuntimeContainerStatus;
}

interface LiveContainer extends FakeContainer {
  readonly script: ContainerScript;
  timer?: Timer | undefined;
  readonly ended: PromiseWithResolvers<void>;
}

interface Sandbox {
  readonly config: PodSandboxConfig;
  status: PodSandboxStatus;
}

export function createFakeRuntime(options: FakeRuntimeOptions): FakeRuntime {
  const { clock } = options;
  const sandboxes = new Map<string, Sandbox>();
  const containers = new Map<string, LiveContainer>();
  const sinks = new Set<RuntimeEventSink>();
  const missing = new Set<string>();
  const unpullable = new Set<string>();
  let ids = 0;
  let ips = 0;
  let lastNs = 0;
  const nextIp = options.nextIp ?? (() => `10.0.${Math.trunc(++ips / 250)}.${(ips % 250) + 1}`);
  const newId = (): string => (++ids).toString(16).padStart(64, "0");

  /** Nanoseconds, always growing: the order of creation must be clear. */
  function nowNs(): number {
    lastNs = Math.max(lastNs + 1000, clock.nowMs() * 1e6);
    return lastNs;
  }

  function tell(kind: RuntimeEvent["kind"], id: string): void {
    for (const sink of sinks) sink.event({ kind, id });
  }

  function end(container: LiveContainer, exitCode: number): void {
    if (container.status.state !== containerState.running) return;
    container.timer?.[Symbol.dispose]();
    container.status = {
      ...container.status,
      state: containerState.exited,
      exitCode,
      finishedAt: nowNs(),
      reason: exitCode === 0 ? "Completed" : "Error",
    };
    container.ended.resolve();
    tell("stopped", container.status.id);
  }

  function found(id: string): LiveContainer {
    const container = containers.get(id);
    if (container !== undefined) return container;
    throw new RuntimeError(
      "NOT_FOUND",
      `an error occurred when try to find container "${id}": not found`,
    );
  }

  function foundSandbox(id: string): Sandbox {
    const sandbox = sandboxes.get(id);
    if (sandbox !== undefined) return sandbox;
    throw new RuntimeError("NOT_FOUND", `an error occurred when try to find sandbox: not found`);
  }

  function remove(id: string): void {
    const container = containers.get(id);
    if (container === undefined) return;
    end(container, 137);
    containers.delete(id);
    tell("deleted", id);
  }

  const runtime: RuntimeService = {
    version: async () => ({
      version: "0.1.0",
      runtimeName: "fake",
      runtimeVersion: "1.0.0",
      runtimeApiVersion: "v1",
    }),
    status: async () => ({
      status: {
        conditions: ["RuntimeReady", "NetworkReady"].map((type) => ({
          type,
          status: true,
          reason: "",
          message: "",
        })),
      },
      info: {},
      runtimeHandlers: [],
      features: undefined,
    }),
    async runPodSandbox(config) {
      const id = newId();
      const onNode =
        config.linux?.securityContext?.namespaceOptions?.network === namespaceMode.node;
      sandboxes.set(id, {
        config,
        status: newSandbox({ id, config, ip: onNode ? "" : nextIp(), createdAt: nowNs() }),
      });
      tell("started", id);
      return id;
    },
    async stopPodSandbox(id) {
      const sandbox = sandboxes.get(id);
      if (sandbox === undefined) return;
      for (const container of containers.values())
        if (container.sandboxId === id) end(container, 137);
      sandbox.status = { ...sandbox.status, network: undefined, state: sandboxState.notReady };
      tell("stopped", id);
    },
    async removePodSandbox(id) {
      for (const [containerId, container] of containers)
        if (container.sandboxId === id) remove(containerId);
      if (sandboxes.delete(id)) tell("deleted", id);
    },
    podSandboxStatus: async (id) => foundSandbox(id).status,
    listPodSandboxes: async (labels = {}) =>
      [...sandboxes.values()]
        .map(({ status }) => status)
        .filter((status) => hasLabels(status.labels, labels)),
    async createContainer({ sandboxId, config }: CreateContainer) {
      foundSandbox(sandboxId);
      const id = newId();
      containers.set(id, {
        sandboxId,
        config,
        script: options.script?.(config) ?? {},
        status: newContainer(id, config, nowNs()),
        ended: Promise.withResolvers<void>(),
      });
      return id;
    },
    async startContainer(id) {
      const container = found(id);
      const { failsToStart, exitAfterMs, exitCode = 0 } = container.script;
      if (failsToStart !== undefined) {
        container.status = {
          ...container.status,
          state: containerState.exited,
          exitCode: 128,
          reason: "StartError",
          message: failsToStart,
          finishedAt: nowNs(),
        };
        throw new RuntimeError("UNKNOWN", failsToStart);
      }
      container.status = { ...container.status, state: containerState.running, startedAt: nowNs() };
      tell("started", id);
      if (exitAfterMs !== undefined)
        container.timer = clock.after(exitAfterMs, () => end(container, exitCode));
    },
    async stopContainer(id, graceSeconds) {
      const container = found(id);
      if (container.status.state !== containerState.running) return;
      const { stopMs = 0 } = container.script;
      const graceMs = graceSeconds * 1000;
      if (Math.min(stopMs, graceMs) === 0) return end(container, stopMs === 0 ? 0 : 137);
      using _timer = clock.after(Math.min(stopMs, graceMs), () =>
        end(container, stopMs <= graceMs ? 0 : 137),
      );
      await container.ended.promise;
    },
    removeContainer: async (id) => remove(id),
    listContainers: async (labels = {}) =>
      [...containers.values()]
        .map(listed)
        .filter((container) => hasLabels(container.labels, labels)),
    containerStatus: async (id) => found(id).status,
    async updateContainerResources(id, linux) {
      const container = found(id);
      container.status = {
        ...container.status,
        resources: { linux: { ...emptyResources, ...defined(linux) } },
      };
    },
    async reopenContainerLog() {},
    async execSync(id, command): Promise<ExecResult> {
      const { exitCode, output = "" } = found(id).script.exec?.(command) ?? { exitCode: 0 };
      return { exitCode, stdout: Buffer.from(output), stderr: new Uint8Array(0) };
    },
    exec: unsupported,
    attach: unsupported,
    portForward: unsupported,
    async containerStats(id) {
      const { memoryBytes = 0 } = found(id).script;
      return ContainerStats.decode(
        ContainerStats.encode({ memory: { usageBytes: { value: memoryBytes } } }),
      );
    },
    listContainerStats: async () => [],
    followEvents(sink) {
      sinks.add(sink);
      return { [Symbol.dispose]: () => void sinks.delete(sink) };
    },
  };

  return {
    runtime,
    images: fakeImages(missing, unpullable),
    missing,
    unpullable,
    containers,
    exit: (id, exitCode) => end(found(id), exitCode),
    [Symbol.asyncDispose]: async () => sinks.clear(),
  };
}

function fakeImages(missing: Set<string>, unpullable: Set<string>): ImageService {
  const imageOf = (image: string): RuntimeImage => ({
    id: `sha256:${Buffer.from(image).toString("hex")}`,
    repoTags: [image],
    repoDigests: [],
    size: 1,
    uid: { value: 0 },
    username: "",
    spec: undefined,
    pinned: false,
  });
  return {
    listImages: async () => [],
    imageStatus: async (image) => (missing.has(image) ? undefined : imageOf(image)),
    async pullImage({ image }) {
      if (unpullable.has(image)) {
        const text = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`;
        throw new RuntimeError("NOT_FOUND", text);
      }
      missing.delete(image);
      return imageOf(image).id;
    },
    removeImage: async (image) => void missing.add(image),
    imageFsInfo: async () => [],
  };
}

function newSandbox(made: {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly ip: string;
  readonly createdAt: number;
}): PodSandboxStatus {
  const { id, config, ip, createdAt } = made;
  const { name = "", namespace = "", uid = "", attempt = 0 } = config.metadata ?? {};
  const options = config.linux?.securityContext?.namespaceOptions ?? {};
  const { network = 0, pid = 0, ipc = 0 } = options;
  return {
    id,
    createdAt,
    metadata: { name, namespace, uid, attempt },
    state: sandboxState.ready,
    network: { ip, additionalIps: [] },
    linux: {
      namespaces: { options: { network, pid, ipc, targetId: "", usernsOptions: undefined } },
    },
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
    runtimeHandler: "",
  };
}

function newContainer(
  id: string,
  config: ContainerConfig,
  createdAt: number,
): RuntimeContainerStatus {
  const { name = "", attempt = 0 } = config.metadata ?? {};
  const image = config.image?.userSpecifiedImage ?? config.image?.image ?? "";
  return {
    ...ContainerStatus.decode(new Uint8Array(0)),
    id,
    createdAt,
    metadata: { name, attempt },
    image: { image, annotations: {}, userSpecifiedImage: "", runtimeHandler: "", imageRef: "" },
    imageRef: config.image?.image ?? "",
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
  };
}

function listed({ sandboxId, status }: FakeContainer): RuntimeContainer {
  return { ...status, podSandboxId: sandboxId };
}

function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

const emptyResources = LinuxContainerResources.decode(new Uint8Array(0));

function defined({
  cpuPeriod = 0,
  cpuQuota = 0,
  cpuShares = 0,
  memoryLimitInBytes = 0,
}: Parameters<RuntimeService["updateContainerResources"]>[1]) {
  return { cpuPeriod, cpuQuota, cpuShares, memoryLimitInBytes };
}

async function unsupported(): Promise<never> {
  throw new RuntimeError("UNIMPLEMENTED", "not in the fake runtime");
}
