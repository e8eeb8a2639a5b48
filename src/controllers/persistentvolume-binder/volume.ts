import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { objectKey } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { type Context, done, type Outcome } from "../framework/controller.ts";
import { setVolumePhase, unbind } from "./binding.ts";
import { modeOf } from "./match.ts";

const provisionedBy = "pv.kubernetes.io/provisioned-by";

type VolumeContext = Context<PersistentVolume, undefined>;

/** Source: syncVolume in pkg/controller/volume/persistentvolume/pv_controller.go. */
export async function reconcileVolume(context: VolumeContext): Promise<Outcome> {
  const volume = context.get();
  if (volume === undefined) return done;
  const { claimRef } = volume.spec;
  if (!claimRef?.uid) {
    await setVolumePhase(context, volume, { phase: "Available" });
    return done;
  }
  const key = objectKey(claimRef.namespace, claimRef.name ?? "");
  const claim = await holderOf(context, volume, key);
  if (claim === undefined) await release(context, volume);
  else if (claim.spec.volumeName === volume.metadata.name) await setVolumePhase(context, volume, { phase: "Bound" });
  else if (!claim.spec.volumeName) sayModes(context, volume, claim);
  else if (isProvisioned(volume) && volume.spec.persistentVolumeReclaimPolicy === "Delete") await release(context, volume);
  else await unbind(context, volume);
  return done;
}

/** The claim with the uid that the volume names. The cache may lag: absence is checked on the server. */
async function holderOf(context: VolumeContext, volume: PersistentVolume, key: string): Promise<PersistentVolumeClaim | undefined> {
  const uid = volume.spec.claimRef?.uid;
  const cached = context.lister(persistentVolumeClaims).get(key);
  if (cached?.metadata.uid === uid) return cached;
  if (volume.status?.phase === "Released" || volume.status?.phase === "Failed") return undefined;
  try {
    const claim = await context.resource(persistentVolumeClaims).get(key);
    return claim.metadata.uid === uid ? claim : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function sayModes(context: VolumeContext, volume: PersistentVolume, claim: PersistentVolumeClaim): void {
  if (modeOf(volume) === modeOf(claim)) return;
  const [volumeName, claimName] = [volume.metadata.name, claim.metadata.name];
  const volumeMessage = `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claimName}" due to incompatible volumeMode.`;
  const claimMessage = `Cannot bind PersistentVolume "${volumeName}" to requested PersistentVolumeClaim due to incompatible volumeMode.`;
  context.events.warning(volume, "VolumeMismatch", volumeMessage);
  context.events.warning(claim, "VolumeMismatch", claimMessage);
}

function isProvisioned(volume: PersistentVolume): boolean {
  return volume.metadata.annotations?.[provisionedBy] !== undefined;
}

async function release(context: VolumeContext, volume: PersistentVolume): Promise<void> {
  if (volume.status?.phase === "Failed") return;
  const released = await setVolumePhase(context, volume, { phase: "Released" });
  const { name } = volume.metadata;
  const policy = released.spec.persistentVolumeReclaimPolicy;
  if (policy === "Recycle") {
    await fail(context, released, "VolumeFailedRecycle", "No recycler plugin found for the volume!");
  }
  // An external provisioner deletes what it made, and sees the phase.
  if (policy === "Delete" && !isProvisioned(released)) {
    await fail(
      context,
      released,
      "VolumeFailedDelete",
      `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`,
    );
  }
}

async function fail(context: VolumeContext, volume: PersistentVolume, ...said: [reason: string, message: string]): Promise<void> {
  const [reason, message] = said;
  const status = { ...volume.status, phase: "Failed", message };
  await context.resource(persistentVolumes).updateStatus({ ...volume, status });
  context.events.warning(volume, reason, message);
}
