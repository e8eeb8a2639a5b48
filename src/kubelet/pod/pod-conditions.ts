/** The conditions that the kubelet owns. Source: kubelet/status/generate.go. */
import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { PodCondition } from "#api/core/v1/pod-status.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { isSidecar } from "./container-list.ts";
import type { PodPhase } from "./pod-phase.ts";

/** Source: kubelet/types/pod_status.go PodConditionsByKubelet. */
const ownedTypes = new Set([
  "PodScheduled",
  "Ready",
  "Initialized",
  "ContainersReady",
  "PodReadyToStartContainers",
  "PodResizePending",
  "PodResizeInProgress",
]);

export function isKubeletCondition(type: string): boolean {
  return ownedTypes.has(type);
}

export interface ConditionInput {
  readonly pod: Pod;
  /** Init and regular ones; undefined when nothing is known. */
  readonly statuses: readonly ContainerStatus[] | undefined;
  readonly phase: PodPhase;
  readonly sandboxReady: boolean;
  /** Conditions that others own, for readiness gates. */
  readonly foreign: readonly PodCondition[];
}

/** In the order in which the kubelet writes them, without transition times. */
export function kubeletConditions(input: ConditionInput): PodCondition[] {
  const containersReady = containersReadyCondition(input);
  return [
    conditionOf(input.pod, "PodReadyToStartContainers", { status: input.sandboxReady }),
    initializedCondition(input),
    readyCondition(input, containersReady),
    containersReady,
    conditionOf(input.pod, "PodScheduled", { status: true }),
  ];
}

interface Verdict {
  readonly status: boolean;
  readonly reason?: string;
  readonly message?: string;
}

function conditionOf(
  { metadata }: Pod,
  type: string,
  { status, reason, message }: Verdict,
): PodCondition {
  const generation = metadata?.generation;
  return {
    type,
    ...(generation !== undefined && { observedGeneration: generation }),
    status: status ? "True" : "False",
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  };
}

function containersReadyCondition({ pod, statuses, phase }: ConditionInput): PodCondition {
  const type = "ContainersReady";
  if (statuses === undefined) {
    return conditionOf(pod, type, { status: false, reason: "UnknownContainerStatuses" });
  }
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  const awaited = [...sidecars, ...pod.spec.containers];
  const { unknown, lacking } = sort(awaited, statuses, (_, status) => status.ready);
  if (phase === "Succeeded" && unknown.length === 0) {
    return conditionOf(pod, type, { status: false, reason: "PodCompleted" });
  }
  if (phase === "Failed") return conditionOf(pod, type, { status: false, reason: "PodFailed" });
  const message = messageOf(unknown, lacking, "unready");
  if (message === "") return conditionOf(pod, type, { status: true });
  return conditionOf(pod, type, { status: false, reason: "ContainersNotReady", message });
}

function readyCondition(
  { pod, foreign }: ConditionInput,
  containersReady: PodCondition,
): PodCondition {
  if (containersReady.status !== "True") return { ...containersReady, type: "Ready" };
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const quoted = JSON.stringify(conditionType);
    const gate = foreign.find(({ type }) => type === conditionType);
    if (gate === undefined) {
      return [`corresponding condition of pod readiness gate ${quoted} does not exist.`];
    }
    if (gate.status === "True") return [];
    return [`the status of pod readiness gate ${quoted} is not "True", but ${gate.status}`];
  });
  if (messages.length === 0) return conditionOf(pod, "Ready", { status: true });
  return conditionOf(pod, "Ready", {
    status: false,
    reason: "ReadinessGatesNotReady",
    message: messages.join(", "),
  });
}

function initializedCondition({ pod, statuses, phase }: ConditionInput): PodCondition {
  const type = "Initialized";
  const init = pod.spec.initContainers ?? [];
  if (statuses === undefined && init.length > 0) {
    return conditionOf(pod, type, { status: false, reason: "UnknownContainerStatuses" });
  }
  const known = statuses ?? [];
  const { unknown, lacking } = sort(init, known, (container, status) =>
    isSidecar(container) ? status.started === true : status.ready,
  );
  if (phase === "Succeeded" && unknown.length === 0) {
    return conditionOf(pod, type, { status: true, reason: "PodCompleted" });
  }
  const message = messageOf(unknown, lacking, "incomplete");
  if (message === "" || anyStarted(pod, known)) return conditionOf(pod, type, { status: true });
  return conditionOf(pod, type, { status: false, reason: "ContainersNotInitialized", message });
}

/** Names of containers without a status, and of those whose status is not as wished. */
function sort(
  containers: readonly Container[],
  statuses: readonly ContainerStatus[],
  wished: (container: Container, status: ContainerStatus) => boolean,
): { unknown: string[]; lacking: string[] } {
  const unknown: string[] = [];
  const lacking: string[] = [];
  for (const container of containers) {
    const status = statuses.find(({ name }) => name === container.name);
    if (status === undefined) unknown.push(container.name);
    else if (!wished(container, status)) lacking.push(container.name);
  }
  return { unknown, lacking };
}

function messageOf(unknown: readonly string[], lacking: readonly string[], word: string): string {
  const parts = [];
  if (unknown.length > 0) parts.push(`containers with unknown status: [${unknown.join(" ")}]`);
  if (lacking.length > 0) parts.push(`containers with ${word} status: [${lacking.join(" ")}]`);
  return parts.join(", ");
}

/** Source: kubelet/container HasAnyRegularContainerStarted. */
function anyStarted(pod: Pod, statuses: readonly ContainerStatus[]): boolean {
  return pod.spec.containers.some(({ name }) => {
    const status = statuses.find((each) => each.name === name);
    const last = status?.lastState?.terminated;
    return (
      status?.state?.running !== undefined ||
      status?.state?.terminated !== undefined ||
      last !== undefined
    );
  });
}
