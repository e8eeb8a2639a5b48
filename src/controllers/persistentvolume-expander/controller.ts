import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { compareQuantities } from "#apimachinery/quantity.ts";
import { defineController, done } from "../framework/controller.ts";

/** No volume is expanded in process: drivers bring their own resizer. Source: pkg/controller/volume/expand. */
export const persistentVolumeExpander = defineController<PersistentVolumeClaim>({
  name: "persistentvolume-expander-controller",
  account: "expand-controller",
  component: "volume_expand",
  for: persistentVolumeClaims,
  changed: (claim, old) => requested(claim) !== requested(old) || claim.status?.phase !== old.status?.phase,
  reads: [persistentVolumes],
  async reconcile(context) {
    const claim = context.get();
    if (claim?.status?.phase !== "Bound") return done;
    if (compareQuantities(requested(claim), claim.status.capacity?.["storage"] ?? "0") <= 0) return done;
    const volume = context.lister(persistentVolumes).get(claim.spec.volumeName ?? "");
    if (volume === undefined || volume.spec.claimRef?.uid !== claim.metadata.uid) return done;
    const message = "waiting for an external controller to expand this PVC";
    context.events.normal(claim, "ExternalExpanding", message);
    return done;
  },
});

function requested({ spec }: PersistentVolumeClaim): string {
  return spec.resources?.requests?.["storage"] ?? "0";
}
