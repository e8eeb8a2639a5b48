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
}

const none: readonly PodInfo[] = Object.freeze([]);

export function createNominator(): Nominator {
  const byNode = new Map<string, Map<string, PodInfo>>();
  const nodeByUid = new Map<string, string>();

  function remove(uid: string): void {
    const nodeName = nodeByUid.get(uid);
    if (nodeName === undefined) return;
    nodeByUid.delete(uid);
    const pods = byNode.get(nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) byNode.delete(nodeName);
  }

  return {
    nominate(pod, nodeName) {
      remove(pod.uid);
      if (nodeName === "") return;
      const pods = byNode.get(nodeName) ?? new Map<string, PodInfo>();
      pods.set(pod.uid, pod);
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
    on: (nodeName) => byNode.get(nodeName)?.values() ?? none,
  };
}
