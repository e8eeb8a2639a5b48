/** The messages of CRI `runtime.v1` that a Linux node uses. Source: cri-api api.proto. */
import { bin, bool, int32, int64, ints, many, message, one, str, strs, texts } from "./proto.ts";
import type { Decoded, Encodable } from "#wire/protobuf.ts";

// --- Enums, as numbers on the wire ------------------------------------------------------------

export const protocolNumber = { TCP: 0, UDP: 1, SCTP: 2 } as const;
export const propagation = { None: 0, HostToContainer: 1, Bidirectional: 2 } as const;
export const namespaceMode = { pod: 0, container: 1, node: 2, target: 3 } as const;
export const profileType = { runtimeDefault: 0, unconfined: 1, localhost: 2 } as const;
export const groupsPolicy = { Merge: 0, Strict: 1 } as const;
export const sandboxState = { ready: 0, notReady: 1 } as const;
export const containerState = { created: 0, running: 1, exited: 2, unknown: 3 } as const;
export const containerEventType = { created: 0, started: 1, stopped: 2, deleted: 3 } as const;

// --- Shared parts -----------------------------------------------------------------------------

export const Empty = message({});
export const Int64Value = message({ value: int64(1) });
const UInt64Value = Int64Value;

export const ImageSpec = message({
  image: str(1),
  annotations: texts(2),
  userSpecifiedImage: str(18),
  runtimeHandler: str(19),
  imageRef: str(20),
});

const HugepageLimit = message({ pageSize: str(1), limit: int64(2) });

export const LinuxContainerResources = message({
  cpuPeriod: int64(1),
  cpuQuota: int64(2),
  cpuShares: int64(3),
  memoryLimitInBytes: int64(4),
  oomScoreAdj: int64(5),
  cpusetCpus: str(6),
  cpusetMems: str(7),
  hugepageLimits: many(8, HugepageLimit),
  unified: texts(9),
  memorySwapLimitInBytes: int64(10),
});

const IdMapping = message({ hostId: int32(1), containerId: int32(2), length: int32(3) });
const UserNamespace = message({
  mode: int32(1),
  uids: many(2, IdMapping),
  gids: many(3, IdMapping),
});

const NamespaceOption = message({
  network: int32(1),
  pid: int32(2),
  ipc: int32(3),
  targetId: str(4),
  usernsOptions: one(5, UserNamespace),
});

const SecurityProfile = message({ profileType: int32(1), localhostRef: str(2) });
const SelinuxOption = message({ user: str(1), role: str(2), type: str(3), level: str(4) });

// --- Sandboxes --------------------------------------------------------------------------------

const LinuxSandboxSecurityContext = message({
  namespaceOptions: one(1, NamespaceOption),
  selinuxOptions: one(2, SelinuxOption),
  runAsUser: one(3, Int64Value),
  runAsGroup: one(8, Int64Value),
  readonlyRootfs: bool(4),
  supplementalGroups: ints(5),
  supplementalGroupsPolicy: int32(11),
  privileged: bool(6),
  seccomp: one(9, SecurityProfile),
  apparmor: one(10, SecurityProfile),
});

const LinuxPodSandboxConfig = message({
  cgroupParent: str(1),
  securityContext: one(2, LinuxSandboxSecurityContext),
  sysctls: texts(3),
  overhead: one(4, LinuxContainerResources),
  resources: one(5, LinuxContainerResources),
});

const PodSandboxMetadata = message({
  name: str(1),
  uid: str(2),
  namespace: str(3),
  attempt: int32(4),
});

const DnsConfig = message({ servers: strs(1), searches: strs(2), options: strs(3) });

const PortMapping = message({
  protocol: int32(1),
  containerPort: int32(2),
  hostPort: int32(3),
  hostIp: str(4),
});

export const PodSandboxConfig = message({
  metadata: one(1, PodSandboxMetadata),
  hostname: str(2),
  logDirectory: str(3),
  dnsConfig: one(4, DnsConfig),
  portMappings: many(5, PortMapping),
  labels: texts(6),
  annotations: texts(7),
  linux: one(8, LinuxPodSandboxConfig),
});
export type PodSandboxConfig = Encodable<typeof PodSandboxConfig>;

