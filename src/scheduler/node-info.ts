/** A node, and what the pods on it take. Mutable: owned by `Cluster`; plugins only read. */
import type { Node, Taint } from "#api/core/v1/node.ts";
import type { Labels } from "#apimachinery/label-requirement.ts";
import type { HostPort, PodInfo } from "./pod-info.ts";
import { addAmounts, amountOf, baseColumns, columnOf, grown } from "./resource-vector.ts";

export interface NodeInfo {
  readonly name: string;
  /** Its column in every table of nodes; given to another node once this one is gone. */
  readonly index: number;
  /** The Node object; placeholders for nodes not seen yet are never shown to plugins. */
  node: Node;
  labels: Labels;
  taints: readonly Taint[];
  /** By uid. */
  readonly pods: Map<string, PodInfo>;
  /** Of `pods`: those with terms of (anti-)affinity, by uid. */
  readonly podsWithTerms: Map<string, PodInfo>;
  /** `protocol/port` to address to number of pods that use it. */
  readonly hostPorts: Map<string, Map<string, number>>;
  /** By column; columns beyond the end are zero. */
  allocatable: Float64Array;
  requested: Float64Array;
  podsMax: number;
  nonZeroMilliCpu: number;
  nonZeroMemoryBytes: number;
  /** Size by name. */
  images: ReadonlyMap<string, number>;
}

const noLabels: Labels = Object.freeze({});
const noTaints: readonly Taint[] = Object.freeze([]);

export function createNodeInfo(index: number, name: string): NodeInfo {
  return {
    name,
    index,
    node: { metadata: { name }, spec: {} } as Node,
    labels: noLabels,
    taints: noTaints,
    pods: new Map(),
    podsWithTerms: new Map(),
    hostPorts: new Map(),
    allocatable: new Float64Array(baseColumns),
    requested: new Float64Array(baseColumns),
    podsMax: 0,
    nonZeroMilliCpu: 0,
    nonZeroMemoryBytes: 0,
    images: new Map(),
  };
}

export function setNode(info: NodeInfo, node: Node): void {
  const allocatable = node.status?.allocatable ?? {};
  let vector = new Float64Array(baseColumns);
  for (const [name, quantity] of Object.entries(allocatable)) {
    if (name === "pods") continue;
    const column = columnOf(name);
    vector = grown(vector, column) as Float64Array<ArrayBuffer>;
    vector[column] = amountOf(name, quantity);
  }
  info.node = node;
  info.labels = node.metadata?.labels ?? noLabels;
  info.taints = node.spec.taints ?? noTaints;
  info.allocatable = vector;
  info.podsMax = amountOf("pods", allocatable.pods ?? "0");
  if (node.status?.images !== undefined || info.images.size > 0) info.images = imagesOf(node);
}

function imagesOf(node: Node): Map<string, number> {
  const images = new Map<string, number>();
  for (const { names, sizeBytes } of node.status?.images ?? []) {
    for (const name of names ?? []) images.set(name, Number(sizeBytes ?? 0));
  }
  return images;
}

export function addPodTo(info: NodeInfo, pod: PodInfo): void {
  info.pods.set(pod.uid, pod);
  if (hasTerms(pod)) info.podsWithTerms.set(pod.uid, pod);
  count(info, pod, 1);
}

export function removePodFrom(info: NodeInfo, uid: string): PodInfo | undefined {
  const pod = info.pods.get(uid);
  if (pod === undefined) return undefined;
  info.pods.delete(uid);
  info.podsWithTerms.delete(uid);
  count(info, pod, -1);
  return pod;
}

function hasTerms({ terms }: PodInfo): boolean {
  return (
    terms.requiredAffinity.length > 0 ||
    terms.requiredAntiAffinity.length > 0 ||
    terms.preferredAffinity.length > 0 ||
    terms.preferredAntiAffinity.length > 0
  );
}

function count(info: NodeInfo, { requests, hostPorts }: PodInfo, sign: 1 | -1): void {
  info.requested = addAmounts(info.requested, requests.amounts, sign);
  info.nonZeroMilliCpu += sign * requests.nonZeroMilliCpu;
  info.nonZeroMemoryBytes += sign * requests.nonZeroMemoryBytes;
  for (const port of hostPorts) countPort(info, port, sign);
}

function countPort({ hostPorts }: NodeInfo, { ip, protocol, port }: HostPort, sign: 1 | -1): void {
  const key = `${protocol}/${port}`;
  const users = hostPorts.get(key) ?? new Map<string, number>();
  const left = (users.get(ip) ?? 0) + sign;
  if (left > 0) users.set(ip, left);
  else users.delete(ip);
  if (users.size > 0) hostPorts.set(key, users);
  else hostPorts.delete(key);
}

/** Also a use of another address counts when either of the two is every address. */
export function portInUse({ hostPorts }: NodeInfo, { ip, protocol, port }: HostPort): boolean {
  const users = hostPorts.get(`${protocol}/${port}`);
  if (users === undefined) return false;
  return ip === "0.0.0.0" || users.has(ip) || users.has("0.0.0.0");
}

/** A copy to try pods on; the original stays as it is. */
export function supposedNode(info: NodeInfo): NodeInfo {
  const hostPorts = new Map([...info.hostPorts].map(([key, users]) => [key, new Map(users)]));
  return {
    ...info,
    pods: new Map(info.pods),
    podsWithTerms: new Map(info.podsWithTerms),
    hostPorts,
    requested: info.requested.slice(),
  };
}
