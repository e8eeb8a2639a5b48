/** Container statuses of the API from what the runtime tells. Pure. Source: kubelet_pods.go. */
import type {
  ContainerState,
  ContainerStatus,
  VolumeMountStatus,
} from "#api/core/v1/container-status.ts";
import type { Container, ResourceRequirements } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import { rfc3339 } from "#base/clock.ts";
import type { RuntimeContainerStatus } from "../cri/messages.ts";
import { containerState } from "../cri/messages.ts";
import { asContainer, isSidecar } from "./container-list.ts";
import type { PodRuntime } from "./pod-runtime.ts";
import type { ProbeResult } from "./plan-pod.ts";
import { restartsAfter } from "./restart-policy.ts";
import { restartCountOf } from "./runtime-labels.ts";

/** Why a container that should run does not: `CrashLoopBackOff`, `ErrImagePull`, ... */
export interface WaitingReason {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusInput {
  readonly pod: Pod;
  readonly runtime: PodRuntime;
  /** What was said last, by us or in the API. */
  readonly previous: PreviousStatuses;
  /** By container name. */
  readonly waiting: ReadonlyMap<string, WaitingReason>;
  /** What containers wrote before they ended, by container id. */
  readonly terminationMessages: ReadonlyMap<string, string>;
  readonly probes: ProbeVerdicts;
  /** Ids of containers that the kernel killed for memory, where the runtime does not say so. */
  readonly outOfMemory: ReadonlySet<string>;
  /** What cgroups of running containers are set to, by container id, where it is not the spec's. */
  readonly applied: ReadonlyMap<string, ResourceRequirements>;
  /** `containerd` in `containerd://id`. */
  readonly runtimeName: string;
}

export interface PreviousStatuses {
  readonly initContainerStatuses?: readonly ContainerStatus[] | undefined;
  readonly containerStatuses?: readonly ContainerStatus[] | undefined;
  readonly ephemeralContainerStatuses?: readonly ContainerStatus[] | undefined;
}

/** Latest results by container id, undefined before the first. */
export interface ProbeVerdicts {
  startup(containerId: string): ProbeResult | undefined;
  readiness(containerId: string): ProbeResult | undefined;
}

export interface ContainerStatuses {
  /** In the spec's order. */
  readonly init: ContainerStatus[];
  /** By name, like `ephemeral`. */
  readonly regular: ContainerStatus[];
  readonly ephemeral: ContainerStatus[];
}

export function containerStatusesOf(input: ContainerStatusInput): ContainerStatuses {
  const { initContainers = [], containers, ephemeralContainers = [] } = input.pod.spec;
  const { previous } = input;
  const by = (list: readonly ContainerStatus[] | undefined) =>
    new Map((list ?? []).map((status) => [status.name, status]));
  const init = by(previous.initContainerStatuses);
  const regular = by(previous.containerStatuses);
  const ephemeral = by(previous.ephemeralContainerStatuses);
  return {
    init: initContainers.map((container) => {
      const old = init.get(container.name);
      const status = statusOf(input, { container, old, init: true });
      return isSidecar(container)
        ? withProbes(status, { input, container, old })
        : { ...status, ready: status.state?.terminated?.exitCode === 0, started: false };
    }),
    regular: containers
      .map((container) => {
        const old = regular.get(container.name);
        return withProbes(statusOf(input, { container, old, init: false }), {
          input,
          container,
          old,
        });
      })
      .toSorted(byName),
    ephemeral: ephemeralContainers
      .map(asContainer)
      .map((container) =>
        statusOf(input, { container, old: ephemeral.get(container.name), init: false }),
      )
      .toSorted(byName),
  };
}

function byName(a: ContainerStatus, b: ContainerStatus): number {
  return compareBytes(a.name, b.name);
}

interface Subject {
  readonly container: Container;
  readonly old: ContainerStatus | undefined;
  readonly init: boolean;
}

function statusOf(input: ContainerStatusInput, subject: Subject): ContainerStatus {
  const { container, old } = subject;
  const instances = input.runtime.containers.filter(
    ({ metadata }) => metadata?.name === container.name,
  );
  const [newest, before] = instances;
  const status =
    newest === undefined
      ? withoutInstance(input, subject)
      : {
          ...fromInstance(input, { container, old, instance: newest }),
          ...(before !== undefined && { lastState: stateOf(input, before, undefined) }),
        };
  return withWaitingReason(status, { input, subject, newest });
}

function fromInstance(
  input: ContainerStatusInput,
  seen: {
    readonly container: Container;
    readonly old: ContainerStatus | undefined;
    readonly instance: RuntimeContainerStatus;
  },
): ContainerStatus {
  const { container, old, instance } = seen;
  const lost = instance.state === containerState.unknown && old?.state?.running !== undefined;
  const user = instance.user?.linux;
  const mounts = old?.volumeMounts ?? mountStatuses(container);
  return {
    name: container.name,
    state: stateOf(input, instance, old),
    lastState: {},
    ready: false,
    restartCount: lost ? old.restartCount + 1 : restartCountOf(instance),
    image: instance.image?.image ?? container.image ?? "",
    imageID: instance.imageRef,
    containerID: `${input.runtimeName}://${instance.id}`,
    ...(container.resources?.requests && { allocatedResources: container.resources.requests }),
    resources: input.applied.get(instance.id) ?? container.resources ?? {},
    ...(mounts.length > 0 && { volumeMounts: mounts }),
    ...(user !== undefined && {
      user: {
        linux: {
          uid: user.uid,
          gid: user.gid,
          ...(user.supplementalGroups.length > 0 && {
            supplementalGroups: [...user.supplementalGroups],
          }),
        },
      },
    }),
  };
}

function stateOf(
  input: ContainerStatusInput,
  instance: RuntimeContainerStatus,
  old: ContainerStatus | undefined,
): ContainerState {
  const at = (nanoseconds: number): string => rfc3339(Math.max(0, nanoseconds) / 1e6);
  if (instance.state === containerState.running)
    return { running: { startedAt: at(instance.startedAt) } };
  if (instance.state === containerState.created) return { waiting: {} };
  if (instance.state === containerState.exited) {
    const message = input.terminationMessages.get(instance.id) ?? instance.message;
    const reason = input.outOfMemory.has(instance.id) ? "OOMKilled" : instance.reason;
    return {
      terminated: {
        exitCode: instance.exitCode,
        ...(reason !== "" && { reason }),
        ...(message !== "" && { message }),
        startedAt: at(instance.startedAt),
        finishedAt: at(instance.finishedAt),
        containerID: `${input.runtimeName}://${instance.id}`,
      },
    };
  }
  if (old?.state?.running === undefined) return { waiting: {} };
  return {
    terminated: {
      exitCode: 137,
      reason: "ContainerStatusUnknown",
      message: "The container could not be located when the pod was terminated",
    },
  };
}

/** Never started, or removed from the runtime since. */
function withoutInstance(
  input: ContainerStatusInput,
  { container, old, init }: Subject,
): ContainerStatus {
  if (old?.state?.terminated) return old;
  const mounts = mountStatuses(container);
  const reason =
    (input.pod.spec.initContainers ?? []).length > 0 ? "PodInitializing" : "ContainerCreating";
  const waiting: ContainerStatus = {
    name: container.name,
    state: { waiting: { reason } },
    lastState: old?.lastState ?? {},
    ready: false,
    restartCount: old?.restartCount ?? 0,
    image: container.image ?? "",
    imageID: "",
    ...(mounts.length > 0 && { volumeMounts: mounts }),
  };
  const ran = input.pod.spec.containers.some(({ name }) =>
    input.runtime.containers.some(({ metadata }) => metadata?.name === name),
  );
  if (init && ran && !isSidecar(container)) return { ...waiting, state: { terminated: forgotten } };
  if (old?.state?.running === undefined || old.lastState?.terminated) return waiting;
  const deleted = input.pod.metadata?.deletionTimestamp !== undefined;
  return {
    ...waiting,
    lastState: { terminated: vanished },
    restartCount: waiting.restartCount + (deleted ? 0 : 1),
  };
}

const forgotten = {
  exitCode: 0,
  reason: "Completed",
  message:
    "Unable to get init container status from container runtime and pod has been initialized, " +
    "treat it as exited normally",
};

const vanished = {
  exitCode: 137,
  reason: "ContainerStatusUnknown",
  message:
    "The container could not be located when the pod was deleted.  The container used to be Running",
};

/** A container that is to start again but cannot is waiting, and what it was becomes its last state. */
function withWaitingReason(
  status: ContainerStatus,
  context: {
    readonly input: ContainerStatusInput;
    readonly subject: Subject;
    readonly newest: RuntimeContainerStatus | undefined;
  },
): ContainerStatus {
  const { input, subject, newest } = context;
  const { container, init } = subject;
  const waiting = input.waiting.get(container.name);
  if (waiting === undefined || !isToStart(input.pod, container, newest)) return status;
  if (init && newest?.state === containerState.exited && newest.exitCode === 0) return status;
  return {
    ...status,
    ...(status.state?.terminated && { lastState: status.state }),
    state: { waiting: { ...waiting } },
  };
}

function isToStart(
  pod: Pod,
  container: Container,
  newest: RuntimeContainerStatus | undefined,
): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false;
  if (newest === undefined) return true;
  if (newest.state === containerState.running) return false;
  if (newest.state !== containerState.exited) return true;
  return restartsAfter(container, pod, newest.exitCode);
}

/** Source: prober_manager.go UpdatePodStatus. */
function withProbes(
  status: ContainerStatus,
  context: {
    readonly input: ContainerStatusInput;
    readonly container: Container;
    readonly old: ContainerStatus | undefined;
  },
): ContainerStatus {
  const { input, container, old } = context;
  if (status.state?.running === undefined) return { ...status, ready: false, started: false };
  const id = status.containerID?.split("//")[1] ?? "";
  // After a restart of the kubelet what was said before holds until a probe says otherwise.
  const same = old?.containerID === status.containerID ? old : undefined;
  const startup = input.probes.startup(id);
  const started =
    container.startupProbe === undefined ||
    (startup === undefined ? same?.started === true : startup === "success");
  const readiness = input.probes.readiness(id);
  const ready =
    container.readinessProbe === undefined ||
    (readiness === undefined ? same?.ready === true : readiness === "success");
  return { ...status, started, ready: started && ready };
}

function mountStatuses(container: Container): VolumeMountStatus[] {
  return (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
    name,
    mountPath,
    ...(readOnly === true && { readOnly, recursiveReadOnly: "Disabled" }),
  }));
}
