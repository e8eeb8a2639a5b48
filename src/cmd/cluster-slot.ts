import { join } from "node:path";
import { isIoError } from "#base/files.ts";
import type { World } from "#base/world.ts";
import { type ClusterFile, readRunFile, startTicksOf } from "./cluster-file.ts";

/** Clusters that one machine runs side by side. */
const slotsMax = 16;
/** Claims are of this boot only, so they live on a tmpfs. */
const claimsDirectory = "/run/kubets";

interface Claim {
  readonly dataDirectory: string;
  /** Of the `up` that claimed it. */
  readonly pid: number;
  readonly startTicks: string;
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
  const claim: Claim = { dataDirectory, pid, startTicks: (await startTicksOf(world, pid)) ?? "" };
  await world.files.writeAtomic(claimPath(free), JSON.stringify(claim));
  return free;
}

export async function releaseSlot(world: World, slot: number): Promise<void> {
  await world.files.remove(claimPath(slot));
}

async function readClaim(world: World, slot: number): Promise<Claim | undefined> {
  try {
    return JSON.parse(await world.files.readText(claimPath(slot))) as Claim;
  } catch (error) {
    if (isIoError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** A claim holds while its `up` still prepares, and until `down` removes what it prepared. */
async function isInUse(world: World, claim: Claim): Promise<boolean> {
  if ((await readRunFile<ClusterFile>(world, claim.dataDirectory, "cluster")) !== undefined) return true;
  return claim.startTicks !== "" && (await startTicksOf(world, claim.pid)) === claim.startTicks;
}
