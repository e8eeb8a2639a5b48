import { join } from "node:path";
import { readTextIfPresent } from "#base/files.ts";
import { isRunning, type ProcessIdentity, startTicksOf } from "#base/process-identity.ts";
import type { World } from "#base/world.ts";
import { type ClusterFile, readRunFile } from "./cluster-file.ts";

/** Clusters that one machine runs side by side. */
const slotsMax = 16;
/** Claims are of this boot only, so they live on a tmpfs. */
const claimsDirectory = "/run/kubets";

/** With the `up` that claimed it. */
interface Claim extends ProcessIdentity {
  readonly dataDirectory: string;
}

function claimPath(slot: number): string {
  return join(claimsDirectory, `slot-${slot}.json`);
}

/**
 * The slot of a data directory: its own from before, else the first free one.
 * Errors: all are taken.
 */
export async function claimSlot(world: World, dataDirectory: string, pid: number): Promise<number> {
  await world.files.makeDirectory(claimsDirectory);
  await using _lock = await world.files.lock(join(claimsDirectory, "lock"));
  let free: number | undefined;
  for (let slot = slotsMax - 1; slot >= 0; slot--) {
    const claim = await readClaim(world, slot);
    if (claim?.dataDirectory === dataDirectory) return slot;
    if (claim === undefined || !(await isInUse(world, claim))) free = slot;
  }
  if (free === undefined) throw new Error(`${slotsMax} clusters run on this machine already`);
  const claim: Claim = { dataDirectory, pid, startTicks: (await startTicksOf(world.files, pid)) ?? "" };
  await world.files.writeAtomic(claimPath(free), JSON.stringify(claim));
  return free;
}

export async function releaseSlot(world: World, slot: number): Promise<void> {
  await world.files.remove(claimPath(slot));
  // What nodes kept there they took away themselves; what one could not stays to be seen.
  const kept = join(claimsDirectory, String(slot));
  if ((await world.files.stat(kept)) === undefined) return;
  if ((await world.files.list(kept)).length === 0) await world.files.remove(kept);
}

async function readClaim(world: World, slot: number): Promise<Claim | undefined> {
  const text = await readTextIfPresent(world.files, claimPath(slot));
  return text === undefined ? undefined : (JSON.parse(text) as Claim);
}

/** A claim holds while its `up` still prepares, and until `down` removes what it prepared. */
async function isInUse(world: World, claim: Claim): Promise<boolean> {
  if ((await readRunFile<ClusterFile>(world, claim.dataDirectory, "cluster")) !== undefined) return true;
  return isRunning(world.files, claim);
}
