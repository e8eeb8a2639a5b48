import assert from "node:assert/strict";
import { test } from "node:test";
import type { Random } from "#base/random.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles, type VirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { openDurableStore, type DurableStore } from "../durable.ts";
import { putOp } from "../store-contract.ts";
import type { KeyValue, Store, TxnResult } from "../store.ts";
import { StoreDamagedError } from "./damage.ts";

const writers = 6;
const writesPerWriter = 25;
const all = { key: "", end: "\0" };

/** What one key may show after a crash: the last acknowledged write, or the one in flight. */
interface Expectation {
  acknowledged: { text: string | undefined; revision: number };
  inFlight: { text: string | undefined } | undefined;
}

interface Run {
  readonly expected: Map<string, Expectation>;
  /** Every lazy value ever written. */
  readonly lazy: Set<string>;
  lastRevision: number;
  readonly compacts: boolean;
}

async function openOn(files: VirtualFiles): Promise<DurableStore> {
  const options = { directory: "/data", segmentBytesMax: 2048, historyBytesMax: 12_000 };
  const random = createVirtualRandom(9);
  return openDurableStore({ files, clock: createVirtualClock(), random, ...options });
}

/** Concurrent writers, one key each, and now and then a compaction. Ends, or hangs in a crash. */
async function work(store: Store, run: Run, random: Random): Promise<void> {
  const writer = async (name: string): Promise<void> => {
    const expectation: Expectation = {
      acknowledged: run.expected.get(name)?.acknowledged ?? { text: undefined, revision: 0 },
      inFlight: undefined,
    };
    run.expected.set(name, expectation);
    for (let i = 0; i < writesPerWriter; i++) {
      const remove = random.below(5) === 0;
      const text = remove ? undefined : `${name}-${i}-`.padEnd(20 + random.below(200), "x");
      expectation.inFlight = { text };
      const { revision } = await write(store, name, text);
      expectation.acknowledged = { text, revision };
      expectation.inFlight = undefined;
      run.lastRevision = Math.max(run.lastRevision, revision);
      if (random.below(4) === 0) {
        const lazy = `${name}-lazy-${i}`;
        run.lazy.add(lazy);
        const op = { ...putOp(`lazy-${name}`, lazy), durability: "lazy" as const };
        await store.txn({ compare: [], success: [op] });
      }
      if (run.compacts && random.below(20) === 0)
        await store.compact(store.revision).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, i) => writer(`w${i}`)));
}

function write(store: Store, key: string, text: string | undefined): Promise<TxnResult> {
  const op = text === undefined ? ({ op: "delete", key } as const) : putOp(key, text);
  return store.txn({ compare: [], success: [op] });
}

async function check(store: DurableStore, run: Run): Promise<void> {
  const { entries, revision } = await store.range(all);
  assert.ok(revision >= run.lastRevision, `revision ${revision} after ${run.lastRevision}`);
  const found = new Map(entries.map((kv) => [kv.key, kv]));
  for (const [key, { acknowledged, inFlight }] of run.expected) {
    const kv = found.get(key);
    found.delete(key);
    const text = textOf(kv);
    const allowed = [acknowledged.text, ...(inFlight === undefined ? [] : [inFlight.text])];
    assert.ok(allowed.includes(text), `${key}: ${text}, expected one of ${allowed.join()}`);
    if (inFlight === undefined && kv !== undefined) {
      assert.equal(kv.modRevision, acknowledged.revision);
    }
  }
  for (const [key, kv] of found) {
    assert.ok(key.startsWith("lazy-") && run.lazy.has(textOf(kv) ?? ""), `phantom ${key}`);
  }
}

function textOf(kv: KeyValue | undefined): string | undefined {
  return kv && Buffer.from(kv.value).toString();
}

async function fullRun(
  seed: number,
  crashAt?: number,
  compacts = true,
): Promise<{ files: VirtualFiles; run: Run }> {
  const files = createVirtualFiles();
  const run: Run = { expected: new Map(), lazy: new Set(), lastRevision: 0, compacts };
  const crashed = Promise.withResolvers<VirtualFiles>();
  files.intercept = ({ sequence }) => {
    if (sequence === crashAt) crashed.resolve(files.crash(createVirtualRandom(seed + sequence)));
  };
  const finished = (async () => {
    const store = await openOn(files);
    await work(store, run, createVirtualRandom(seed));
    await store[Symbol.asyncDispose]();
    files.intercept = undefined;
    return files;
  })();
  return { files: await Promise.race([crashed.promise, finished]), run };
}

test("after a power cut at any operation, every acknowledged write is there and no other", async () => {
  const seeds = [1, 2, 3];
  for (const seed of seeds) {
    const operations = (await fullRun(seed)).files.operationCount;
    assert.ok(operations > 150, `only ${operations} operations`);
    for (let crashAt = 1; crashAt <= operations; crashAt++) {
      const { files, run } = await fullRun(seed, crashAt);
      try {
        const store = await openOn(files);
        await check(store, run);
        await write(store, "w0", "after");
        await store[Symbol.asyncDispose]();
        const again = await openOn(files);
        assert.equal(textOf((await again.range({ key: "w0" })).entries[0]), "after");
      } catch (error) {
        throw new Error(`seed ${seed}, crash at operation ${crashAt}`, { cause: error });
      }
    }
  }
});

