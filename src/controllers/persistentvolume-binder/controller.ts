import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { storageClasses } from "#api/storage/v1/storage-class.ts";
import { keyOfObject, objectKey } from "#apimachinery/object.ts";
import type { Index } from "#client/indexer.ts";
import { type Controller, type ControllerSpec, indexOf, watchOf } from "../framework/controller.ts";
import { runController } from "../framework/worker.ts";
import { byClaim } from "../pvc-protection/controller.ts";
import { bindCompleted } from "./binding.ts";
import { reconcileClaim } from "./claim.ts";
import { reconcileVolume } from "./volume.ts";

const name = "persistentvolume-binder-controller";
const openValue = "open";

/** Claims that no volume is bound to yet. */
const open: Index<PersistentVolumeClaim> = {
  name: "open",
  valuesOf: ({ metadata }) => (metadata.annotations?.[bindCompleted] === undefined ? [openValue] : []),
};

/** Volumes by `namespace/name` of the claim that they are for. */
const byHolder: Index<PersistentVolume> = {
  name: "holder",
  valuesOf: ({ spec: { claimRef } }) => (claimRef ? [objectKey(claimRef.namespace, claimRef.name ?? "")] : []),
};

const claimSpec: ControllerSpec<PersistentVolumeClaim, undefined> = {
  name,
  for: persistentVolumeClaims,
  indexes: [indexOf(persistentVolumeClaims, open), indexOf(pods, byClaim)],
  watches: [
    watchOf(persistentVolumes, {
      keys: (volume, context) => {
        const held = byHolder.valuesOf(volume);
        if (held.length > 0) return held;
        return context.lister(persistentVolumeClaims).by(open, openValue).map(keyOfObject);
      },
    }),
    watchOf(storageClasses, {
      on: ["add", "update"],
      keys: (_class, context) => context.lister(persistentVolumeClaims).by(open, openValue).map(keyOfObject),
    }),
    // A claim whose volume waits for a consumer says for which.
    watchOf<Pod>(pods, {
      on: ["add"],
      keys: (pod, context) =>
        byClaim.valuesOf(pod).filter((key) => {
          const claim = context.lister(persistentVolumeClaims).get(key);
          return claim !== undefined && open.valuesOf(claim).length > 0;
        }),
    }),
  ],
  reconcile: reconcileClaim,
};

const volumeSpec: ControllerSpec<PersistentVolume, undefined> = {
  name,
  for: persistentVolumes,
  indexes: [indexOf(persistentVolumes, byHolder)],
  watches: [
    watchOf(persistentVolumeClaims, {
      keys: (claim, context) => {
        const held = context.lister(persistentVolumes).by(byHolder, keyOfObject(claim)).map(keyOfObject);
        return claim.spec.volumeName ? [claim.spec.volumeName, ...held] : held;
      },
    }),
  ],
  reconcile: reconcileVolume,
};

/** Binds claims and volumes to each other. Source: pkg/controller/volume/persistentvolume. */
export const persistentVolumeBinder: Controller = {
  name,
  account: "persistent-volume-binder",
  component: "persistentvolume-controller",
  start(environment) {
    runController(volumeSpec, environment);
    runController(claimSpec, environment);
  },
};
