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
import { NodeChanges } from "./node-changes.ts";
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

interface Place {
  pod: PodInfo;
  readonly info: NodeInfo;
  assumed: boolean;
}

export function createCluster(): MutableCluster {
  return new SchedulerCluster();
}

class SchedulerCluster implements MutableCluster {
  readonly nodes: (NodeInfo | undefined)[] = [];
  readonly #byName = new Map<string, NodeInfo>();
  readonly #order = createNodeOrder();
  readonly #changes = new NodeChanges();
  /** Indexes of nodes that are gone. */
  readonly #free: number[] = [];
  /** Pods whose node was never seen, or is gone before them. */
  readonly #placeholders = new Map<string, NodeInfo>();
  readonly #places = new Map<string, Place>();
  readonly #imageNodes = new Map<string, number>();
  #epoch = 0;
  #podsWithTerms = 0;

  get nodeCount(): number {
    return this.#byName.size;
  }

  get order(): readonly number[] {
    return this.#order.list();
  }

  node(name: string): NodeInfo | undefined {
    return this.#byName.get(name);
  }

  get sequence(): number {
    return this.#changes.sequence;
  }

  get changedAt(): Float64Array {
    return this.#changes.changedAt;
  }

  forChangedSince(seen: number, tell: (index: number) => void): void {
    this.#changes.forEachSince(seen, tell);
  }

  get epoch(): number {
    return this.#epoch;
  }

  invalidate(): void {
    this.#epoch++;
  }

  nodesWithImage(name: string): number {
    return this.#imageNodes.get(name) ?? 0;
  }

  get podsWithTerms(): number {
    return this.#podsWithTerms;
  }

  pod(uid: string): PodInfo | undefined {
    return this.#places.get(uid)?.pod;
  }

  isAssumed(uid: string): boolean {
    return this.#places.get(uid)?.assumed === true;
  }

  get podCounts(): Cluster["podCounts"] {
    let assumed = 0;
    for (const place of this.#places.values()) if (place.assumed) assumed++;
    return { all: this.#places.size, assumed };
  }

  setNode(node: Node): void {
    const known = this.#byName.get(node.metadata?.name ?? "");
    if (known !== undefined && sameForPlugins(known.node, node)) {
      known.node = node;
      return;
    }
    const info = known ?? this.#appear(node);
    const images = info.images;
    this.#countImages(info, -1);
    setNode(info, node);
    this.#order.add(info.name, info.index, node);
    this.#countImages(info, 1);
    if (!deepEqual([...images], [...info.images])) this.#epoch++;
    if (known === undefined) this.#adopt(info);
    this.#changed(info);
  }

  removeNode(name: string): void {
    const info = this.#byName.get(name);
    if (info === undefined) return;
    this.#countImages(info, -1);
    this.#byName.delete(name);
    this.#order.remove(name);
    this.nodes[info.index] = undefined;
    this.#changed(info);
    this.#free.push(info.index);
    // Sums over nodes are kept by index: nobody tells them that one is gone.
    this.#epoch++;
    const left = [...info.pods.values()];
    for (const pod of left) removePodFrom(info, pod.uid);
    for (const pod of left) this.#move(pod, this.#nodeFor(name));
  }

  addPod(pod: PodInfo): void {
    const place = this.#places.get(pod.uid);
    const name = pod.pod.spec.nodeName ?? "";
    if (place?.info.name !== name || !sameOnNode(place.pod, pod)) {
      this.#take(pod.uid);
      this.#put(pod, this.#nodeFor(name), false);
      return;
    }
    // Nothing that a node could feel: no conclusion about it needs to be drawn again.
    place.assumed = false;
    place.pod = pod;
    place.info.pods.set(pod.uid, pod);
    if (place.info.podsWithTerms.has(pod.uid)) place.info.podsWithTerms.set(pod.uid, pod);
  }

  removePod(uid: string): void {
    this.#take(uid);
  }

  assume(pod: PodInfo, node: NodeInfo): void {
    this.#put(pod, node, true);
  }

  forget(uid: string): void {
    if (this.isAssumed(uid)) this.#take(uid);
  }

  #changed({ index }: NodeInfo): void {
    if (index >= 0) this.#changes.changed(index);
  }

  #countImages(info: NodeInfo, sign: 1 | -1): void {
    for (const name of info.images.keys()) {
      const left = this.nodesWithImage(name) + sign;
      if (left > 0) this.#imageNodes.set(name, left);
      else this.#imageNodes.delete(name);
    }
  }

  #appear(node: Node): NodeInfo {
    const name = node.metadata?.name ?? "";
    const index = this.#free.pop() ?? this.nodes.length;
    const info = createNodeInfo(index, name);
    this.nodes[index] = info;
    this.#byName.set(name, info);
    // Shares of images are shares of all nodes.
    if (this.#imageNodes.size > 0) this.#epoch++;
    return info;
  }

  /** Takes over the pods that were waiting for the node. */
  #adopt(info: NodeInfo): void {
    const waiting = this.#placeholders.get(info.name);
    this.#placeholders.delete(info.name);
    for (const pod of waiting?.pods.values() ?? []) this.#move(pod, info);
  }

  /** A pod that is off its node already; its terms stay counted. */
  #move(pod: PodInfo, info: NodeInfo): void {
    addPodTo(info, pod);
    this.#places.set(pod.uid, { pod, info, assumed: this.isAssumed(pod.uid) });
  }

  #put(pod: PodInfo, info: NodeInfo, assumed: boolean): void {
    this.#places.set(pod.uid, { pod, info, assumed });
    addPodTo(info, pod);
    this.#countTerms(info, pod, 1);
    this.#changed(info);
  }

  #take(uid: string): void {
    const place = this.#places.get(uid);
    if (place === undefined) return;
    this.#places.delete(uid);
    this.#countTerms(place.info, place.pod, -1);
    removePodFrom(place.info, uid);
    this.#changed(place.info);
    if (place.info.index < 0 && place.info.pods.size === 0) this.#placeholders.delete(place.info.name);
  }

  /** Whether any pod has terms decides whether plugins look at all: see `epoch`. */
  #countTerms(info: NodeInfo, pod: PodInfo, sign: 1 | -1): void {
    if (!info.podsWithTerms.has(pod.uid)) return;
    const before = this.#podsWithTerms;
    this.#podsWithTerms += sign;
    if (before === 0 || this.#podsWithTerms === 0) this.#epoch++;
  }

  #nodeFor(name: string): NodeInfo {
    const known = this.#byName.get(name) ?? this.#placeholders.get(name);
    if (known !== undefined) return known;
    const placeholder = createNodeInfo(-1, name);
    this.#placeholders.set(name, placeholder);
    return placeholder;
  }
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