export const RunPodSandboxRequest = message({
  config: one(1, PodSandboxConfig),
  runtimeHandler: str(2),
});
export const PodSandboxId = message({ podSandboxId: str(1) });

const PodSandboxNetworkStatus = message({
  ip: str(1),
  additionalIps: many(2, message({ ip: str(1) })),
});

const LinuxPodSandboxStatus = message({
  namespaces: one(1, message({ options: one(2, NamespaceOption) })),
});

export const PodSandboxStatus = message({
  id: str(1),
  metadata: one(2, PodSandboxMetadata),
  state: int32(3),
  createdAt: int64(4),
  network: one(5, PodSandboxNetworkStatus),
  linux: one(6, LinuxPodSandboxStatus),
  labels: texts(7),
  annotations: texts(8),
  runtimeHandler: str(9),
});
export type PodSandboxStatus = Decoded<typeof PodSandboxStatus>;
export const PodSandboxStatusResponse = message({ status: one(1, PodSandboxStatus) });

const PodSandboxFilter = message({
  id: str(1),
  state: one(2, message({ state: int32(1) })),
  labelSelector: texts(3),
});
export const ListPodSandboxRequest = message({ filter: one(1, PodSandboxFilter) });

const PodSandbox = message({
  id: str(1),
  metadata: one(2, PodSandboxMetadata),
  state: int32(3),
  createdAt: int64(4),
  labels: texts(5),
  annotations: texts(6),
  runtimeHandler: str(7),
});
export type PodSandbox = Decoded<typeof PodSandbox>;
export const ListPodSandboxResponse = message({ items: many(1, PodSandbox) });

// --- Containers -------------------------------------------------------------------------------

export const ContainerMetadata = message({ name: str(1), attempt: int32(2) });

export const Mount = message({
  containerPath: str(1),
  hostPath: str(2),
  readonly: bool(3),
  selinuxRelabel: bool(4),
  propagation: int32(5),
  uidMappings: many(6, IdMapping),
  gidMappings: many(7, IdMapping),
  recursiveReadOnly: bool(8),
  image: one(9, ImageSpec),
  imageSubPath: str(10),
});
export type Mount = Encodable<typeof Mount>;

const Capability = message({ addCapabilities: strs(1), dropCapabilities: strs(2) });

const LinuxContainerSecurityContext = message({
  capabilities: one(1, Capability),
  privileged: bool(2),
  namespaceOptions: one(3, NamespaceOption),
  selinuxOptions: one(4, SelinuxOption),
  runAsUser: one(5, Int64Value),
  runAsGroup: one(12, Int64Value),
  runAsUsername: str(6),
  readonlyRootfs: bool(7),
  supplementalGroups: ints(8),
  supplementalGroupsPolicy: int32(17),
  noNewPrivs: bool(11),
  maskedPaths: strs(13),
  readonlyPaths: strs(14),
  seccomp: one(15, SecurityProfile),
  apparmor: one(16, SecurityProfile),
});
export type LinuxContainerSecurityContext = Encodable<typeof LinuxContainerSecurityContext>;

const LinuxContainerConfig = message({
  resources: one(1, LinuxContainerResources),
  securityContext: one(2, LinuxContainerSecurityContext),
});

const Device = message({ containerPath: str(1), hostPath: str(2), permissions: str(3) });

export const ContainerConfig = message({
  metadata: one(1, ContainerMetadata),
  image: one(2, ImageSpec),
  command: strs(3),
  args: strs(4),
  workingDir: str(5),
  envs: many(6, message({ key: str(1), value: str(2) })),
  mounts: many(7, Mount),
  devices: many(8, Device),
  labels: texts(9),
  annotations: texts(10),
  logPath: str(11),
  stdin: bool(12),
  stdinOnce: bool(13),
  tty: bool(14),
  linux: one(15, LinuxContainerConfig),
  stopSignal: int32(18),
});
export type ContainerConfig = Encodable<typeof ContainerConfig>;

