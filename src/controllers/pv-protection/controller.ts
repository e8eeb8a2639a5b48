import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { defineController, done } from "../framework/controller.ts";

const finalizer = "kubernetes.io/pv-protection";

/** Keeps volumes that are bound from going. Source: pkg/controller/volume/pvprotection. */
export const pvProtectionController = defineController({
  name: "persistentvolume-protection-controller",
  account: "pv-protection-controller",
  for: persistentVolumes,
  async reconcile(context) {
    const volume = context.get();
    if (volume === undefined) return done;
    const { finalizers = [], deletionTimestamp } = volume.metadata;
    const held = finalizers.includes(finalizer);
    const wanted = deletionTimestamp === undefined || volume.status?.phase === "Bound";
    if (held === wanted || (wanted && deletionTimestamp !== undefined)) return done;
    const next = wanted
      ? [...finalizers, finalizer]
      : finalizers.filter((name) => name !== finalizer);
    await context
      .resource(persistentVolumes)
      .update({ ...volume, metadata: { ...volume.metadata, finalizers: next } });
    return done;
  },
});
