import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { claimSlot, releaseSlot } from "./cluster-slot.ts";

test("a slot that is given back leaves nothing, but what a node could not take away", async () => {
  const files = createVirtualFiles({ clock: createVirtualClock() });
  const world = { ...openWorld({ log: silentLogger }), files };
  const slot = await claimSlot(world, "/data", 1);
  await files.makeDirectory(`/run/kubets/${slot}/node`);
  await releaseSlot(world, slot);
  assert.deepEqual(await files.list("/run/kubets"), [String(slot), "lock"]);
  await files.remove(`/run/kubets/${slot}/node`);
  await releaseSlot(world, slot);
  assert.deepEqual(await files.list("/run/kubets"), ["lock"]);
});
