import assert from "node:assert/strict";
import { test } from "node:test";
import type { Random } from "#base/random.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles, type VirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { openDurableStore, type DurableStore } from "#store/durable.ts";
import type { Watch, WatchBatch } from "#store/store.ts";

const restarts = 50;
const watcherCount = 8;

/** A watcher that is cut again and again and goes on from what it saw last. */
interface Watcher {
  readonly key: string;
  readonly end: string;
  next: number;
  readonly seen: string[];
  watch: Watch | undefined;
}

async function openOn(files: VirtualFiles): Promise<DurableStore> {
  const random = createVirtualRandom(5);
  const options = { directory: "/data", segmentBytesMax: 2000 };
  return openDurableStore({ files, clock: createVirtualClock(), random, ...options });
}

function attach(store: DurableStore, watcher: Watcher): void {
  watcher.watch = store.watch(
    { key: watcher.key, end: watcher.end, startRevision: watcher.next },
    {
      onBatch(batch: WatchBatch) {
        watcher.next = batch.revision + 1;
        watcher.seen.push(`${batch.revision}: ${batch.events.map(({ kv }) => kv.key).join()}`);
      },
      onClosed() {},
    },
  );
}

/** One transaction of some puts and deletes; returns what a watch has to tell of it. */
async function write(store: DurableStore, random: Random): Promise<[number, string[]]> {
  const keys = new Set(Array.from({ length: 1 + random.below(3) }, () => `k${random.below(9)}`));
  const value = Buffer.alloc(random.below(200));
  const ops = [...keys].map((key) => ({ op: "put" as const, key, value }));
  const { revision } = await store.txn({ compare: [], success: ops });
  return [revision, [...keys]];
}

test(`watchers over ${restarts} restarts and compactions miss nothing and get nothing twice`, async () => {
  const random = createVirtualRandom(11);
  let files = createVirtualFiles();
  await files.makeDirectory("/proc/sys/kernel/random");
  await files.write("/proc/sys/kernel/random/boot_id", "boot");
  const watchers: Watcher[] = Array.from({ length: watcherCount }, (_, i) => {
    const [key, end] = [`k${i % 4}`, i % 2 === 0 ? "l" : `k${(i % 4) + 4}`];
    return { key, end, next: 1, seen: [], watch: undefined };
  });
  const written: [number, string[]][] = [];
  for (let restart = 0; restart < restarts; restart++) {
    const store = await openOn(files);
    for (const watcher of watchers) attach(store, watcher);
    for (let i = random.below(40); i > 0; i--) {
      written.push(await write(store, random));
      const watcher = watchers[random.below(watcherCount)] ?? assert.fail();
      if (random.below(4) === 0) {
        watcher.watch?.[Symbol.dispose]();
        attach(store, watcher);
      }
      if (random.below(15) === 0) await compactBehind(store, watchers);
    }
    if (random.below(3) === 0) await store[Symbol.asyncDispose]();
    files = files.kill();
    for (const watcher of watchers) watcher.watch?.[Symbol.dispose]();
  }
  const store = await openOn(files);
  for (const watcher of watchers) attach(store, watcher);
  await Promise.resolve();
  for (const { key, end, seen } of watchers) {
    const expected = written.flatMap(([revision, keys]) => {
      const matching = keys.filter((each) => each >= key && each < end);
      return matching.length === 0 ? [] : [`${revision}: ${matching.join()}`];
    });
    assert.deepEqual(seen, expected);
  }
  assert.ok(written.length > 500);
});

/** Compacts as far as no watcher needs it. */
async function compactBehind(store: DurableStore, watchers: readonly Watcher[]): Promise<void> {
  const needed = Math.min(...watchers.map((watcher) => watcher.next));
  await store.compact(Math.min(needed - 1, store.revision)).catch(() => undefined);
}
