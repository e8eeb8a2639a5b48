import { claimClass } from "#api/core/v1/persistent-volume-claim-strategy.ts";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import { volumeClass } from "#api/core/v1/persistent-volume-strategy.ts";
import type { PersistentVolume } from "#api/core/v1/persistent-volume.ts";
import { compareQuantities } from "#apimachinery/quantity.ts";
import { labelSelectorOf, matches } from "#apimachinery/selectors.ts";

/** Whether the volume is reserved for this claim, by name or by uid too. */
export function isClaimedBy(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec.claimRef;
  if (reference === undefined) return false;
  if (reference.name !== claim.metadata.name || reference.namespace !== claim.metadata.namespace) return false;
  return !reference.uid || reference.uid === claim.metadata.uid;
}

/**
 * The volume that a claim gets: one reserved for it, else the smallest that is large enough, of
 * those with the fewest access modes. With `reservedOnly` a Pod must be scheduled before any other may be taken.
 * Source: FindMatchingVolume in component-helpers/storage/volume.
 */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  reservedOnly: boolean,
): PersistentVolume | undefined {
  const selector = claim.spec.selector ? labelSelectorOf(claim.spec.selector) : undefined;
  const fitting = volumes.filter((volume) => couldHold(volume, claim) && hasModes(volume, claim));
  const reserved = fitting.find((volume) => isClaimedBy(volume, claim));
  if (reserved !== undefined || reservedOnly) return reserved;
  return fitting
    .filter(
      (volume) =>
        volume.spec.claimRef === undefined &&
        volume.status?.phase === "Available" &&
        volumeClass(volume) === claimClass(claim) &&
        (selector === undefined || matches(selector, volume.metadata.labels)),
    )
    .toSorted(byFit)[0];
}

function couldHold(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (volume.metadata.deletionTimestamp !== undefined) return false;
  if (volume.spec.claimRef !== undefined && !isClaimedBy(volume, claim)) return false;
  if (isTooSmall(volume, claim) || modeOf(volume) !== modeOf(claim)) return false;
  return (volume.spec.volumeAttributesClassName ?? "") === (claim.spec.volumeAttributesClassName ?? "");
}

function hasModes(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const offered = volume.spec.accessModes ?? [];
  return (claim.spec.accessModes ?? []).every((mode) => offered.includes(mode));
}

function byFit(a: PersistentVolume, b: PersistentVolume): number {
  const modes = (a.spec.accessModes?.length ?? 0) - (b.spec.accessModes?.length ?? 0);
  return modes || compareQuantities(sizeOf(a), sizeOf(b));
}

function sizeOf(volume: PersistentVolume): string {
  return volume.spec.capacity?.["storage"] ?? "0";
}

function isTooSmall(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return compareQuantities(sizeOf(volume), claim.spec.resources?.requests?.["storage"] ?? "0") < 0;
}

export function modeOf({ spec }: { readonly spec: { readonly volumeMode?: string | undefined } }): string {
  return spec.volumeMode ?? "Filesystem";
}

/** Why a volume that the user named cannot be had, in upstream's words. */
export function mismatchOf(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (isTooSmall(volume, claim)) return "requested PV is too small";
  const [wanted, offered] = [claimClass(claim), volumeClass(volume)];
  if (wanted !== offered) return "storageClassName does not match";
  if (modeOf(volume) !== modeOf(claim)) return "incompatible volumeMode";
  return hasModes(volume, claim) ? undefined : "incompatible accessMode";
}
