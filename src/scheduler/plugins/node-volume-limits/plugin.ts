import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { csiNodes } from "#api/storage/v1/csi-node.ts";
import { storageClasses } from "#api/storage/v1/storage-class.ts";
import { volumeAttachments } from "#api/storage/v1/volume-attachment.ts";
import { attachmentsByNode } from "#client/shared-indexes.ts";
import { type Context, definePlugin, unschedulable } from "../../framework.ts";
import type { Listers } from "../../listers.ts";
import type { NodeInfo } from "../../node-info.ts";
import { hasPlacedVolumes, podClaimsOf, storageClassOf } from "../../pod-claims.ts";
import type { PodInfo } from "../../pod-info.ts";

const refusal = unschedulable("node(s) exceed max volume count");

/** Keeps to the number of volumes that CSI drivers can attach. Source: scheduler NodeVolumeLimits. */
export const nodeVolumeLimits = definePlugin({
  name: "NodeVolumeLimits",
  unique: hasPlacedVolumes,
  enqueueOn: [
    "CSINode/add",
    "CSINode/update",
    "AssignedPod/delete",
    "PersistentVolumeClaim/add",
    "PersistentVolumeClaim/update",
    "VolumeAttachment/delete",
  ],
  filter(pod, context) {
    const wanted = volumesOf(pod, context.listers);
    if (wanted.size === 0) return undefined;
    const grouped = byDriver(wanted);
    return { check: (node) => (withinLimits(grouped, node, context) ? undefined : refusal) };
  },
});

/** Driver by the name that tells a volume from all others. */
type Volumes = ReadonlyMap<string, string>;

/** Of pods whose claims all have volumes of drivers: that never changes. */
const settled = new WeakMap<PodInfo, Volumes>();

function volumesOf(pod: PodInfo, listers: Listers): Volumes {
  const known = settled.get(pod);
  if (known !== undefined) return known;
  const claims = podClaimsOf(pod);
  let open = false;
  const volumes = new Map<string, string>();
  for (const { key } of claims) {
    const claim = listers.of(persistentVolumeClaims).get(key);
    open ||= claim === undefined;
    if (claim === undefined) continue;
    const volume = listers.of(persistentVolumes).get(claim.spec.volumeName ?? "");
    const csi = volume?.spec.csi;
    if (csi) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
    else if (volume === undefined) {
      open = true;
      // Not made yet: it will be a volume of its own.
      const driver = listers.of(storageClasses).get(storageClassOf(claim))?.provisioner;
      if (driver) volumes.set(`${driver}/pending/${key}`, driver);
    }
  }
  if (!open) settled.set(pod, volumes);
  return volumes;
}


/** What is attached to a node, for as long as nothing about it changes. */
interface Attached {
  readonly changedAt: number;
  readonly volumes: Volumes;
  readonly counts: ReadonlyMap<string, number>;
}

const attached = new WeakMap<NodeInfo, Attached>();

function attachedTo(node: NodeInfo, { cluster, listers }: Context): Attached {
  const changedAt = cluster.changedAt[node.index] as number;
  const known = attached.get(node);
  if (known?.changedAt === changedAt) return known;
  const volumes = new Map<string, string>();
  let open = false;
  for (const other of node.pods.values()) {
    for (const [name, driver] of volumesOf(other, listers)) volumes.set(name, driver);
    open ||= !settled.has(other);
  }
  const counts = new Map<string, number>();
  for (const driver of volumes.values()) counts.set(driver, (counts.get(driver) ?? 0) + 1);
  const found = { changedAt, volumes, counts };
  // Nodes that are only supposed change without a word.
  if (!open && cluster.nodes[node.index] === node) attached.set(node, found);
  return found;
}

/** The names of the volumes of one driver. */
interface Wanted {
  readonly driver: string;
  readonly names: readonly string[];
}

function byDriver(volumes: Volumes): Wanted[] {
  const drivers = [...new Set(volumes.values())];
  return drivers.map((driver) => ({
    driver,
    names: [...volumes].flatMap(([name, of]) => (of === driver ? [name] : [])),
  }));
}

function withinLimits(wanted: readonly Wanted[], node: NodeInfo, context: Context): boolean {
  const { listers } = context;
  const drivers = listers.of(csiNodes).get(node.name)?.spec.drivers;
  if (drivers === undefined) return true;
  for (const { driver, names } of wanted) {
    const limit = drivers.find(({ name }) => name === driver)?.allocatable?.count;
    if (limit === undefined) continue;
    const { volumes, counts } = attachedTo(node, context);
    let added = 0;
    for (const name of names) if (!volumes.has(name)) added++;
    // Drivers that get nothing new are none of this pod's concern.
    if (added === 0) continue;
    const leftover = leftovers(driver, node, context).filter((name) => !volumes.has(name) && !names.includes(name));
    if ((counts.get(driver) ?? 0) + leftover.length + added > limit) return false;
  }
  return true;
}

/** Volumes that are attached still, or already, whatever pods say. */
function leftovers(driver: string, node: NodeInfo, { listers }: Context): string[] {
  const attachments = listers.of(volumeAttachments).by(attachmentsByNode, node.name);
  return attachments.flatMap(({ spec }) => {
    const volume = listers.of(persistentVolumes).get(spec.source.persistentVolumeName ?? "");
    const csi = volume?.spec.csi;
    return csi?.driver === driver ? [`${csi.driver}/${csi.volumeHandle}`] : [];
  });
}
