/** CRI over gRPC, for containerd and any other runtime that serves `runtime.v1`. */
import type { Clock } from "#base/clock.ts";
import { type GrpcChannel, type Method, openGrpcChannel } from "./grpc-channel.ts";
import * as m from "./messages.ts";
import type { Message } from "#wire/protobuf.ts";
import {
  type ContainerRuntime,
  type ImageService,
  isRuntimeError,
  RuntimeError,
  type RuntimeEvent,
  type RuntimeEventSink,
  type RuntimeService,
} from "./runtime.ts";

/** Longer than the runtime's own: a sandbox may wait for its network. Source: remote_runtime.go. */
const sandboxTimeoutMs = 240_000;
const connectTimeoutMs = 30_000;
const initializeRetryMs = 50;

function runtimeMethod<Q, R>(
  name: string,
  request: Message<Q, unknown>,
  response: Message<never, R>,
): Method<Q, R> {
  return { path: `/runtime.v1.RuntimeService/${name}`, request, response };
}

function imageMethod<Q, R>(
  name: string,
  request: Message<Q, unknown>,
  response: Message<never, R>,
): Method<Q, R> {
  return { path: `/runtime.v1.ImageService/${name}`, request, response };
}

const methods = {
  version: runtimeMethod("Version", m.VersionRequest, m.VersionResponse),
  status: runtimeMethod("Status", m.StatusRequest, m.StatusResponse),
  runPodSandbox: runtimeMethod("RunPodSandbox", m.RunPodSandboxRequest, m.PodSandboxId),
  stopPodSandbox: runtimeMethod("StopPodSandbox", m.PodSandboxId, m.Empty),
  removePodSandbox: runtimeMethod("RemovePodSandbox", m.PodSandboxId, m.Empty),
  podSandboxStatus: runtimeMethod("PodSandboxStatus", m.PodSandboxId, m.PodSandboxStatusResponse),
  listPodSandbox: runtimeMethod(
    "ListPodSandbox",
    m.ListPodSandboxRequest,
    m.ListPodSandboxResponse,
  ),
  createContainer: runtimeMethod("CreateContainer", m.CreateContainerRequest, m.ContainerId),
  startContainer: runtimeMethod("StartContainer", m.ContainerId, m.Empty),
  stopContainer: runtimeMethod("StopContainer", m.StopContainerRequest, m.Empty),
  removeContainer: runtimeMethod("RemoveContainer", m.ContainerId, m.Empty),
  listContainers: runtimeMethod(
    "ListContainers",
    m.ListContainersRequest,
    m.ListContainersResponse,
  ),
  containerStatus: runtimeMethod(
    "ContainerStatus",
    m.ContainerStatusRequest,
    m.ContainerStatusResponse,
  ),
  updateResources: runtimeMethod(
    "UpdateContainerResources",
    m.UpdateContainerResourcesRequest,
    m.Empty,
  ),
  reopenLog: runtimeMethod("ReopenContainerLog", m.ContainerId, m.Empty),
  execSync: runtimeMethod("ExecSync", m.ExecSyncRequest, m.ExecSyncResponse),
  exec: runtimeMethod("Exec", m.ExecRequest, m.UrlResponse),
  attach: runtimeMethod("Attach", m.AttachRequest, m.UrlResponse),
  portForward: runtimeMethod("PortForward", m.PortForwardRequest, m.UrlResponse),
  containerStats: runtimeMethod("ContainerStats", m.ContainerId, m.ContainerStatsResponse),
  listContainerStats: runtimeMethod(
    "ListContainerStats",
    m.ListContainerStatsRequest,
    m.ListContainerStatsResponse,
  ),
  events: runtimeMethod("GetContainerEvents", m.Empty, m.ContainerEventResponse),
  listImages: imageMethod("ListImages", m.ListImagesRequest, m.ListImagesResponse),
  imageStatus: imageMethod("ImageStatus", m.ImageRequest, m.ImageStatusResponse),
  pullImage: imageMethod("PullImage", m.PullImageRequest, m.PullImageResponse),
  removeImage: imageMethod("RemoveImage", m.ImageRequest, m.Empty),
  imageFsInfo: imageMethod("ImageFsInfo", m.Empty, m.ImageFsInfoResponse),
} as const;

