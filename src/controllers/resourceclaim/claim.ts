import { type Pod, pods } from "#api/core/v1/pod.ts";
import { type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { objectKey } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { type Context, done, type Outcome } from "../framework/controller.ts";
import { controllerRefOf } from "../framework/owners.ts";
import { isTerminal } from "../framework/pods.ts";

const finalizer = "resource.kubernetes.io/delete-protection";

type ClaimContext = Context<ResourceClaim, undefined>;

/** Takes Pods that are done off a claim; a claim that nobody uses loses its devices, and goes with its Pod. */
export async function reconcileClaim(context: ClaimContext): Promise<Outcome> {
  const claim = context.get();
  if (claim === undefined) return done;
  const current = await dropConsumers(context, claim);
  const users = current.status?.reservedFor ?? [];
  if (users.length > 0) return done;
  const freed = await free(context, current, { lostUsers: current !== claim });
  const owner = controllerRefOf(freed);
  if (owner?.kind !== "Pod" || freed.metadata.deletionTimestamp !== undefined) return done;
  const pod = context.lister(pods).get(objectKey(freed.metadata.namespace, owner.name));
  if (pod?.metadata.uid !== owner.uid || !isDone(pod)) return done;
  const { uid = "" } = freed.metadata;
  try {
    await context.resource(resourceClaims).delete(context.key, { preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return done;
}

/** A Pod that was deleted before it was placed never ran. */
function isDone(pod: Pod): boolean {
  return isTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName);
}

async function dropConsumers(context: ClaimContext, claim: ResourceClaim): Promise<ResourceClaim> {
  const reservedFor = claim.status?.reservedFor ?? [];
  const uses = await Promise.all(reservedFor.map((consumer) => isUsing(context, claim, consumer)));
  const kept = reservedFor.filter((_consumer, i) => uses[i]);
  if (kept.length === reservedFor.length) return claim;
  const { reservedFor: _old, ...status } = claim.status ?? {};
  // Devices are freed in the same write as the last user goes: the scheduler never sees one without the other.
  const { allocation: _allocation, devices: _devices, ...idle } = status;
  const next = kept.length > 0 ? { ...status, reservedFor: kept } : idle;
  return await context.resource(resourceClaims).updateStatus({ ...claim, status: next });
}

/** Other kinds of users are not known to us. The cache may not show a new Pod: absence is checked on the server. */
async function isUsing(
  context: ClaimContext,
  claim: ResourceClaim,
  consumer: { readonly apiGroup?: string | undefined; readonly resource: string; readonly name: string; readonly uid: string },
): Promise<boolean> {
  if (consumer.resource !== "pods" || consumer.apiGroup) return true;
  const key = objectKey(claim.metadata.namespace, consumer.name);
  const cached = context.lister(pods).get(key);
  if (cached?.metadata.uid === consumer.uid) return !isDone(cached);
  try {
    const pod = await context.resource(pods).get(key);
    return pod.metadata.uid === consumer.uid && !isDone(pod);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function free(
  context: ClaimContext,
  claim: ResourceClaim,
  { lostUsers }: { readonly lostUsers: boolean },
): Promise<ResourceClaim> {
  const { finalizers = [] } = claim.metadata;
  const isGoing = claim.metadata.deletionTimestamp !== undefined;
  // The scheduler sets the finalizer first, then allocates and reserves: only a claim that goes, or that
  // just lost its last user, is freed.
  if (!isGoing && (!lostUsers || claim.status?.allocation !== undefined)) return claim;
  if (claim.status?.allocation === undefined && !finalizers.includes(finalizer)) return claim;
  const { allocation, devices: _devices, ...status } = claim.status ?? {};
  const freed = allocation === undefined ? claim : await context.resource(resourceClaims).updateStatus({ ...claim, status });
  const kept = (freed.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  return await context.resource(resourceClaims).update({ ...freed, metadata: { ...freed.metadata, finalizers: kept } });
}
