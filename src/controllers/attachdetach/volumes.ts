import { createHash } from "node:crypto";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { PersistentVolume } from "#api/core/v1/persistent-volume.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { CSIDriver } from "#api/storage/v1/csi-driver.ts";
import { isTerminal } from "../framework/pods.ts";
import { byClaim } from "../pvc-protection/controller.ts";

/** A volume that a node must have attached, for the first of the Pods that need it. */
export interface WantedVolume {
  readonly volume: PersistentVolume;
  readonly driver: string;
  readonly handle: string;
  readonly pod: Pod;
}

/** The part of a lister that looking up needs. */
interface ByKey<T> {
  get(key: string): T | undefined;
}

export interface Known {
  readonly claims: ByKey<PersistentVolumeClaim>;
  readonly volumes: ByKey<PersistentVolume>;
  readonly drivers: ByKey<CSIDriver>;
}

/** What the Pods of a node need attached, by the attachment's name. A driver that is unknown wants attaching. */
export function wantedVolumes(nodeName: string, pods: readonly Pod[], known: Known): Map<string, WantedVolume> {
  const wanted = new Map<string, WantedVolume>();
  for (const pod of pods) {
    if (isTerminal(pod)) continue;
    for (const key of byClaim.valuesOf(pod)) {
      const claim = known.claims.get(key);
      const volume = claim?.status?.phase === "Bound" ? known.volumes.get(claim.spec.volumeName ?? "") : undefined;
      const csi = volume?.spec.csi;
      if (volume === undefined || csi === undefined) continue;
      if (known.drivers.get(csi.driver)?.spec.attachRequired === false) continue;
      const name = attachmentName(csi.volumeHandle, csi.driver, nodeName);
      if (!wanted.has(name)) wanted.set(name, { volume, driver: csi.driver, handle: csi.volumeHandle, pod });
    }
  }
  return wanted;
}

/** Source: getAttachmentName in pkg/volume/csi/csi_attacher.go: the kubelet looks for it by this name. */
export function attachmentName(handle: string, driver: string, nodeName: string): string {
  return `csi-${createHash("sha256").update(`${handle}${driver}${nodeName}`).digest("hex")}`;
}

/** As in `volumesAttached` and `volumesInUse` of a node's status. */
export function uniqueVolumeName(driver: string, handle: string): string {
  return `kubernetes.io/csi/${driver}^${handle}`;
}
