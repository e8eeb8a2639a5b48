import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import type { Context } from "../framework/controller.ts";
import { isClaimedBy } from "./match.ts";

export const bindCompleted = "pv.kubernetes.io/bind-completed";
export const boundByController = "pv.kubernetes.io/bound-by-controller";

/** The part of a context that writing needs: both syncs have it. */
export type Binder = Pick<Context<KubeObject, undefined>, "resource" | "events">;

/** Four writes in this order, each skipped when it is true already: a crash between them is mended by the next sync. */
export async function bind(binder: Binder, volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
  const claimed = await claimVolume(binder, volume, claim);
  const bound = await setVolumePhase(binder, claimed, { phase: "Bound" });
  const pointed = await pointClaim(binder, claim, bound);
  await setClaimBound(binder, pointed, bound);
}

async function claimVolume(binder: Binder, volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<PersistentVolume> {
  const reference = volume.spec.claimRef;
  if (isClaimedBy(volume, claim) && reference?.uid === claim.metadata.uid) return volume;
  const { namespace = "", name = "", uid = "", resourceVersion = "" } = claim.metadata;
  const claimRef = { kind: "PersistentVolumeClaim", namespace, name, uid, apiVersion: "v1", resourceVersion };
  const annotations = isClaimedBy(volume, claim)
    ? volume.metadata.annotations
    : { ...volume.metadata.annotations, [boundByController]: "yes" };
  return await binder.resource(persistentVolumes).update({
    ...volume,
    metadata: { ...volume.metadata, ...(annotations && { annotations }) },
    spec: { ...volume.spec, claimRef },
  });
}

export async function setVolumePhase(
  binder: Binder,
  volume: PersistentVolume,
  status: { readonly phase: string; readonly message?: string },
): Promise<PersistentVolume> {
  if (volume.status?.phase === status.phase) return volume;
  const { message: _old, ...kept } = volume.status ?? {};
  return await binder.resource(persistentVolumes).updateStatus({ ...volume, status: { ...kept, ...status } });
}

async function pointClaim(binder: Binder, claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<PersistentVolumeClaim> {
  const { annotations = {} } = claim.metadata;
  const chosen = claim.spec.volumeName === volume.metadata.name;
  if (chosen && annotations[bindCompleted] !== undefined) return claim;
  const added = { [bindCompleted]: "yes", ...(!chosen && { [boundByController]: "yes" }) };
  return await binder.resource(persistentVolumeClaims).update({
    ...claim,
    metadata: { ...claim.metadata, annotations: { ...annotations, ...added } },
    spec: { ...claim.spec, volumeName: volume.metadata.name ?? "" },
  });
}

/** The size is taken over once: resizing owns it afterwards. */
async function setClaimBound(binder: Binder, claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
  const { status = {} } = claim;
  const attributes = volume.spec.volumeAttributesClassName;
  const next = {
    ...status,
    phase: "Bound",
    accessModes: volume.spec.accessModes ?? [],
    ...(status.phase !== "Bound" && {
      capacity: { ...status.capacity, storage: volume.spec.capacity?.["storage"] ?? "0" },
      ...(attributes && { currentVolumeAttributesClassName: attributes }),
    }),
  };
  if (!semanticEqual(status, next)) await binder.resource(persistentVolumeClaims).updateStatus({ ...claim, status: next });
}

/** Pending and Lost claims have neither size nor modes. */
export async function setClaimPhase(binder: Binder, claim: PersistentVolumeClaim, phase: "Pending" | "Lost"): Promise<void> {
  if (claim.status?.phase === phase) return;
  const { accessModes: _modes, capacity: _capacity, ...kept } = claim.status ?? {};
  await binder.resource(persistentVolumeClaims).updateStatus({ ...claim, status: { ...kept, phase } });
}

/** Lets a volume go from a claim that did not take it; a reservation by the user stays. */
export async function unbind(binder: Binder, volume: PersistentVolume): Promise<void> {
  const { claimRef, ...spec } = volume.spec;
  const { [boundByController]: ours, ...annotations } = volume.metadata.annotations ?? {};
  const { uid: _uid, ...reserved } = claimRef ?? {};
  const next = await binder.resource(persistentVolumes).update({
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: ours === undefined ? { ...spec, claimRef: reserved } : spec,
  });
  await setVolumePhase(binder, next, { phase: "Available" });
}
