/** Keeps cluster and queue up to what the API server tells. Source: eventhandlers.go. */
import { type Namespace, namespaces } from "#api/core/v1/namespace.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { replicaSets } from "#api/apps/v1/replica-set.ts";
import { statefulSets } from "#api/apps/v1/stateful-set.ts";
import { replicationControllers } from "#api/core/v1/replication-controller.ts";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { services } from "#api/core/v1/service.ts";
import { deviceClasses } from "#api/resource/v1/device-class.ts";
import { resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { resourceSlices } from "#api/resource/v1/resource-slice.ts";
import { podGroups } from "#api/scheduling/v1alpha2/pod-group.ts";
import { csiDrivers } from "#api/storage/v1/csi-driver.ts";
import { csiNodes } from "#api/storage/v1/csi-node.ts";
import { csiStorageCapacities } from "#api/storage/v1/csi-storage-capacity.ts";
import { storageClasses } from "#api/storage/v1/storage-class.ts";
import { volumeAttachments } from "#api/storage/v1/volume-attachment.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { ResourceTarget } from "#client/client.ts";
import type { Handlers } from "#client/informer.ts";
import type { Informers } from "#client/informer-factory.ts";
import { type EventName, nodeEvents, podEvents, type StorageResource } from "./cluster-events.ts";
import type { MutableCluster } from "./cluster.ts";
import type { Nominator } from "./nominator.ts";
import { isTerminal, type PodInfo, podInfoOf } from "./pod-info.ts";
import type { ProfileRuntime } from "./profile-runtime.ts";
import type { Queue } from "./queue.ts";
import type { WaitingPods } from "./waiting-pods.ts";
import type { Explanations } from "./why.ts";

export interface FollowOptions {
  readonly informers: Informers;
  readonly lifetime: Lifetime;
  readonly cluster: MutableCluster;
  readonly queue: Queue;
  readonly nominator: Nominator;
  readonly explanations: Explanations;
  readonly waiting: WaitingPods;
  /** Whether pod groups are served. */
  readonly groups: boolean;
  readonly runtimeOf: (pod: Pod) => ProfileRuntime | undefined;
}

export function followCluster(options: FollowOptions): { readonly synced: Promise<void> } {
  const { informers, lifetime } = options;
  const nodeInformer = informers.of(nodes);
  const podInformer = informers.of(pods);
  const namespaceInformer = informers.of(namespaces);
  lifetime.use(nodeInformer.subscribe(nodeHandlers(options)));
  lifetime.use(podInformer.subscribe(podHandlers(options)));
  lifetime.use(namespaceInformer.subscribe(namespaceHandlers(options)));
  // Others' informers of the process are none of ours to wait for.
  const own = [nodeInformer.synced(), podInformer.synced(), namespaceInformer.synced()];
  const follow = (definition: ResourceTarget, handlers: Handlers<KubeObject>): void => {
    const informer = informers.dynamic(definition);
    own.push(informer.synced());
    lifetime.use(informer.subscribe(handlers));
  };
  for (const definition of kinDefinitions) follow(definition, kinHandlers(options.cluster));
  const watched = options.groups ? [...watchedResources, ...groupResources] : watchedResources;
  for (const [resource, definition] of watched) {
    follow(definition, resourceHandlers(resource, options.queue));
  }
  return { synced: Promise.all(own).then(() => undefined) };
}

function nodeHandlers({ cluster, queue }: FollowOptions) {
  return {
    onAdd(node: Node): void {
      cluster.setNode(node);
      queue.happened({ name: "Node/add", object: node });
    },
    onUpdate(node: Node, old: Node): void {
      cluster.setNode(node);
      for (const name of nodeEvents(node, old)) queue.happened({ name, object: node, old });
    },
    onDelete(node: Node): void {
      cluster.removeNode(node.metadata?.name ?? "");
      queue.happened({ name: "Node/delete", object: node });
    },
  };
}

function podHandlers(options: FollowOptions) {
  const { cluster, queue, nominator, explanations, runtimeOf } = options;

  const assigned = (pod: Pod): boolean => (pod.spec.nodeName ?? "") !== "" && !isTerminal(pod);
  const waiting = (pod: Pod): boolean =>
    (pod.spec.nodeName ?? "") === "" && !isTerminal(pod) && runtimeOf(pod) !== undefined;

  function assign(pod: Pod, old: Pod | undefined): void {
    const info = podInfoOf(pod);
    const before = cluster.pod(info.uid);
    const expected = cluster.isAssumed(info.uid);
    cluster.addPod(info);
    nominator.remove(info.uid);
    if (!expected) queue.remove(info.uid);
    if (old === undefined || !assigned(old)) {
      queue.happened({ name: "AssignedPod/add", object: pod });
    } else if (before !== undefined) {
      tell(podEvents("AssignedPod", info, before), pod, old);
    }
  }

  function tell(names: readonly EventName[], pod: Pod, old: Pod): void {
    for (const name of names) queue.happened({ name, object: pod, old });
  }

  function release(pod: Pod): void {
    cluster.removePod(pod.metadata?.uid ?? "");
    queue.happened({ name: "AssignedPod/delete", object: pod });
  }

  function wait(pod: Pod, old: Pod | undefined): void {
    const info = podInfoOf(pod);
    if (cluster.isAssumed(info.uid)) return;
    if (old === undefined || !waiting(old)) {
      queue.add(info);
      queue.happened({ name: "Pod/add", object: pod });
    } else {
      const names = podEvents("Pod", info, podInfoOf(old));
      queue.update(
        info,
        names.map((name) => ({ name, object: pod, old })),
      );
    }
    const nominated = pod.status?.nominatedNodeName ?? "";
    // What was decided here stands until the API server has heard of it.
    const unheard = nominated === (old?.status?.nominatedNodeName ?? "") && nominated === "";
    nominator.nominate(info, unheard ? (nominator.nodeOf(info.uid) ?? "") : nominated);
  }

  function stopWaiting(info: PodInfo): void {
    queue.remove(info.uid);
    options.waiting.get(info.uid)?.reject("", "removed");
    const held = nominator.nodeOf(info.uid) !== undefined;
    nominator.remove(info.uid);
    // Room that was kept for it is free again.
    if (held) queue.happened({ name: "AssignedPod/delete", object: info.pod });
  }

  return {
    onAdd(pod: Pod): void {
      if (assigned(pod)) assign(pod, undefined);
      else if (waiting(pod)) wait(pod, undefined);
    },
    onUpdate(pod: Pod, old: Pod): void {
      if (assigned(pod)) return assign(pod, old);
      if (assigned(old)) return release(old);
      if (waiting(pod)) wait(pod, old);
      else if (waiting(old)) stopWaiting(podInfoOf(old));
    },
    onDelete(pod: Pod): void {
      explanations.forget(`${pod.metadata?.namespace}/${pod.metadata?.name}`);
      if (assigned(pod)) release(pod);
      else if (waiting(pod)) stopWaiting(podInfoOf(pod));
    },
  };
}

/** What else plugins read: a change may help a pod that they refused. */
const watchedResources: readonly (readonly [StorageResource, ResourceTarget])[] = [
  ["PersistentVolume", persistentVolumes],
  ["PersistentVolumeClaim", persistentVolumeClaims],
  ["StorageClass", storageClasses],
  ["CSINode", csiNodes],
  ["CSIDriver", csiDrivers],
  ["CSIStorageCapacity", csiStorageCapacities],
  ["VolumeAttachment", volumeAttachments],
  ["ResourceClaim", resourceClaims],
  ["ResourceSlice", resourceSlices],
  ["DeviceClass", deviceClasses],
];

const groupResources: typeof watchedResources = [["PodGroup", podGroups]];

function resourceHandlers(resource: StorageResource, queue: Queue) {
  return {
    onAdd: (object: KubeObject) => queue.happened({ name: `${resource}/add`, object }),
    onUpdate: (object: KubeObject, old: KubeObject) => queue.happened({ name: `${resource}/update`, object, old }),
    onDelete: (object: KubeObject) => queue.happened({ name: `${resource}/delete`, object }),
  };
}

/** They say which pods belong together: see the default constraints of PodTopologySpread. */
const kinDefinitions = [services, replicationControllers, replicaSets, statefulSets];

function kinHandlers(cluster: MutableCluster) {
  const selectorOf = (object: KubeObject): unknown =>
    (object as { readonly spec?: { readonly selector?: unknown } }).spec?.selector;
  return {
    onAdd: () => cluster.invalidate(),
    onUpdate(object: KubeObject, old: KubeObject): void {
      if (!deepEqual(selectorOf(object), selectorOf(old))) cluster.invalidate();
    },
    onDelete: () => cluster.invalidate(),
  };
}

/** Labels of namespaces decide what terms of affinity mean. */
function namespaceHandlers({ cluster, queue }: FollowOptions) {
  return {
    onAdd(namespace: Namespace): void {
      cluster.invalidate();
      queue.happened({ name: "Namespace/add", object: namespace });
    },
    onUpdate(namespace: Namespace, old: Namespace): void {
      if (deepEqual(namespace.metadata?.labels, old.metadata?.labels)) return;
      cluster.invalidate();
      queue.happened({ name: "Namespace/update-label", object: namespace, old });
    },
  };
}