const containerdEvents = {
  path: "/containerd.services.events.v1.Events/Subscribe",
  request: m.SubscribeRequest,
  response: m.EventEnvelope,
};
const taskFilter = `namespace==k8s.io,topic~="^/tasks/(exit|oom|start)"`;

/** Waits until the runtime answers; rejects with a `RuntimeError` after half a minute. */
export async function openContainerRuntime(
  socketPath: string,
  options: { readonly clock: Clock },
): Promise<ContainerRuntime> {
  const headers = { "containerd-namespace": "k8s.io" };
  const channel = await openGrpcChannel(socketPath, { clock: options.clock, headers });
  try {
    await untilInitialized(channel, options.clock);
  } catch (error) {
    channel[Symbol.dispose]();
    throw error;
  }
  return {
    runtime: runtimeService(channel),
    images: imageService(channel),
    [Symbol.asyncDispose]: async () => channel[Symbol.dispose](),
  };
}

/** A runtime that takes over containers of an earlier life answers, but not yet with them. */
async function untilInitialized(channel: GrpcChannel, clock: Clock): Promise<void> {
  const deadlineMs = clock.monotonicMs() + connectTimeoutMs;
  for (;;) {
    try {
      const options = { waitForReady: true, timeoutMs: connectTimeoutMs };
      await channel.call(methods.version, { version: "0.1.0" }, options);
      return;
    } catch (error) {
      const early =
        isRuntimeError(error, "UNAVAILABLE") ||
        (isRuntimeError(error) && error.description.includes("not initialized yet"));
      if (!early || clock.monotonicMs() > deadlineMs) throw error;
      await clock.sleep(initializeRetryMs);
    }
  }
}

function runtimeService(channel: GrpcChannel): RuntimeService {
  return {
    version: () => channel.call(methods.version, { version: "0.1.0" }),
    status: () => channel.call(methods.status, {}),
    ...sandboxCalls(channel),
    ...containerCalls(channel),
    ...streamCalls(channel),
    followEvents: (sink) => followEvents(channel, sink),
  };
}

function sandboxCalls(channel: GrpcChannel) {
  return {
    async runPodSandbox(config: m.PodSandboxConfig, runtimeHandler: string): Promise<string> {
      const request = { config, runtimeHandler };
      const options = { timeoutMs: sandboxTimeoutMs };
      return (await channel.call(methods.runPodSandbox, request, options)).podSandboxId;
    },
    async stopPodSandbox(podSandboxId: string): Promise<void> {
      await channel.call(methods.stopPodSandbox, { podSandboxId });
    },
    async removePodSandbox(podSandboxId: string): Promise<void> {
      await channel.call(methods.removePodSandbox, { podSandboxId });
    },
    async podSandboxStatus(podSandboxId: string): Promise<m.PodSandboxStatus> {
      const { status } = await channel.call(methods.podSandboxStatus, { podSandboxId });
      return status ?? missing("sandbox status");
    },
    async listPodSandboxes(labelSelector: Readonly<Record<string, string>> = {}) {
      return (await channel.call(methods.listPodSandbox, { filter: { labelSelector } })).items;
    },
  };
}

function containerCalls(channel: GrpcChannel) {
  return {
    async createContainer(request: {
      readonly sandboxId: string;
      readonly config: m.ContainerConfig;
      readonly sandboxConfig: m.PodSandboxConfig;
    }): Promise<string> {
      const { sandboxId: podSandboxId, config, sandboxConfig } = request;
      const created = await channel.call(methods.createContainer, {
        podSandboxId,
        config,
        sandboxConfig,
      });
      return created.containerId;
    },
    async startContainer(containerId: string): Promise<void> {
      await channel.call(methods.startContainer, { containerId });
    },
    async stopContainer(containerId: string, graceSeconds: number): Promise<void> {
      const timeoutMs = sandboxTimeoutMs + graceSeconds * 1000;
      await channel.call(
        methods.stopContainer,
        { containerId, timeout: graceSeconds },
        { timeoutMs },
      );
    },
    async removeContainer(containerId: string): Promise<void> {
      await channel.call(methods.removeContainer, { containerId });
    },
    async listContainers(labelSelector: Readonly<Record<string, string>> = {}) {
      return (await channel.call(methods.listContainers, { filter: { labelSelector } })).containers;
    },
    async containerStatus(containerId: string): Promise<m.RuntimeContainerStatus> {
      const { status } = await channel.call(methods.containerStatus, { containerId });
      return status ?? missing("container status");
    },
    async updateContainerResources(
      containerId: string,
      linux: Parameters<RuntimeService["updateContainerResources"]>[1],
    ): Promise<void> {
      await channel.call(methods.updateResources, { containerId, linux });
    },
    async reopenContainerLog(containerId: string): Promise<void> {
      await channel.call(methods.reopenLog, { containerId });
    },
    async containerStats(containerId: string): Promise<m.ContainerStats> {
      const { stats } = await channel.call(methods.containerStats, { containerId });
      return stats ?? missing("container stats");
    },
    async listContainerStats() {
      return (await channel.call(methods.listContainerStats, {})).stats;
    },
  };
}

