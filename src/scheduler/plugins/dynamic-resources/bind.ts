/** Writes allocations and reservations before the pod is bound. */
import { pods } from "#api/core/v1/pod.ts";
import { type AllocationResult, type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isConflict, isNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import type { PodInfo } from "../../pod-info.ts";
import type { SpecialClaim } from "./extended-resources.ts";
import { isReservedFor } from "./claims.ts";

export const claimFinalizer = "resource.kubernetes.io/delete-protection";
const conflictsMax = 5;

export async function reserveClaim(
  claim: ResourceClaim,
  {
    pod,
    allocation,
    client,
  }: {
    readonly pod: PodInfo;
    readonly allocation: AllocationResult | undefined;
    readonly client: Client;
  },
): Promise<void> {
  const resource = client.resource(resourceClaims);
  let current = claim;
  for (let tries = 1; ; tries++) {
    try {
      return await write(current);
    } catch (error) {
      if (!isConflict(error) || tries >= conflictsMax) throw error;
      current = await resource.get(keyOfObject(claim));
    }
  }

  async function write(from: ResourceClaim): Promise<void> {
    let next = from;
    const name = `${next.metadata?.namespace}/${next.metadata?.name}`;
    if (next.metadata?.deletionTimestamp !== undefined) throw new Error(`claim ${name} got deleted in the meantime`);
    if (isReservedFor(next, pod)) return;
    if (allocation !== undefined) {
      if (next.status?.allocation !== undefined)
        throw new Error(`claim ${name} got allocated elsewhere in the meantime`);
      const finalizers = next.metadata?.finalizers ?? [];
      if (!finalizers.includes(claimFinalizer)) {
        next = await resource.update({
          ...next,
          metadata: { ...next.metadata, finalizers: [...finalizers, claimFinalizer] },
        });
      }
    }
    const reservedFor = [...(next.status?.reservedFor ?? []), { resource: "pods", name: pod.name, uid: pod.uid }];
    await resource.updateStatus({
      ...next,
      status: { ...next.status, ...(allocation && { allocation }), reservedFor },
    });
  }
}

/** Takes the pod off the users of a claim. */
export async function releaseClaim(claim: ResourceClaim, { uid }: PodInfo, client: Client): Promise<void> {
  const resource = client.resource(resourceClaims);
  let current = claim;
  for (let tries = 1; ; tries++) {
    const reservedFor = (current.status?.reservedFor ?? []).filter((user) => user.uid !== uid);
    try {
      await resource.updateStatus({ ...current, status: { ...current.status, reservedFor } });
      return;
    } catch (error) {
      if (!isConflict(error) || tries >= conflictsMax) throw error;
      current = await resource.get(keyOfObject(claim));
    }
  }
}

/** Gives back the devices of a claim that nobody uses. */
export async function deallocate(claim: ResourceClaim, client: Client): Promise<void> {
  const { allocation: _allocation, reservedFor: _reservedFor, devices: _devices, ...status } = claim.status ?? {};
  await client.resource(resourceClaims).updateStatus({ ...claim, status });
}

/** Writes a claim that was only thought of so far, and tells the pod of it. */
export async function makeSpecialClaim(
  { claim, mappings }: SpecialClaim,
  pod: PodInfo,
  client: Client,
): Promise<ResourceClaim> {
  const { uid: _thoughtOf, ...metadata } = claim.metadata ?? {};
  const made = await client.resource(resourceClaims).create({ ...claim, metadata });
  const extendedResourceClaimStatus = { resourceClaimName: made.metadata?.name ?? "", requestMappings: [...mappings] };
  const body = { metadata: { uid: pod.uid }, status: { extendedResourceClaimStatus } };
  await client.resource(pods).patch(pod.key, { type: "strategic", body, subresource: "status" });
  return made;
}

/** Removes a claim that the scheduler itself made. */
export async function deleteClaim(claim: ResourceClaim, client: Client): Promise<void> {
  const resource = client.resource(resourceClaims);
  const key = keyOfObject(claim);
  try {
    const current = await resource.get(key);
    const finalizers = (current.metadata?.finalizers ?? []).filter((name) => name !== claimFinalizer);
    await resource.update({ ...current, metadata: { ...current.metadata, finalizers } });
    await resource.delete(key);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
