/**
 * Changes in the cluster, named as upstream's ClusterEvents: resource and what changed of it.
 * Source: k8s.io/kube-scheduler/framework events.go.
 */
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { PodInfo } from "./pod-info.ts";

export type StorageResource =
  | "PersistentVolume"
  | "PersistentVolumeClaim"
  | "StorageClass"
  | "CSINode"
  | "CSIDriver"
  | "CSIStorageCapacity"
  | "VolumeAttachment"
  | "ResourceClaim"
  | "ResourceSlice"
  | "DeviceClass"
  | "Workload"
  | "PodGroup";

export type EventName =
  | "Node/add"
  | "Node/update-allocatable"
  | "Node/update-label"
  | "Node/update-taint"
  | "Node/update-annotation"
  | "Node/update-condition"
  | "Node/update-features"
  | "Node/delete"
  | "AssignedPod/add"
  | "AssignedPod/update-label"
  | "AssignedPod/update-scale-down"
  | "AssignedPod/update-claims"
  | "AssignedPod/delete"
  | "Pod/update-label"
  | "Pod/update-scale-down"
  | "Pod/update-toleration"
  | "Pod/update-gates"
  | "Pod/update-claims"
  | "Pod/add"
  | "Namespace/add"
  | "Namespace/update-label"
  | `${StorageResource}/${"add" | "update" | "delete"}`
  | "ForceActivate"
  | "UnschedulableTimeout";

export interface ClusterEvent {
  readonly name: EventName;
  readonly object?: KubeObject;
  readonly old?: KubeObject;
}

export interface EventHint {
  readonly on: EventName;
  /** False: this change cannot help this pod. */
  readonly helps: (event: ClusterEvent, pod: PodInfo) => boolean;
}

/** What changed from `old` to `node`, as events. Heartbeats are none. */
export function nodeEvents(node: Node, old: Node): EventName[] {
  const events: EventName[] = [];
  const differs = (a: unknown, b: unknown): boolean => a !== b && !deepEqual(a, b);
  if (differs(node.status?.allocatable, old.status?.allocatable)) events.push("Node/update-allocatable");
  if (differs(node.metadata?.labels, old.metadata?.labels)) events.push("Node/update-label");
  const unschedulable = (node.spec.unschedulable ?? false) !== (old.spec.unschedulable ?? false);
  if (unschedulable || differs(node.spec.taints, old.spec.taints)) events.push("Node/update-taint");
  if (differs(statusesOf(node), statusesOf(old))) events.push("Node/update-condition");
  if (differs(node.metadata?.annotations, old.metadata?.annotations)) events.push("Node/update-annotation");
  if (differs(node.status?.declaredFeatures, old.status?.declaredFeatures)) events.push("Node/update-features");
  return events;
}

function statusesOf({ status }: Node): readonly string[] {
  return (status?.conditions ?? []).map(({ type, status: is }) => `${type}=${is}`);
}

/** What changed of a pod itself. `where`: on a node, or waiting for one. */
export function podEvents(where: "AssignedPod" | "Pod", next: PodInfo, old: PodInfo): EventName[] {
  const events: EventName[] = [];
  if (!deepEqual(next.labels, old.labels)) events.push(`${where}/update-label`);
  if (scaledDown(next, old)) events.push(`${where}/update-scale-down`);
  if (!deepEqual(claimsOf(next.pod), claimsOf(old.pod))) events.push(`${where}/update-claims`);
  if (where === "AssignedPod") return events;
  const { spec } = next.pod;
  if (!deepEqual(spec.tolerations, old.pod.spec.tolerations)) events.push("Pod/update-toleration");
  const gates = spec.schedulingGates?.length ?? 0;
  if (gates === 0 && (old.pod.spec.schedulingGates?.length ?? 0) > 0) events.push("Pod/update-gates");
  return events;
}

function claimsOf({ status }: Pod): unknown {
  return [status?.resourceClaimStatuses, status?.extendedResourceClaimStatus];
}

function scaledDown(next: PodInfo, old: PodInfo): boolean {
  const { columns, values } = old.requests.amounts;
  const after = next.requests.amounts;
  return columns.some((column, i) => {
    const at = after.columns.indexOf(column);
    return (at < 0 ? 0 : (after.values[at] as number)) < (values[i] as number);
  });
}
