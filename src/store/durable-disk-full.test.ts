import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/os/clock.ts";
import { systemFiles } from "#base/os/files.ts";
import { systemProcesses } from "#base/os/processes.ts";
import { systemRandom } from "#base/os/random.ts";
import { openDurableStore, type DurableStore } from "./durable.ts";
import { putOp } from "./store-contract.ts";
import { StoreReadOnlyError } from "./store.ts";
import { repairEveryMs } from "./wal/pipeline.ts";

const mountPoint = await mkdtemp(join(tmpdir(), "kubets-full-"));
const mounted = await systemProcesses.run("mount", [
  "-t",
  "tmpfs",
  "-o",
  "size=8m",
  "tmpfs",
  mountPoint,
]);
const skip = mounted.code === 0 ? false : "no tmpfs can be mounted";

test(
  "a real disk that is full: reads go on, writes resume without a restart",
  { skip },
  async () => {
    try {
      await fillAndRecover();
    } finally {
      await systemProcesses.run("umount", [mountPoint]);
      await rm(mountPoint, { recursive: true, force: true });
    }
  },
);

async function fillAndRecover(): Promise<void> {
  const ballast = join(mountPoint, "ballast");
  await systemFiles.write(ballast, Buffer.alloc(5 * 1024 * 1024));
  const store = await openStore();
  const acknowledged = await fill(store);
  assert.ok(acknowledged > 10, `only ${acknowledged} writes`);
  await assertHolds(store, acknowledged);
  await systemFiles.remove(ballast);
  await systemClock.sleep(2 * repairEveryMs);
  await store.txn({ compare: [], success: [putOp("after", "1")] });
  await store[Symbol.asyncDispose]();
  const again = await openStore();
  await assertHolds(again, acknowledged);
  assert.equal((await again.range({ key: "after" })).count, 1);
  await again[Symbol.asyncDispose]();
}

function openStore(): Promise<DurableStore> {
  const directory = join(mountPoint, "data");
  const ports = { files: systemFiles, clock: systemClock, random: systemRandom };
  return openDurableStore({ ...ports, directory });
}

/** Writes until the disk is full; returns how many writes were acknowledged. */
async function fill(store: DurableStore): Promise<number> {
  for (let i = 0; ; i++) {
    try {
      const text = `${i}/`.padEnd(50_000, "x");
      await store.txn({ compare: [], success: [putOp(`k${i}`, text)] });
    } catch (error) {
      assert.ok(
        error instanceof StoreReadOnlyError && error.message.includes("ENOSPC"),
        String(error),
      );
      return i;
    }
  }
}

async function assertHolds(store: DurableStore, count: number): Promise<void> {
  const { entries } = await store.range({ key: "k", end: "l" });
  assert.equal(entries.length, count);
  for (const { key, value } of entries) {
    assert.ok(
      Buffer.from(value)
        .toString()
        .startsWith(`${key.slice(1)}/`) && value.length === 50_000,
    );
  }
}
