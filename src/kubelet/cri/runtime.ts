/**
 * The container runtime as a port: CRI `runtime.v1`. `containerd.ts` speaks to a real one,
 * `fake-runtime.ts` is in memory. Every call rejects with a `RuntimeError`.
 */
import type {
  AuthConfig,
  ContainerConfig,
  ContainerStats,
  FilesystemUsage,
  LinuxContainerResources,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeContainer,
  RuntimeContainerStatus,
  RuntimeImage,
  RuntimeStatus,
  RuntimeVersion,
} from "./messages.ts";
import type { Encodable } from "#wire/protobuf.ts";

export interface ContainerRuntime extends AsyncDisposable {
  readonly runtime: RuntimeService;
  readonly images: ImageService;
}

export type LinuxResources = Encodable<typeof LinuxContainerResources>;

export interface RuntimeService {
  version(): Promise<RuntimeVersion>;
  status(): Promise<RuntimeStatus>;
  /** Returns the sandbox's id; its network is up then. */
  runPodSandbox(config: PodSandboxConfig, runtimeHandler: string): Promise<string>;
  /** Kills what runs in it and takes the network down. No error when it is gone. */
  stopPodSandbox(sandboxId: string): Promise<void>;
  removePodSandbox(sandboxId: string): Promise<void>;
  podSandboxStatus(sandboxId: string): Promise<PodSandboxStatus>;
  /** `labels` must all match. */
  listPodSandboxes(labels?: Readonly<Record<string, string>>): Promise<readonly PodSandbox[]>;
  createContainer(request: CreateContainer): Promise<string>;
  startContainer(containerId: string): Promise<void>;
  /** SIGTERM (or the container's stop signal), SIGKILL after `graceSeconds`; returns when it is gone. */
  stopContainer(containerId: string, graceSeconds: number): Promise<void>;
  removeContainer(containerId: string): Promise<void>;
  listContainers(labels?: Readonly<Record<string, string>>): Promise<readonly RuntimeContainer[]>;
  containerStatus(containerId: string): Promise<RuntimeContainerStatus>;
  updateContainerResources(containerId: string, linux: LinuxResources): Promise<void>;
  reopenContainerLog(containerId: string): Promise<void>;
  /** Rejects with code `DEADLINE_EXCEEDED` after `timeoutSeconds`; 0 waits for ever. */
  execSync(
    containerId: string,
    command: readonly string[],
    timeoutSeconds: number,
  ): Promise<ExecResult>;
  /** URLs to stream from, good for one connection. */
  exec(request: ExecStream): Promise<string>;
  attach(request: Omit<ExecStream, "command">): Promise<string>;
  portForward(sandboxId: string, ports: readonly number[]): Promise<string>;
  containerStats(containerId: string): Promise<ContainerStats>;
  listContainerStats(): Promise<readonly ContainerStats[]>;
  /**
   * Follows what happens to containers until the lifetime of the runtime ends; `closed` is called
   * once when the stream breaks. Events say that something changed: read the state for what.
   */
  followEvents(sink: RuntimeEventSink): Disposable;
}

export interface CreateContainer {
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  readonly sandboxConfig: PodSandboxConfig;
}

export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

export interface ExecStream {
  readonly containerId: string;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface RuntimeEvent {
  readonly kind: "created" | "started" | "stopped" | "deleted" | "oom";
  /** A container or a sandbox. */
  readonly id: string;
}

export interface RuntimeEventSink {
  readonly event: (event: RuntimeEvent) => void;
  readonly closed: (error: Error) => void;
}

export interface ImageService {
  listImages(): Promise<readonly RuntimeImage[]>;
  /** Undefined when the node does not have it. */
  imageStatus(image: string): Promise<RuntimeImage | undefined>;
  /** Returns the image's reference. */
  pullImage(pull: PullImage): Promise<string>;
  removeImage(image: string): Promise<void>;
  imageFsInfo(): Promise<readonly FilesystemUsage[]>;
}

export interface PullImage {
  readonly image: string;
  readonly auth?: AuthConfig;
  readonly sandboxConfig?: PodSandboxConfig;
}

/** Names of gRPC status codes, by number. Source: google.golang.org/grpc/codes. */
export const grpcCodes = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;
export type GrpcCode = (typeof grpcCodes)[number];

/** What the runtime refused. Its message is Go's text of a gRPC error, which users see in events. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly code: GrpcCode;
  readonly description: string;

  constructor(code: GrpcCode, description: string, options?: ErrorOptions) {
    super(`rpc error: code = ${goCodeName(code)} desc = ${description}`, options);
    this.code = code;
    this.description = description;
  }
}

export function isRuntimeError(error: unknown, code?: GrpcCode): error is RuntimeError {
  return error instanceof RuntimeError && (code === undefined || error.code === code);
}

/** `DEADLINE_EXCEEDED` -> `DeadlineExceeded`. */
function goCodeName(code: GrpcCode): string {
  if (code === "OK") return code;
  return code
    .split("_")
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join("")
    .replace("Cancelled", "Canceled");
}
