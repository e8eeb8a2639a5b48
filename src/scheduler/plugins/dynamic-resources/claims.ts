/** The ResourceClaims of a pod. Source: k8s.io/dynamic-resource-allocation/resourceclaim. */
import { type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { deviceClasses } from "#api/resource/v1/device-class.ts";
import { type Status, unresolvable } from "../../framework.ts";
import type { Listers } from "../../listers.ts";
import type { PodInfo } from "../../pod-info.ts";
import { alternativesOf } from "./allocator.ts";

/** Most users of one claim. */
const reservedForMax = 256;

/** Every claim that exists and may be used, or what is missing. */
export function podResourceClaims(pod: PodInfo, listers: Listers): readonly ResourceClaim[] | Status {
  const found: ResourceClaim[] = [];
  for (const { name, resourceClaimName } of pod.pod.spec.resourceClaims ?? []) {
    const generated = pod.pod.status?.resourceClaimStatuses?.find((status) => status.name === name);
    if (resourceClaimName === undefined && generated === undefined) {
      return unresolvable(`pod ${JSON.stringify(pod.key)}: ResourceClaim not created yet`);
    }
    const claimName = resourceClaimName ?? generated?.resourceClaimName;
    // A template may turn out to need no claim.
    if (claimName === undefined) continue;
    const claim = listers.of(resourceClaims).get(`${pod.namespace}/${claimName}`);
    if (claim === undefined) return unresolvable(`resourceclaim ${JSON.stringify(claimName)} not found`);
    if (claim.metadata?.deletionTimestamp !== undefined) {
      return unresolvable(`resourceclaim ${JSON.stringify(claimName)} is being deleted`);
    }
    const owner = claim.metadata?.ownerReferences?.find(({ controller }) => controller);
    if (resourceClaimName === undefined && owner?.uid !== pod.uid) {
      return unresolvable(
        `ResourceClaim ${pod.namespace}/${claimName} was not created for pod ${pod.key} (pod is not owner)`,
      );
    }
    found.push(claim);
  }
  return found;
}

export function isReservedFor({ status }: ResourceClaim, { uid }: PodInfo): boolean {
  return (status?.reservedFor ?? []).some((consumer) => consumer.uid === uid);
}

/** What keeps the claims from being used or allocated at all. */
export function claimsRefused(claims: readonly ResourceClaim[], pod: PodInfo, listers: Listers): Status | undefined {
  for (const claim of claims) {
    if (claim.status?.allocation !== undefined) {
      const users = claim.status.reservedFor?.length ?? 0;
      if (!isReservedFor(claim, pod) && users >= reservedForMax) return unresolvable("resourceclaim in use");
      continue;
    }
    for (const request of claim.spec.devices?.requests ?? []) {
      for (const { fullName, deviceClassName } of alternativesOf(request)) {
        if (listers.of(deviceClasses).get(deviceClassName) !== undefined) continue;
        return unresolvable(`request ${fullName}: device class ${deviceClassName} does not exist`);
      }
    }
  }
  return undefined;
}