export const CreateContainerRequest = message({
  podSandboxId: str(1),
  config: one(2, ContainerConfig),
  sandboxConfig: one(3, PodSandboxConfig),
});
export const ContainerId = message({ containerId: str(1) });
export const StopContainerRequest = message({ containerId: str(1), timeout: int64(2) });

const ContainerFilter = message({
  id: str(1),
  state: one(2, message({ state: int32(1) })),
  podSandboxId: str(3),
  labelSelector: texts(4),
});
export const ListContainersRequest = message({ filter: one(1, ContainerFilter) });

const Container = message({
  id: str(1),
  podSandboxId: str(2),
  metadata: one(3, ContainerMetadata),
  image: one(4, ImageSpec),
  imageRef: str(5),
  state: int32(6),
  createdAt: int64(7),
  labels: texts(8),
  annotations: texts(9),
  imageId: str(10),
});
export type RuntimeContainer = Decoded<typeof Container>;
export const ListContainersResponse = message({ containers: many(1, Container) });

const LinuxContainerUser = message({ uid: int64(1), gid: int64(2), supplementalGroups: ints(3) });

export const ContainerStatus = message({
  id: str(1),
  metadata: one(2, ContainerMetadata),
  state: int32(3),
  createdAt: int64(4),
  startedAt: int64(5),
  finishedAt: int64(6),
  exitCode: int32(7),
  image: one(8, ImageSpec),
  imageRef: str(9),
  reason: str(10),
  message: str(11),
  labels: texts(12),
  annotations: texts(13),
  mounts: many(14, Mount),
  logPath: str(15),
  resources: one(16, message({ linux: one(1, LinuxContainerResources) })),
  imageId: str(17),
  user: one(18, message({ linux: one(1, LinuxContainerUser) })),
  stopSignal: int32(19),
});
export type RuntimeContainerStatus = Decoded<typeof ContainerStatus>;
export const ContainerStatusRequest = message({ containerId: str(1), verbose: bool(2) });
export const ContainerStatusResponse = message({ status: one(1, ContainerStatus), info: texts(2) });

export const UpdateContainerResourcesRequest = message({
  containerId: str(1),
  linux: one(2, LinuxContainerResources),
});

// --- Streams and exec -------------------------------------------------------------------------

export const ExecSyncRequest = message({ containerId: str(1), cmd: strs(2), timeout: int64(3) });
export const ExecSyncResponse = message({ stdout: bin(1), stderr: bin(2), exitCode: int32(3) });
export const ExecRequest = message({
  containerId: str(1),
  cmd: strs(2),
  tty: bool(3),
  stdin: bool(4),
  stdout: bool(5),
  stderr: bool(6),
});
export const AttachRequest = message({
  containerId: str(1),
  stdin: bool(2),
  tty: bool(3),
  stdout: bool(4),
  stderr: bool(5),
});
export const PortForwardRequest = message({ podSandboxId: str(1), port: ints(2) });
export const UrlResponse = message({ url: str(1) });

// --- Runtime ----------------------------------------------------------------------------------

export const VersionRequest = message({ version: str(1) });
export const VersionResponse = message({
  version: str(1),
  runtimeName: str(2),
  runtimeVersion: str(3),
  runtimeApiVersion: str(4),
});
export type RuntimeVersion = Decoded<typeof VersionResponse>;

const RuntimeCondition = message({
  type: str(1),
  status: bool(2),
  reason: str(3),
  message: str(4),
});
const RuntimeHandler = message({
  name: str(1),
  features: one(2, message({ recursiveReadOnlyMounts: bool(1), userNamespaces: bool(2) })),
});
export const StatusRequest = message({ verbose: bool(1) });
export const StatusResponse = message({
  status: one(1, message({ conditions: many(1, RuntimeCondition) })),
  info: texts(2),
  runtimeHandlers: many(3, RuntimeHandler),
  features: one(
    4,
    message({ supplementalGroupsPolicy: bool(1), userNamespacesHostNetwork: bool(2) }),
  ),
});
export type RuntimeStatus = Decoded<typeof StatusResponse>;

