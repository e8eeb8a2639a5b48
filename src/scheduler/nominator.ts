/** Pods that wait for room on a node that others were preempted from. */
import type { PodInfo } from "./pod-info.ts";

export interface Nominator {
  /** Moves the pod when it was nominated elsewhere; "" takes it away. */
  nominate(pod: PodInfo, nodeName: string): void;
  remove(uid: string): void;
  nodeOf(uid: string): string | undefined;
  /** Nodes with at least one nominated pod. */
  readonly nodeNames: Iterable<string>;
  readonly size: number;
  on(nodeName: string): Iterable<PodInfo>;
  /** Grows with each change of what is nominated to a node. */
  versionOf(nodeName: string): number;
}

const none: readonly PodInfo[] = Object.freeze([]);

export function createNominator(): Nominator {
  const byNode = new Map<string, Map<string, PodInfo>>();
  const nodeByUid = new Map<string, string>();
  const versions = new Map<string, number>();
  let version = 0;

  function remove(uid: string): void {
    const nodeName = nodeByUid.get(uid);
    if (nodeName === undefined) return;
    nodeByUid.delete(uid);
    const pods = byNode.get(nodeName);
    pods?.delete(uid);
    versions.set(nodeName, ++version);
    if (pods?.size === 0) byNode.delete(nodeName);
  }

  return {
    nominate(pod, nodeName) {
      remove(pod.uid);
      if (nodeName === "") return;
      const pods = byNode.get(nodeName) ?? new Map<string, PodInfo>();
      pods.set(pod.uid, pod);
      versions.set(nodeName, ++version);
      byNode.set(nodeName, pods);
      nodeByUid.set(pod.uid, nodeName);
    },
    remove,
    nodeOf: (uid) => nodeByUid.get(uid),
    get nodeNames() {
      return byNode.keys();
    },
    get size() {
      return nodeByUid.size;
    },
    versionOf: (nodeName) => versions.get(nodeName) ?? 0,
    on: (nodeName) => byNode.get(nodeName)?.values() ?? none,
  };
}
