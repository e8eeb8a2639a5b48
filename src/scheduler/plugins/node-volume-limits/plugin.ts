import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { csiNodes } from "#api/storage/v1/csi-node.ts";
import { storageClasses } from "#api/storage/v1/storage-class.ts";
import { type VolumeAttachment, volumeAttachments } from "#api/storage/v1/volume-attachment.ts";
import type { Index } from "#client/indexer.ts";
import { definePlugin, unschedulable } from "../../framework.ts";
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
  filter(pod, { listers }) {
    const wanted = volumesOf(pod, listers);
    if (wanted.size === 0) return undefined;
    return { check: (node) => (withinLimits(wanted, node, listers) ? undefined : refusal) };
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

const byNode: Index<VolumeAttachment> = { name: "node", valuesOf: ({ spec }) => [spec.nodeName] };

function withinLimits(wanted: Volumes, node: NodeInfo, listers: Listers): boolean {
  const drivers = listers.of(csiNodes).get(node.name)?.spec.drivers ?? [];
  const limits = new Map(drivers.map(({ name, allocatable }) => [name, allocatable?.count]));
  if ([...wanted.values()].every((driver) => limits.get(driver) === undefined)) return true;
  const attached = new Map<string, string>();
  for (const other of node.pods.values())
    for (const [name, driver] of volumesOf(other, listers)) attached.set(name, driver);
  for (const { spec } of listers.of(volumeAttachments).by(byNode, node.name)) {
    const csi = listers.of(persistentVolumes).get(spec.source.persistentVolumeName ?? "")?.spec.csi;
    if (csi) attached.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
  }
  const counts = new Map<string, number>();
  for (const driver of attached.values()) counts.set(driver, (counts.get(driver) ?? 0) + 1);
  for (const [name, driver] of wanted) {
    if (attached.has(name)) continue;
    const count = (counts.get(driver) ?? 0) + 1;
    counts.set(driver, count);
    if (count > (limits.get(driver) ?? Infinity)) return false;
  }
  return true;
}
