/** What a node says of itself. Pure. Source: kubelet/nodestatus/setters.go, kubelet_node_status.go. */
import type { NodeCondition, NodeStatus } from "#api/core/v1/node-status.ts";
import type { Node } from "#api/core/v1/node.ts";
import {
  formatQuantity,
  quantityOf,
  quantityValue,
  subtractQuantities,
} from "#apimachinery/quantity.ts";
import type { KubeletConfig } from "../config.ts";
import type { RuntimeImage, RuntimeStatus, RuntimeVersion } from "../cri/messages.ts";
import type { Machine } from "./machine.ts";

export interface NodeReport {
  readonly config: KubeletConfig;
  readonly machine: Machine;
  readonly runtimeVersion: RuntimeVersion;
  readonly runtimeStatus: RuntimeStatus;
  readonly images: readonly RuntimeImage[];
  readonly pressure: NodePressure;
  /** RFC 3339. */
  readonly now: string;
}

/** What is reported of a runtime that says nothing. */
export const silentRuntime: Pick<NodeReport, "runtimeVersion" | "runtimeStatus" | "images"> = {
  runtimeVersion: { version: "", runtimeName: "", runtimeVersion: "", runtimeApiVersion: "" },
  runtimeStatus: {
    status: { conditions: [{ type: "RuntimeReady", status: false, reason: "", message: "" }] },
    info: {},
    runtimeHandlers: [],
    features: undefined,
  },
  images: [],
};

export interface NodePressure {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pids: boolean;
}

export const noPressure: NodePressure = { memory: false, disk: false, pids: false };

/** Source: kubelet nodeStatusMaxImages. */
const imagesMax = 50;
const imageNamesMax = 5;

export function capacityOf(
  machine: Machine,
  { maxPods }: Pick<KubeletConfig, "maxPods">,
): Record<string, string> {
  return {
    cpu: String(machine.cpuCount),
    "ephemeral-storage": formatQuantity(quantityOf(machine.diskBytes, "BinarySI")),
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    memory: formatQuantity(quantityOf(machine.memoryBytes, "BinarySI")),
    pods: String(maxPods),
  };
}

/** What somebody else wrote into the capacity stays, and can be had. Source: kubelet nodestatus MachineInfo. */
function extendedResources(capacity: NodeStatus["capacity"] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(capacity).filter(([resource]) => resource.includes("/")));
}

export function allocatableOf(
  capacity: Readonly<Record<string, string>>,
  reserved: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(capacity).map(([resource, amount]) => {
      const kept = reserved[resource];
      if (resource === "ephemeral-storage") {
        // Source: the default hard eviction threshold nodefs.available<10%.
        return [resource, formatQuantity(quantityOf(Math.trunc(quantityValue(amount) * 0.9)))];
      }
      return [
        resource,
        kept === undefined ? amount : formatQuantity(subtractQuantities(amount, kept)),
      ];
    }),
  );
}

export function nodeLabels(config: KubeletConfig, machine: Machine): Record<string, string> {
  return {
    "beta.kubernetes.io/arch": machine.architecture,
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": machine.architecture,
    "kubernetes.io/hostname": config.nodeName,
    "kubernetes.io/os": "linux",
    ...config.nodeLabels,
  };
}

