/**
 * The scheduler's view of nodes and of the pods on them, kept by watch events and by its own
 * decisions before the API server tells of them. Source: pkg/scheduler/backend/cache.
 *
 * Invariants: 1. A pod is on one node at most. 2. An assumed pod stays until its binding is seen
 * (`addPod`), undone (`forget`), or the pod goes (`removePod`). 3. Whatever a plugin could notice
 * of a node raises `changedAt` of it to a new `sequence`. 4. `epoch` grows when something changed
 * that no single node tells: all that was concluded before is void.
 */
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { addPodTo, createNodeInfo, type NodeInfo, removePodFrom, setNode } from "./node-info.ts";
import { createNodeOrder } from "./node-order.ts";
import type { PodInfo } from "./pod-info.ts";

export interface Cluster {
  /** By index, with holes. */
  readonly nodes: readonly (NodeInfo | undefined)[];
  /** Nodes that exist. */
  readonly nodeCount: number;
  /** Their indexes, as they are to be tried: zones take turns. */
  readonly order: readonly number[];
  node(name: string): NodeInfo | undefined;
  readonly sequence: number;
  /** By index of a node: the `sequence` of its last change. */
  readonly changedAt: Float64Array;
  /** Calls `tell` with the index of every node that changed after `sequence`, each once. */
  forChangedSince(sequence: number, tell: (index: number) => void): void;
  readonly epoch: number;
  invalidate(): void;
  /** How many nodes have an image. */
  nodesWithImage(name: string): number;
  /** Pods on nodes that have terms of (anti-)affinity. */
  readonly podsWithTerms: number;
  /** Pods on nodes with host ports, claims and all: the newest state by uid. */
  pod(uid: string): PodInfo | undefined;
  isAssumed(uid: string): boolean;
  /** Pods on nodes; those of them whose binding is not seen yet. Counted when asked. */
  readonly podCounts: { readonly all: number; readonly assumed: number };
}

export interface MutableCluster extends Cluster {
  setNode(node: Node): void;
  removeNode(name: string): void;
  /** A pod that the API server shows on a node; again for each new state. */
  addPod(pod: PodInfo): void;
  removePod(uid: string): void;
  /** Puts a pod on a node before its binding is written. */
  assume(pod: PodInfo, node: NodeInfo): void;
  /** Takes an assumed pod off again; does nothing for one that is there for good. */
  forget(uid: string): void;
}

/** Changes that are remembered one by one. */
const latestMax = 1024;

interface Place {
  pod: PodInfo;
  readonly info: NodeInfo;
  assumed: boolean;
}

