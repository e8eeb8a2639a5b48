/** Where a node keeps what belongs to its Pods; the kubelet's own layout below two roots. */
import { join } from "node:path";
import type { Pod } from "#api/core/v1/pod.ts";
import { uidOf } from "./container-list.ts";

export interface NodeDirectories {
  /** Like /var/lib/kubelet. */
  readonly root: string;
  /** On a tmpfs: what must not reach a disk, secrets and tokens. */
  readonly memory: string;
  /** Like /var/log/pods. */
  readonly podLogs: string;
}

export function podDirectory({ root }: NodeDirectories, uid: string): string {
  return join(root, "pods", uid);
}

export function podVolumesDirectory(directories: NodeDirectories, uid: string): string {
  return join(podDirectory(directories, uid), "volumes");
}

/** `plugin` as upstream escapes it: `kubernetes.io~configmap`. */
export function volumeDirectory(
  directories: NodeDirectories,
  uid: string,
  volume: { readonly plugin: string; readonly name: string },
): string {
  return join(podVolumesDirectory(directories, uid), volume.plugin, volume.name);
}

export function containerDirectory(
  directories: NodeDirectories,
  uid: string,
  name: string,
): string {
  return join(podDirectory(directories, uid), "containers", name);
}

/** Source: kuberuntime BuildPodLogsDirectory. */
export function podLogDirectory({ podLogs }: NodeDirectories, pod: Pod): string {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  return join(podLogs, `${namespace}_${name}_${uidOf(pod)}`);
}

/** Of volumes whose files the kubelet writes itself. */
export function memoryVolumesDirectory({ memory }: NodeDirectories, uid: string): string {
  return join(memory, uid);
}

/** Relative to the Pod's log directory. */
export function containerLogPath(containerName: string, restartCount: number): string {
  return join(containerName, `${restartCount}.log`);
}