export const ContainerEventResponse = message({
  containerId: str(1),
  containerEventType: int32(2),
  createdAt: int64(3),
  podSandboxStatus: one(4, PodSandboxStatus),
});

// --- Images -----------------------------------------------------------------------------------

const Image = message({
  id: str(1),
  repoTags: strs(2),
  repoDigests: strs(3),
  size: int64(4),
  uid: one(5, Int64Value),
  username: str(6),
  spec: one(7, ImageSpec),
  pinned: bool(8),
});
export type RuntimeImage = Decoded<typeof Image>;
export const ImageRequest = message({ image: one(1, ImageSpec) });
export const ListImagesRequest = message({ filter: one(1, message({ image: one(1, ImageSpec) })) });
export const ListImagesResponse = message({ images: many(1, Image) });
export const ImageStatusResponse = message({ image: one(1, Image), info: texts(2) });

export const AuthConfig = message({
  username: str(1),
  password: str(2),
  auth: str(3),
  serverAddress: str(4),
  identityToken: str(5),
  registryToken: str(6),
});
export type AuthConfig = Encodable<typeof AuthConfig>;
export const PullImageRequest = message({
  image: one(1, ImageSpec),
  auth: one(2, AuthConfig),
  sandboxConfig: one(3, PodSandboxConfig),
});
export const PullImageResponse = message({ imageRef: str(1) });

export const FilesystemUsage = message({
  timestamp: int64(1),
  fsId: one(2, message({ mountpoint: str(1) })),
  usedBytes: one(3, UInt64Value),
  inodesUsed: one(4, UInt64Value),
});
export type FilesystemUsage = Decoded<typeof FilesystemUsage>;
export const ImageFsInfoResponse = message({ imageFilesystems: many(1, FilesystemUsage) });

// --- Stats ------------------------------------------------------------------------------------

const CpuUsage = message({
  timestamp: int64(1),
  usageCoreNanoSeconds: one(2, UInt64Value),
  usageNanoCores: one(3, UInt64Value),
});
const MemoryUsage = message({
  timestamp: int64(1),
  workingSetBytes: one(2, UInt64Value),
  availableBytes: one(3, UInt64Value),
  usageBytes: one(4, UInt64Value),
  rssBytes: one(5, UInt64Value),
  pageFaults: one(6, UInt64Value),
  majorPageFaults: one(7, UInt64Value),
});
const ContainerAttributes = message({
  id: str(1),
  metadata: one(2, ContainerMetadata),
  labels: texts(3),
  annotations: texts(4),
});
export const ContainerStats = message({
  attributes: one(1, ContainerAttributes),
  cpu: one(2, CpuUsage),
  memory: one(3, MemoryUsage),
  writableLayer: one(4, FilesystemUsage),
});
export type ContainerStats = Decoded<typeof ContainerStats>;
export const ContainerStatsResponse = message({ stats: one(1, ContainerStats) });
export const ListContainerStatsRequest = message({
  filter: one(1, message({ id: str(1), podSandboxId: str(2), labelSelector: texts(3) })),
});
export const ListContainerStatsResponse = message({ stats: many(1, ContainerStats) });

// --- containerd's own event service: containerd/api/services/events/v1/events.proto ------------

export const SubscribeRequest = message({ filters: strs(1) });
export const EventEnvelope = message({
  namespace: str(2),
  topic: str(3),
  event: one(4, message({ typeUrl: str(1), value: bin(2) })),
});
/** Of a container's process when both ids are equal, else of an exec in it. */
export const TaskExit = message({ containerId: str(1), id: str(2), exitStatus: int32(4) });
/** Of TaskStart, TaskOOM and others: field 1 is the container. */
export const TaskEvent = message({ containerId: str(1) });