export function newNode(report: NodeReport): Node {
  const { config, machine } = report;
  return {
    metadata: {
      name: config.nodeName,
      labels: nodeLabels(config, machine),
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: config.nodeTaints.length > 0 ? { taints: [...config.nodeTaints] } : {},
    status: nodeStatusOf(report, {}),
  };
}

/** `previous` gives the times of transitions, and the conditions and fields of others. */
export function nodeStatusOf(report: NodeReport, previous: NodeStatus): NodeStatus {
  const { config, machine, runtimeStatus } = report;
  const capacity = { ...extendedResources(previous.capacity), ...capacityOf(machine, config) };
  // A runtime that is silent now has not become another one.
  const { runtimeName, runtimeVersion } = report.runtimeVersion;
  const known = runtimeName !== "";
  const version = known
    ? `${runtimeName}://${runtimeVersion}`
    : previous.nodeInfo?.containerRuntimeVersion;
  const handlers = runtimeStatus.runtimeHandlers;
  return {
    ...previous,
    capacity,
    allocatable: allocatableOf(capacity, config.reserved),
    conditions: conditionsOf(report, previous.conditions ?? []),
    addresses: [
      ...config.nodeIps.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: config.nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: config.port } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: version ?? "",
      kubeletVersion: config.version,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: machine.architecture,
    },
    images: known ? imagesOf(report.images) : (previous.images ?? []),
    ...(handlers.length > 0 && {
      runtimeHandlers: handlers.map(({ name, features }) => ({
        name,
        ...(features && { features: { ...features } }),
      })),
    }),
    features: {
      supplementalGroupsPolicy: runtimeStatus.features?.supplementalGroupsPolicy === true,
    },
  };
}

/** In an order of its own: the runtime's differs from list to list, and each would be a write. */
function imagesOf(images: readonly RuntimeImage[]): NonNullable<NodeStatus["images"]> {
  return images
    .toSorted((a, b) => b.size - a.size || (a.id < b.id ? 1 : -1))
    .slice(0, imagesMax)
    .map(({ repoDigests, repoTags, size }) => ({
      names: [...repoDigests, ...repoTags].slice(0, imageNamesMax),
      sizeBytes: size,
    }));
}

interface Verdict {
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

function conditionsOf(report: NodeReport, previous: readonly NodeCondition[]): NodeCondition[] {
  const { pressure, now } = report;
  const verdicts: Record<string, Verdict> = {
    MemoryPressure: pressure.memory
      ? {
          status: true,
          reason: "KubeletHasInsufficientMemory",
          message: "kubelet has insufficient memory available",
        }
      : {
          status: false,
          reason: "KubeletHasSufficientMemory",
          message: "kubelet has sufficient memory available",
        },
    DiskPressure: pressure.disk
      ? { status: true, reason: "KubeletHasDiskPressure", message: "kubelet has disk pressure" }
      : {
          status: false,
          reason: "KubeletHasNoDiskPressure",
          message: "kubelet has no disk pressure",
        },
    PIDPressure: pressure.pids
      ? {
          status: true,
          reason: "KubeletHasInsufficientPID",
          message: "kubelet has insufficient PID available",
        }
      : {
          status: false,
          reason: "KubeletHasSufficientPID",
          message: "kubelet has sufficient PID available",
        },
    Ready: readiness(report.runtimeStatus),
  };
  const foreign = previous.filter(({ type }) => !(type in verdicts));
  const own = Object.entries(verdicts).map(([type, { status, reason, message }]): NodeCondition => {
    const text = status ? "True" : "False";
    const before = previous.find((condition) => condition.type === type);
    const since = before?.status === text ? (before.lastTransitionTime ?? now) : now;
    return {
      type,
      status: text,
      lastHeartbeatTime: now,
      lastTransitionTime: since,
      reason,
      message,
    };
  });
  return [...foreign, ...own];
}

function readiness({ status }: RuntimeStatus): Verdict {
  const problems: string[] = [];
  const conditions = status?.conditions ?? [];
  const bad = (type: string) =>
    conditions.find((condition) => condition.type === type && !condition.status);
  const runtime = bad("RuntimeReady");
  if (runtime) problems.push(`container runtime is down`);
  const network = bad("NetworkReady");
  if (network) {
    problems.push(
      `container runtime network not ready: NetworkReady=false reason:${network.reason} message:${network.message}`,
    );
  }
  if (problems.length === 0) {
    return { status: true, reason: "KubeletReady", message: "kubelet is posting ready status" };
  }
  const message = problems.length === 1 ? (problems[0] ?? "") : `[${problems.join(", ")}]`;
  return { status: false, reason: "KubeletNotReady", message };
}
