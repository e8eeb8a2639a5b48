/** A Pod with what the scheduler reads of it again and again, read once. */
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Labels } from "#apimachinery/label-requirement.ts";
import { type AffinityTerms, affinityTermsOf } from "./affinity-term.ts";
import { requiredFeatures } from "./plugins/node-declared-features/required-features.ts";
import { type PodRequests, podRequestsOf } from "./pod-requests.ts";

export interface HostPort {
  /** "" and `0.0.0.0` are the same: every address. */
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

export interface PodInfo {
  readonly pod: Pod;
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly priority: number;
  readonly requests: PodRequests;
  readonly hostPorts: readonly HostPort[];
  readonly terms: AffinityTerms;
  /** Equal for pods that every node looks the same to. */
  readonly classKey: string;
  /** On its way out, by its deletion. */
  readonly terminating: boolean;
}

const noLabels: Labels = Object.freeze({});
const noPorts: readonly HostPort[] = Object.freeze([]);

export function podInfoOf(pod: Pod): PodInfo {
  return new PodReading(pod);
}

/** A class for the sake of memory: there is one for each Pod, and a literal with a getter takes a kilobyte. */
class PodReading implements PodInfo {
  readonly pod: Pod;
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly priority: number;
  readonly requests: PodRequests;
  readonly hostPorts: readonly HostPort[];
  readonly terms: AffinityTerms;
  readonly terminating: boolean;
  #classKey: string | undefined;

  constructor(pod: Pod) {
    const { metadata, spec } = pod;
    this.pod = pod;
    this.namespace = metadata?.namespace ?? "";
    this.name = metadata?.name ?? "";
    this.key = `${this.namespace}/${this.name}`;
    this.uid = metadata?.uid ?? "";
    this.labels = metadata?.labels ?? noLabels;
    this.priority = spec.priority ?? 0;
    this.requests = podRequestsOf(pod);
    this.hostPorts = hostPortsOf(pod);
    this.terms = affinityTermsOf(pod);
    this.terminating = metadata?.deletionTimestamp !== undefined;
  }

  get classKey(): string {
    return (this.#classKey ??= classKeyOf(this.pod));
  }
}

export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  let ports: HostPort[] | undefined;
  const collect = (container: Container): void => {
    for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
      if (!hostPort) continue;
      (ports ??= []).push({ ip: hostIP || "0.0.0.0", protocol: protocol || "TCP", port: hostPort });
    }
  };
  for (const container of spec.containers) collect(container);
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") collect(container);
  }
  return ports ?? noPorts;
}

/** Everything of a Pod that decides about nodes; names, and volumes without a place, do not. */
function classKeyOf(pod: Pod): string {
  const { metadata, spec } = pod;
  const containers = (list: readonly Container[] | undefined) =>
    list?.map(({ image, resources, ports, restartPolicy }) => [image, resources?.requests, ports, restartPolicy]);
  return JSON.stringify([
    metadata?.namespace,
    metadata?.labels,
    metadata?.ownerReferences?.find(({ controller }) => controller)?.uid,
    spec.schedulerName,
    spec.priority,
    spec.nodeName,
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.topologySpreadConstraints,
    containers(spec.containers),
    containers(spec.initContainers),
    spec.resources?.requests,
    spec.overhead,
    spec.hostNetwork,
    requiredFeatures(pod),
  ]);
}

/** Done for good: takes nothing of its node any more. */
export function isTerminal(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase === "Succeeded" || phase === "Failed";
}
