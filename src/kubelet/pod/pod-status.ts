import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import type { PodCondition, PodStatus } from "#api/core/v1/pod-status.ts";
import { containerState } from "../cri/messages.ts";
import { isHostNetwork, isStaticPod } from "./container-list.ts";
import { type ContainerStatusInput, containerStatusesOf } from "./container-statuses.ts";
import {
  latestContainer,
  type PodRuntime,
  podIpsOf,
  readySandbox,
  runningContainers,
} from "./pod-runtime.ts";
import { endedStatuses } from "./ended-statuses.ts";
import { isKubeletCondition, kubeletConditions } from "./pod-conditions.ts";
import { type PodPhase, phaseOf } from "./pod-phase.ts";
import { sandboxNeed } from "./plan-pod.ts";
import { qosClassOf } from "./qos.ts";

export interface PodStatusInput extends Omit<ContainerStatusInput, "previous"> {
  readonly previous: PodStatus;
  readonly hostIps: readonly string[];
  /** Nothing of the Pod runs any more and nothing will. */
  readonly terminal: boolean;
  /** The Pod was ended from here: evicted, past its deadline, not admitted. */
  readonly failure?: { readonly reason: string; readonly message: string } | undefined;
  /** Conditions of ours beyond the usual ones: resizing, `DisruptionTarget`. */
  readonly extraConditions?: readonly PodCondition[];
}

/**
 * The whole status of a Pod as the kubelet sees it; transition and start times are the writer's.
 * Pure. Source: kubelet_pods.go generateAPIPodStatus.
 */
export function podStatusOf(input: PodStatusInput): PodStatus {
  const { pod, previous, failure } = input;
  const seen = containerStatusesOf(input);
  const { init, regular, ephemeral } = ends(input) ? endedStatuses(pod, seen) : seen;
  const due = failure ? "Failed" : nextPhase(input, [...regular, ...init]);
  const phase = mayEnd(input) ? due : (ended(previous.phase) ?? unended(due, previous));
  const told = phase === due ? failure : undefined;
  const kept = phase === previous.phase ? previous : undefined;
  const reason = told?.reason ?? kept?.reason ?? pod.status?.reason;
  const message = told?.message ?? kept?.message ?? pod.status?.message;
  const generation = pod.metadata?.generation;
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    phase,
    conditions: conditionsOf(input, phase, [...init, ...regular]),
    ...(message !== undefined && message !== "" && { message }),
    ...(reason !== undefined && reason !== "" && { reason }),
    ...addressesOf(input),
    ...(previous.nominatedNodeName !== undefined && {
      nominatedNodeName: previous.nominatedNodeName,
    }),
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: regular,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
    qosClass: qosClassOf(pod),
    ...carriedOver(pod.status),
  };
}

/** What others write into the status and we must not drop. */
function carriedOver(status: PodStatus | undefined): Partial<PodStatus> {
  const { resourceClaimStatuses, extendedResourceClaimStatus } = status ?? {};
  return {
    ...(resourceClaimStatuses && { resourceClaimStatuses }),
    ...(extendedResourceClaimStatus && { extendedResourceClaimStatus }),
  };
}

function nextPhase(input: PodStatusInput, statuses: readonly ContainerStatus[]): PodPhase {
  const { pod, runtime, previous, terminal } = input;
  const [sandbox] = runtime.sandboxes;
  const initialized = pod.spec.containers.some(({ name }) => {
    const newest = latestContainer(runtime, name);
    return (
      newest !== undefined &&
      newest.state !== containerState.created &&
      sandbox !== undefined &&
      newest.createdAt >= sandbox.createdAt
    );
  });
  const phase = phaseOf(pod, statuses, { terminal, initialized });
  // A Pod never leaves a terminal phase.
  const known = ended(pod.status?.phase) ?? ended(phase) ?? ended(previous.phase);
  return known ?? (ends(input) ? "Failed" : phase);
}

/** Upstream leaves static Pods out, whose statuses start anew with their files. Source: status_manager.go TerminatePod. */
function ends({ pod, terminal }: PodStatusInput): boolean {
  return terminal && !isStaticPod(pod);
}

/** What has ended gives its resources to others: not while something runs. Source: status_manager.go mergePodStatus. */
function mayEnd({ runtime, terminal }: PodStatusInput): boolean {
  return terminal || runningContainers(runtime).length === 0;
}

function unended(due: PodPhase, { phase }: PodStatus): PodPhase {
  if (ended(due) === undefined) return due;
  return phase === "Running" ? "Running" : "Pending";
}

function ended(phase: string | undefined): PodPhase | undefined {
  return phase === "Failed" || phase === "Succeeded" ? phase : undefined;
}

function conditionsOf(
  input: PodStatusInput,
  phase: PodPhase,
  statuses: readonly ContainerStatus[],
): PodCondition[] {
  const { pod, runtime } = input;
  const foreign = (pod.status?.conditions ?? []).filter(({ type }) => !isKubeletCondition(type));
  const extra = input.extraConditions ?? [];
  const others = foreign.filter(({ type }) => !extra.some((each) => each.type === type));
  const disruption = input.previous.conditions?.find(({ type }) => type === "DisruptionTarget");
  const kept = disruption && ![...others, ...extra].some(({ type }) => type === disruption.type);
  const sandboxReady = !sandboxNeed(pod, runtime).create;
  return [
    ...others,
    ...extra,
    ...(kept ? [disruption] : []),
    ...kubeletConditions({ pod, statuses, phase, sandboxReady, foreign }),
  ];
}

function addressesOf({ pod, runtime, hostIps, previous }: PodStatusInput): Partial<PodStatus> {
  const [hostIp] = hostIps;
  const ips = isHostNetwork(pod) ? knownIps(previous, hostIps) : runtimeIps(runtime, previous);
  const [ip] = ips;
  return {
    ...(hostIp !== undefined && { hostIP: hostIp, hostIPs: hostIps.map((each) => ({ ip: each })) }),
    ...(ip !== undefined && { podIP: ip, podIPs: ips.map((each) => ({ ip: each })) }),
  };
}

/** The runtime forgets the address with the network; the Pod had it all the same. */
function runtimeIps(runtime: PodRuntime, previous: PodStatus): readonly string[] {
  const ips = podIpsOf(runtime);
  if (ips.length > 0 || readySandbox(runtime) !== undefined) return ips;
  return (previous.podIPs ?? []).map(({ ip }) => ip);
}

/** Addresses of a Pod on the node's network do not change once they are told. */
function knownIps(previous: PodStatus, hostIps: readonly string[]): readonly string[] {
  const told = (previous.podIPs ?? []).map(({ ip }) => ip);
  return told.length > 0 ? told : hostIps;
}