export function createCluster(): MutableCluster {
  const nodes: (NodeInfo | undefined)[] = [];
  const byName = new Map<string, NodeInfo>();
  const order = createNodeOrder();
  /** Pods whose node was never seen, or is gone before them. */
  const placeholders = new Map<string, NodeInfo>();
  const places = new Map<string, Place>();
  const free: number[] = [];
  const imageNodes = new Map<string, number>();
  let changedAt = new Float64Array(64);
  /** Nodes of the newest changes, by sequence. */
  const latest = new Int32Array(latestMax);
  let sequence = 0;
  let epoch = 0;
  let podsWithTerms = 0;

  function changed(info: NodeInfo): void {
    if (info.index < 0) return;
    changedAt[info.index] = ++sequence;
    latest[sequence % latestMax] = info.index;
  }

  function countImages(info: NodeInfo, sign: 1 | -1): void {
    for (const name of info.images.keys()) {
      const left = (imageNodes.get(name) ?? 0) + sign;
      if (left > 0) imageNodes.set(name, left);
      else imageNodes.delete(name);
    }
  }

  function appear(node: Node): NodeInfo {
    const name = node.metadata?.name ?? "";
    const index = free.pop() ?? nodes.length;
    if (index >= changedAt.length) {
      const larger = new Float64Array(changedAt.length * 2);
      larger.set(changedAt);
      changedAt = larger;
    }
    const info = createNodeInfo(index, name);
    nodes[index] = info;
    byName.set(name, info);
    // Shares of images are shares of all nodes.
    if (imageNodes.size > 0) epoch++;
    return info;
  }

  function adopt(info: NodeInfo): void {
    const waiting = placeholders.get(info.name);
    placeholders.delete(info.name);
    for (const pod of waiting?.pods.values() ?? []) {
      addPodTo(info, pod);
      const place = places.get(pod.uid);
      places.set(pod.uid, { pod, info, assumed: place?.assumed ?? false });
    }
  }

  function put(pod: PodInfo, info: NodeInfo, assumed: boolean): void {
    places.set(pod.uid, { pod, info, assumed });
    addPodTo(info, pod);
    countTerms(info, pod, 1);
    changed(info);
  }

  function take(uid: string): void {
    const place = places.get(uid);
    if (place === undefined) return;
    places.delete(uid);
    countTerms(place.info, place.pod, -1);
    removePodFrom(place.info, uid);
    changed(place.info);
    if (place.info.index < 0 && place.info.pods.size === 0) placeholders.delete(place.info.name);
  }

  /** Whether any pod has terms decides whether plugins look at all: see `epoch`. */
  function countTerms(info: NodeInfo, pod: PodInfo, sign: 1 | -1): void {
    if (!info.podsWithTerms.has(pod.uid)) return;
    const before = podsWithTerms;
    podsWithTerms += sign;
    if (before === 0 || podsWithTerms === 0) epoch++;
  }

  function nodeFor(name: string): NodeInfo {
    const known = byName.get(name) ?? placeholders.get(name);
    if (known !== undefined) return known;
    const placeholder = createNodeInfo(-1, name);
    placeholders.set(name, placeholder);
    return placeholder;
  }

  return {
    nodes,
    get nodeCount() {
      return byName.size;
    },
    get order() {
      return order.list();
    },
    node: (name) => byName.get(name),
    get sequence() {
      return sequence;
    },
    get changedAt() {
      return changedAt;
    },
    forChangedSince(seen, tell) {
      if (sequence - seen <= latestMax) {
        for (let at = seen + 1; at <= sequence; at++) {
          const index = latest[at % latestMax] as number;
          if (changedAt[index] === at) tell(index);
        }
        return;
      }
      for (let index = 0; index < nodes.length; index++) {
        if ((changedAt[index] as number) > seen) tell(index);
      }
    },
    get epoch() {
      return epoch;
    },
    invalidate: () => void epoch++,
    nodesWithImage: (name) => imageNodes.get(name) ?? 0,
    get podsWithTerms() {
      return podsWithTerms;
    },
    pod: (uid) => places.get(uid)?.pod,
    isAssumed: (uid) => places.get(uid)?.assumed === true,
    get podCounts() {
      let assumed = 0;
      for (const place of places.values()) if (place.assumed) assumed++;
      return { all: places.size, assumed };
    },
    setNode(node) {
      const known = byName.get(node.metadata?.name ?? "");
      if (known !== undefined && sameForPlugins(known.node, node)) {
        known.node = node;
        return;
      }
      const info = known ?? appear(node);
      const images = info.images;
      countImages(info, -1);
      setNode(info, node);
      order.add(info.name, info.index, node);
      countImages(info, 1);
      if (!deepEqual([...images], [...info.images])) epoch++;
      if (known === undefined) adopt(info);
      changed(info);
    },
    removeNode(name) {
      const info = byName.get(name);
      if (info === undefined) return;
      countImages(info, -1);
      byName.delete(name);
      order.remove(name);
      nodes[info.index] = undefined;
      changed(info);
      free.push(info.index);
      // Sums over nodes are kept by index: nobody tells them that one is gone.
      epoch++;
      const left = [...info.pods.values()];
      for (const { uid } of left) removePodFrom(info, uid);
      for (const pod of left) {
        const placeholder = nodeFor(name);
        addPodTo(placeholder, pod);
        places.set(pod.uid, {
          pod,
          info: placeholder,
          assumed: places.get(pod.uid)?.assumed ?? false,
        });
      }
    },
    addPod(pod) {
      const place = places.get(pod.uid);
      const name = pod.pod.spec.nodeName ?? "";
      if (place?.info.name !== name || !sameOnNode(place.pod, pod)) {
        take(pod.uid);
        put(pod, nodeFor(name), false);
        return;
      }
      // Nothing that a node could feel: no conclusion about it needs to be drawn again.
      place.assumed = false;
      place.pod = pod;
      place.info.pods.set(pod.uid, pod);
      if (place.info.podsWithTerms.has(pod.uid)) place.info.podsWithTerms.set(pod.uid, pod);
    },
    removePod: take,
    assume: (pod, node) => put(pod, node, true),
    forget(uid) {
      if (places.get(uid)?.assumed === true) take(uid);
    },
  };
}

/** Heartbeats and other news that no plugin reads. */
function sameForPlugins(a: Node, b: Node): boolean {
  return (
    deepEqual(a.spec, b.spec) &&
    deepEqual(a.metadata?.labels, b.metadata?.labels) &&
    deepEqual(a.metadata?.annotations, b.metadata?.annotations) &&
    deepEqual(a.status?.allocatable, b.status?.allocatable) &&
    deepEqual(a.status?.images, b.status?.images) &&
    deepEqual(a.status?.declaredFeatures, b.status?.declaredFeatures)
  );
}

function sameOnNode(a: PodInfo, b: PodInfo): boolean {
  return (
    a.terminating === b.terminating &&
    deepEqual(a.requests, b.requests) &&
    deepEqual(a.labels, b.labels) &&
    sameVolumes(a.pod, b.pod)
  );
}

function sameVolumes(a: Pod, b: Pod): boolean {
  return a.spec.volumes === b.spec.volumes || deepEqual(a.spec.volumes, b.spec.volumes);
}
