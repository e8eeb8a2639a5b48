import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { type VolumeAttributesClass, volumeAttributesClasses } from "#api/storage/v1/volume-attributes-class.ts";
import type { Index } from "#client/indexer.ts";
import { defineController, done, indexOf, watchOf } from "../framework/controller.ts";

const finalizer = "kubernetes.io/vac-protection";

/** Claims by the classes that they ask for, have, or are on the way to. */
const claimsByClass: Index<PersistentVolumeClaim> = {
  name: "attributes class",
  valuesOf: ({ spec, status }) => {
    const { currentVolumeAttributesClassName: current, modifyVolumeStatus } = status ?? {};
    const names = [spec.volumeAttributesClassName, current, modifyVolumeStatus?.targetVolumeAttributesClassName];
    return [...new Set(names.filter((name): name is string => name !== undefined && name !== ""))];
  },
};

const volumesByClass: Index<PersistentVolume> = {
  name: "attributes class",
  valuesOf: ({ spec }) => (spec.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []),
};

/** Source: pkg/controller/volume/vacprotection. */
export const volumeAttributesClassProtectionController = defineController<VolumeAttributesClass>({
  name: "volumeattributesclass-protection-controller",
  for: volumeAttributesClasses,
  indexes: [indexOf(persistentVolumeClaims, claimsByClass), indexOf(persistentVolumes, volumesByClass)],
  watches: [
    watchOf(persistentVolumeClaims, { on: ["update", "delete"], keys: (claim) => claimsByClass.valuesOf(claim) }),
    watchOf(persistentVolumes, { on: ["update", "delete"], keys: (volume) => volumesByClass.valuesOf(volume) }),
  ],
  async reconcile(context) {
    const attributes = context.get();
    if (attributes === undefined) return done;
    const { finalizers = [], deletionTimestamp } = attributes.metadata;
    const held = finalizers.includes(finalizer);
    const isUsed = (): boolean =>
      context.lister(persistentVolumeClaims).by(claimsByClass, context.key).length > 0 ||
      context.lister(persistentVolumes).by(volumesByClass, context.key).length > 0;
    let next = finalizers;
    if (deletionTimestamp === undefined && !held) next = [...finalizers, finalizer];
    else if (deletionTimestamp !== undefined && held && !isUsed()) next = finalizers.filter((name) => name !== finalizer);
    if (next === finalizers) return done;
    await context
      .resource(volumeAttributesClasses)
      .update({ ...attributes, metadata: { ...attributes.metadata, finalizers: next } });
    return done;
  },
});
