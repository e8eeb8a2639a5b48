/**
 * Figures of the stores: `node bench/store.ts [section...]`. Prints one line a figure and gates
 * nothing. Sections: memory, durable, open.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { systemClock } from "#base/os/clock.ts";
import { systemFiles } from "#base/os/files.ts";
import { systemRandom } from "#base/os/random.ts";
import { openDurableStore, type DurableStore } from "#store/durable.ts";
import { createMemoryStore } from "#store/memory.ts";
import type { Store } from "#store/store.ts";

const value = Buffer.alloc(2048, "x");
const keyCount = 100_000;
const runMs = 2_000;
const keys = Array.from({ length: keyCount }, (_, i) => {
  return `/registry/pods/default/pod-${String((i * 7919) % keyCount).padStart(6, "0")}`;
});

const sections: Readonly<Record<string, () => Promise<void>>> = {
  memory: benchMemory,
  durable: benchDurable,
  open: benchOpen,
};

const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(sections)) {
  if (wanted.length === 0 || wanted.includes(name)) await run();
}

function tell(name: string, figure: number, unit: string): void {
  const text = figure >= 100 ? Math.round(figure).toLocaleString("en") : figure.toFixed(2);
  process.stdout.write(`${name.padEnd(58)} ${text.padStart(10)} ${unit}\n`);
}

/** One conditional put, as the API server writes. */
function write(store: Store, key: string, modRevision: number): Promise<unknown> {
  return store.txn({
    compare: [{ key, target: "modRevision", relation: "=", number: modRevision }],
    success: [{ op: "put", key, value }],
  });
}

async function elapsedMs(run: () => Promise<unknown>): Promise<number> {
  const startMs = systemClock.monotonicMs();
  await run();
  return systemClock.monotonicMs() - startMs;
}

async function benchMemory(): Promise<void> {
  await using store = createMemoryStore({ clock: systemClock });
  // The second store is measured: the first has warmed the code.
  const warm = createMemoryStore({ clock: systemClock });
  for (const key of keys) await write(warm, key, 0);
  await warm[Symbol.asyncDispose]();
  for (let i = 0; i < 100; i++) {
    const key = `/registry/${i === 0 ? "pods" : `kind-${i}`}/`;
    store.watch({ key, end: `${key}~` }, { onBatch: () => {}, onClosed: () => {} });
  }
  const createMs = await elapsedMs(async () => {
    for (const key of keys) await write(store, key, 0);
  });
  tell("memory: create, 100 watches", (keyCount / createMs) * 1000, "/s");
  const updateMs = await elapsedMs(async () => {
    for (const [i, key] of keys.entries()) await write(store, key, i + 2);
  });
  tell("memory: update, 100 watches", (keyCount / updateMs) * 1000, "/s");
  await benchRanges(store);
}

async function benchRanges(store: Store): Promise<void> {
  const rounds = 20;
  const prefix = "/registry/pods/default/pod-";
  const range = { key: `${prefix}010000`, end: `${prefix}015000` };
  const queries = {
    "range of 5,000": range,
    "range of 5,000 at a revision 100,000 ago": { ...range, revision: store.revision - keyCount },
    "page of 500 of 100,000": { key: prefix, end: `${prefix}~`, limit: 500 },
    "one key": { key: keys[0] ?? "" },
  };
  for (const [name, query] of Object.entries(queries)) {
    const ms = await elapsedMs(async () => {
      for (let i = 0; i < rounds; i++) await store.range(query);
    });
    tell(`memory: ${name}`, (ms / rounds) * 1000, "us");
  }
}

async function benchDurable(): Promise<void> {
  await withDirectory(async (directory) => {
    await using store = await openStore(directory);
    for (const inFlight of [1, 64, 512]) await benchWriters(store, inFlight);
    await store.compact(store.revision);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    tell("durable: checkpoint", await elapsedMs(() => store.checkpoint()), "ms");
    tell("durable: longest turn during the checkpoint", delay.max / 1e6, "ms");
    delay.disable();
  });
}

async function benchWriters(store: DurableStore, inFlight: number): Promise<void> {
  const latencies: number[] = [];
  const endMs = systemClock.monotonicMs() + runMs;
  let next = 0;
  const writer = async (): Promise<void> => {
    while (systemClock.monotonicMs() < endMs) {
      const key = keys[next++ % keyCount] ?? "";
      const op = { op: "put", key, value } as const;
      latencies.push(await elapsedMs(() => store.txn({ compare: [], success: [op] })));
    }
  };
  const ms = await elapsedMs(() => Promise.all(Array.from({ length: inFlight }, writer)));
  latencies.sort((a, b) => a - b);
  tell(`durable: puts of 2 KB, ${inFlight} in flight`, (latencies.length / ms) * 1000, "/s");
  tell(`durable: p50, ${inFlight} in flight`, latencies[latencies.length >> 1] ?? 0, "ms");
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0;
  tell(`durable: p99, ${inFlight} in flight`, p99, "ms");
}

async function benchOpen(): Promise<void> {
  await withDirectory(async (directory) => {
    const empty = await elapsedMs(async () => (await openStore(directory))[Symbol.asyncDispose]());
    tell("open and close: empty", empty, "ms");
    const store = await openStore(directory);
    for (let at = 0; at < keyCount; at += 500) {
      await Promise.all(keys.slice(at, at + 500).map((key) => write(store, key, 0)));
    }
    await store[Symbol.asyncDispose]();
    for (const state of ["log only", "checkpoint"]) {
      let opened: DurableStore | undefined;
      const ms = await elapsedMs(async () => (opened = await openStore(directory)));
      tell(`open: 100,000 objects of 2 KB, ${state}`, ms, "ms");
      await opened?.compact(opened.revision).catch(() => undefined);
      await opened?.checkpoint();
      await opened?.[Symbol.asyncDispose]();
    }
  });
}

function openStore(directory: string): Promise<DurableStore> {
  const ports = { files: systemFiles, clock: systemClock, random: systemRandom };
  return openDurableStore({ ...ports, directory });
}

/** Not in the temporary directory's file system when that is memory: `KUBETS_BENCH_DIR`. */
async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const root = process.env["KUBETS_BENCH_DIR"] ?? tmpdir();
  const directory = await mkdtemp(join(root, "kubets-bench-"));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
