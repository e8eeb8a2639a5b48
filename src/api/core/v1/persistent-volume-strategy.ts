import { rfc3339 } from "#base/clock.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import type { PersistentVolume } from "./persistent-volume.ts";
import {
  validatePersistentVolume,
  validatePersistentVolumeUpdate,
} from "./persistent-volume-validation.ts";

const storageClassAnnotation = "volume.beta.kubernetes.io/storage-class";

/** Source: pkg/registry/core/persistentvolume/strategy.go. */
export const persistentVolumeStrategy: Strategy<PersistentVolume> = {
  deleteReturnsObject: true,
  default(volume) {
    const { spec } = volume;
    volume.status = { ...volume.status, phase: volume.status?.phase || "Pending" };
    spec.persistentVolumeReclaimPolicy ||= "Retain";
    spec.volumeMode ??= "Filesystem";
    if (spec.hostPath !== undefined) spec.hostPath.type ??= "";
  },
  prepareForCreate(volume, { nowMs }) {
    volume.status = { phase: "Pending", lastPhaseTransitionTime: rfc3339(nowMs) };
  },
  prepareForUpdate(volume, { old }) {
    volume.status = old.status;
  },
  validate: (volume) => [...validatePersistentVolume(volume)],
  validateUpdate: (volume, { old }) => [...validatePersistentVolumeUpdate(volume, old)],
  warnings: volumeWarnings,
};

export function volumeClass({ metadata: meta, spec }: PersistentVolume): string {
  return meta.annotations?.[storageClassAnnotation] ?? spec.storageClassName ?? "";
}

const deprecatedSources = [
  ["photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"],
] as const;

/** Source: pkg/api/persistentvolume/util.go. */
function volumeWarnings({ metadata: meta, spec }: PersistentVolume): string[] {
  const warnings: string[] = [];
  if (meta.annotations?.[storageClassAnnotation] !== undefined) {
    warnings.push(
      `metadata.annotations[${storageClassAnnotation}]: deprecated since v1.8; ` +
        'use "storageClassName" attribute instead',
    );
  }
  if (spec.persistentVolumeReclaimPolicy === "Recycle") {
    warnings.push(
      "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the " +
        "recommended approach is to use dynamic provisioning.",
    );
  }
  for (const [field, name, notice] of deprecatedSources) {
    if (spec[field] !== undefined) warnings.push(`spec.${name}: ${notice}`);
  }
  return warnings;
}