function streamCalls(
  channel: GrpcChannel,
): Pick<RuntimeService, "execSync" | "exec" | "attach" | "portForward"> {
  return {
    execSync(containerId, command, timeoutSeconds) {
      const request = { containerId, cmd: command, timeout: timeoutSeconds };
      // The runtime keeps the time; ours only guards against a runtime that hangs.
      const timeoutMs = timeoutSeconds === 0 ? 0 : timeoutSeconds * 1000 + 30_000;
      return channel.call(methods.execSync, request, { timeoutMs });
    },
    async exec({ command, ...request }) {
      return (await channel.call(methods.exec, { ...request, cmd: command })).url;
    },
    async attach(request) {
      return (await channel.call(methods.attach, request)).url;
    },
    async portForward(podSandboxId, port) {
      return (await channel.call(methods.portForward, { podSandboxId, port })).url;
    },
  };
}

function imageService(channel: GrpcChannel): ImageService {
  return {
    async listImages() {
      return (await channel.call(methods.listImages, {})).images;
    },
    async imageStatus(image) {
      return (await channel.call(methods.imageStatus, { image: { image } })).image;
    },
    async pullImage({ image, auth, sandboxConfig }) {
      const request = { image: { image }, auth, sandboxConfig };
      return (await channel.call(methods.pullImage, request, { timeoutMs: 0 })).imageRef;
    },
    async removeImage(image) {
      await channel.call(methods.removeImage, { image: { image } });
    },
    async imageFsInfo() {
      return (await channel.call(methods.imageFsInfo, {})).imageFilesystems;
    },
  };
}

/** CRI's own events where the runtime has them (containerd 1.7), else containerd's task events. */
function followEvents(channel: GrpcChannel, sink: RuntimeEventSink): Disposable {
  let current = channel.stream(
    methods.events,
    {},
    {
      next: ({ containerId, containerEventType }) => {
        sink.event({ id: containerId, kind: kindOf(containerEventType) });
      },
      ended(error) {
        if (isRuntimeError(error, "UNIMPLEMENTED")) current = followTasks(channel, sink);
        else sink.closed(error ?? new RuntimeError("UNAVAILABLE", "event stream ended"));
      },
    },
  );
  return { [Symbol.dispose]: () => current[Symbol.dispose]() };
}

function followTasks(channel: GrpcChannel, sink: RuntimeEventSink): Disposable {
  return channel.stream(
    containerdEvents,
    { filters: [taskFilter] },
    {
      next({ topic, event }) {
        const told = event === undefined ? undefined : taskEvent(topic, event.value);
        if (told !== undefined) sink.event(told);
      },
      ended: (error) => sink.closed(error ?? new RuntimeError("UNAVAILABLE", "event stream ended")),
    },
  );
}

/** Undefined for the end of an exec, which changes no container. */
function taskEvent(topic: string, bytes: Uint8Array): RuntimeEvent | undefined {
  if (topic === "/tasks/exit") {
    const { containerId, id } = m.TaskExit.decode(bytes);
    return id === containerId ? { kind: "stopped", id } : undefined;
  }
  const { containerId } = m.TaskEvent.decode(bytes);
  return { kind: topic === "/tasks/oom" ? "oom" : "started", id: containerId };
}

function kindOf(type: number): RuntimeEvent["kind"] {
  return (["created", "started", "stopped", "deleted"] as const)[type] ?? "created";
}

function missing(what: string): never {
  throw new RuntimeError("INTERNAL", `the runtime sent no ${what}`);
}
