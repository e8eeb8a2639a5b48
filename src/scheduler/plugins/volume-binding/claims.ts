/** A pod's claims by what is still to be done for them. Source: volumebinding GetPodVolumeClaims. */
import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { storageClasses } from "#api/storage/v1/storage-class.ts";
import { pending, type Status, unresolvable } from "../../framework.ts";
import type { Listers } from "../../listers.ts";
import { foreignEphemeral, isFullyBound, type PodClaim, podClaimsOf, storageClassOf } from "../../pod-claims.ts";
import type { PodInfo } from "../../pod-info.ts";

export interface SortedClaims {
  readonly bound: readonly PersistentVolumeClaim[];
  /** To be bound once the pod has its node; the smallest first. */
  readonly delayed: readonly PersistentVolumeClaim[];
}

/** Undefined: the pod has no claims. A status: it cannot go anywhere yet. */
export function sortClaims(pod: PodInfo, listers: Listers): SortedClaims | Status | undefined {
  const used = podClaimsOf(pod);
  if (used.length === 0) return undefined;
  const bound: PersistentVolumeClaim[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  let immediate = false;
  for (const each of used) {
    const claim = existing(each, pod, listers);
    if ("code" in claim) return claim;
    if (isFullyBound(claim)) bound.push(claim);
    else if (isDelayed(claim, listers) && !claim.spec.volumeName) delayed.push(claim);
    else immediate = true;
  }
  if (immediate) return unresolvable("pod has unbound immediate PersistentVolumeClaims");
  return { bound, delayed };
}

function existing(used: PodClaim, pod: PodInfo, listers: Listers): PersistentVolumeClaim | Status {
  const claim = listers.of(persistentVolumeClaims).get(used.key);
  const quoted = JSON.stringify(used.name);
  if (claim === undefined) {
    return used.ephemeral
      ? unresolvable(`waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`)
      : unresolvable(`persistentvolumeclaim ${quoted} not found`);
  }
  if (claim.metadata?.deletionTimestamp !== undefined) {
    return unresolvable(`persistentvolumeclaim ${quoted} is being deleted`);
  }
  if (claim.status?.phase === "Lost") {
    const volume = JSON.stringify(claim.spec.volumeName ?? "");
    return unresolvable(`persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${volume}`);
  }
  const foreign = used.ephemeral ? foreignEphemeral(claim, pod) : undefined;
  return foreign === undefined ? claim : pending(foreign);
}

function isDelayed(claim: PersistentVolumeClaim, listers: Listers): boolean {
  const name = storageClassOf(claim);
  if (name === "") return false;
  return listers.of(storageClasses).get(name)?.volumeBindingMode === "WaitForFirstConsumer";
}
