import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import type { Volume } from "#api/core/v1/volume.ts";
import { definePlugin, type NodeFilter, unschedulable } from "../../framework.ts";
import type { NodeInfo } from "../../node-info.ts";
import { hasPlacedVolumes, podClaimsOf } from "../../pod-claims.ts";

const diskConflict = unschedulable("node(s) had no available disk");
const alreadyUsed = unschedulable(
  "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
);

/** Keeps pods apart that may not share a volume. Source: scheduler VolumeRestrictions. */
export const volumeRestrictions = definePlugin({
  name: "VolumeRestrictions",
  unique: hasPlacedVolumes,
  enqueueOn: ["AssignedPod/delete", "Node/add", "PersistentVolumeClaim/add", "PersistentVolumeClaim/update"],
  filter(pod, { listers, cluster }): NodeFilter | undefined {
    const disks = (pod.pod.spec.volumes ?? []).filter(isExclusiveDisk);
    const single = new Set(
      podClaimsOf(pod)
        .map(({ key }) => key)
        .filter((key) => listers.of(persistentVolumeClaims).get(key)?.spec.accessModes?.includes("ReadWriteOncePod")),
    );
    if (disks.length === 0 && single.size === 0) return undefined;
    const usesOf = (node: NodeInfo): number =>
      [...node.pods.values()].flatMap(podClaimsOf).filter(({ key }) => single.has(key)).length;
    // Used on any node is used.
    const used = new Map<number, number>();
    let total = 0;
    const count = (node: NodeInfo): boolean => {
      const before = used.get(node.index) ?? 0;
      const after = single.size === 0 ? 0 : usesOf(node);
      used.set(node.index, after);
      total += after - before;
      return before !== after;
    };
    for (const node of single.size > 0 ? cluster.nodes : []) if (node) count(node);
    return {
      check(node) {
        if (disks.length > 0 && conflicts(disks, node)) return diskConflict;
        return total > 0 ? alreadyUsed : undefined;
      },
      ...(single.size > 0 && { changed: count }),
    };
  },
});

function isExclusiveDisk(volume: Volume): boolean {
  return Boolean(volume.gcePersistentDisk ?? volume.awsElasticBlockStore ?? volume.iscsi ?? volume.rbd);
}

function conflicts(disks: readonly Volume[], node: NodeInfo): boolean {
  for (const { pod } of node.pods.values()) {
    for (const other of pod.spec.volumes ?? []) {
      if (isExclusiveDisk(other) && disks.some((disk) => sameDisk(disk, other))) return true;
    }
  }
  return false;
}

/** Readers may share where the kind of disk allows it. */
function sameDisk(a: Volume, b: Volume): boolean {
  const [gce, ebs, iscsi, rbd] = [a.gcePersistentDisk, a.awsElasticBlockStore, a.iscsi, a.rbd];
  if (gce && b.gcePersistentDisk) {
    return gce.pdName === b.gcePersistentDisk.pdName && !(gce.readOnly && b.gcePersistentDisk.readOnly);
  }
  if (ebs && b.awsElasticBlockStore) return ebs.volumeID === b.awsElasticBlockStore.volumeID;
  if (iscsi && b.iscsi) return iscsi.iqn === b.iscsi.iqn && !(iscsi.readOnly && b.iscsi.readOnly);
  if (rbd && b.rbd) {
    const overlap = rbd.monitors.some((monitor) => b.rbd?.monitors.includes(monitor));
    const same = (rbd.pool ?? "rbd") === (b.rbd.pool ?? "rbd") && rbd.image === b.rbd.image;
    return overlap && same && !(rbd.readOnly && b.rbd.readOnly);
  }
  return false;
}