test("a second cut while the first is recovered loses nothing either", async () => {
  for (let seed = 10; seed < 70; seed++) {
    const random = createVirtualRandom(seed);
    let { files, run } = await fullRun(seed, 100 + random.below(200));
    for (let cuts = 0; cuts < 3; cuts++) {
      const crashed = Promise.withResolvers<VirtualFiles>();
      const start = files;
      const crashAt = 1 + random.below(20);
      start.intercept = ({ sequence }) => {
        if (sequence === crashAt) crashed.resolve(start.crash(random));
      };
      void openOn(start).catch(crashed.reject);
      files = await Promise.race([crashed.promise, settledOpen(start)]);
    }
    const store = await openOn(files);
    await check(store, run);
  }
});

/** The tree itself when opening it needs fewer operations than the cut waited for. */
async function settledOpen(files: VirtualFiles): Promise<VirtualFiles> {
  for (let i = 0; i < 2000; i++) await Promise.resolve();
  return files.kill();
}

test("files of random bytes are refused or cut off, never taken or hung on", async () => {
  const random = createVirtualRandom(99);
  for (let i = 0; i < 200; i++) {
    const files = createVirtualFiles();
    await files.makeDirectory("/data");
    const name = i % 2 === 0 ? "wal-0000000001" : "checkpoint-0000000001";
    const content = Buffer.from(random.bytes(random.below(3000)));
    // As if a frame or block began here, of any length.
    if (i % 3 === 0) content.write(i % 2 === 0 ? "KTW1" : "KTC1", 0);
    await files.write(`/data/${name}`, content);
    try {
      const store = await openOn(files);
      assert.ok(name.startsWith("wal") && store.revision === 1, `${name} was taken`);
      await store[Symbol.asyncDispose]();
    } catch (error) {
      assert.ok(error instanceof StoreDamagedError && name.startsWith("checkpoint"), String(error));
    }
  }
});

test("damage to a closed store is refused by name", async () => {
  const { files } = await fullRun(5);
  const names = (await files.list("/data")).filter((name) => /^(wal|checkpoint)-/.test(name));
  assert.ok(names.length >= 2);
  const random = createVirtualRandom(77);
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const { files: damaged } = await fullRun(5);
    const name = names[random.below(names.length)] ?? assert.fail();
    const kind = await damage(damaged, `/data/${name}`, random);
    try {
      await openOn(damaged);
      assert.fail(`${kind} ${name} went unnoticed`);
    } catch (error) {
      if (!(error instanceof StoreDamagedError)) throw error;
      assert.match(error.message, /\/data\/(wal|checkpoint)-\d+ at offset \d+/);
      refused++;
    }
  }
  assert.equal(refused, 300);
});

async function damage(files: VirtualFiles, path: string, random: Random): Promise<string> {
  await using handle = await files.open(path, { write: true });
  const sizeBytes = await handle.sizeBytes();
  const at = random.below(sizeBytes);
  const kind = (["flip", "truncate", "zero"] as const)[random.below(3)] ?? "flip";
  if (kind === "truncate") await handle.truncate(at);
  else if (kind === "zero") await handle.write(at, [Buffer.alloc(Math.min(512, sizeBytes - at))]);
  else {
    const [byte] = await handle.read(at, 1);
    await handle.write(at, [Buffer.from([(byte ?? 0) ^ (1 << random.below(8))])]);
  }
  return `${kind} at ${at} of`;
}

test("damage to a store that crashed is refused by name, or cuts back to a whole prefix", async () => {
  const random = createVirtualRandom(78);
  const crashAt = Math.floor(0.8 * (await fullRun(6, undefined, false)).files.operationCount);
  let refused = 0;
  for (let i = 0; i < 200; i++) {
    const whole = await contentByRevision((await fullRun(6, crashAt, false)).files);
    const { files } = await fullRun(6, crashAt, false);
    const names = (await files.list("/data")).filter((name) => /^(wal|checkpoint)-/.test(name));
    const name = names[random.below(names.length)] ?? assert.fail();
    const kind = await damage(files, `/data/${name}`, random);
    try {
      const store = await openOn(files);
      const { entries } = await store.range(all);
      const newest = Math.max(1, ...entries.map((kv) => kv.modRevision));
      const candidates = [...whole].filter(([revision]) => revision >= newest);
      const state = entries.map(entryText).join();
      assert.ok(
        candidates.some(([, text]) => text === state),
        `${kind} ${name}: ${state}`,
      );
    } catch (error) {
      if (!(error instanceof StoreDamagedError)) throw error;
      refused++;
    }
  }
  assert.ok(refused > 100 && refused < 200, `${refused} refused`);
});

/** What the sound store shows at each revision that it still has. */
async function contentByRevision(files: VirtualFiles): Promise<Map<number, string>> {
  await files.remove("/data/state");
  const store = await openOn(files);
  const states = new Map<number, string>();
  for (let revision = store.revision; revision > 0; revision--) {
    const result = await store.range({ ...all, revision }).catch(() => undefined);
    if (result === undefined) break;
    states.set(revision, result.entries.map(entryText).join());
  }
  return states;
}

function entryText(kv: KeyValue): string {
  return `${kv.key}@${kv.modRevision}=${textOf(kv)}`;
}
