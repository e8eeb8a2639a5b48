import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createMemoryStore } from "#store/memory.ts";
import { putOp } from "#store/store-contract.ts";
import { StoreUnavailableError, type WatchQuery, type WatchSink } from "#store/store.ts";
import { wrapStore } from "#store/wrap-store.ts";
import { encryptStore } from "../encryption/encrypted-store.ts";
import { identityTransformer, type Transformer } from "../encryption/transformer.ts";
import { LiveSet } from "./live-set.ts";
import { ResourceStorage } from "./storage.ts";

const mapOf = (name: string): ConfigMap => ({ kind: "ConfigMap", apiVersion: "v1", metadata: { name, namespace: "default" } });

function open(transformer: () => Transformer = () => identityTransformer): {
  readonly storage: ResourceStorage;
  readonly set: LiveSet<ConfigMap>;
  readonly clock: ReturnType<typeof createVirtualClock>;
} {
  const clock = createVirtualClock();
  let generation = 0;
  const store = encryptStore(createMemoryStore({ clock }), () => ({ generation: generation++, transformer: transformer() }));
  const storage = new ResourceStorage({ store, clock, definition: configMaps });
  return { storage, set: new LiveSet<ConfigMap>(storage, clock), clock };
}

test("a set follows the store, and tells what changes", async () => {
  const { storage, set } = open();
  await storage.create(storage.keyOf("default", "a"), mapOf("a"), { dryRun: false });
  await set.start();
  const told: string[] = [];
  set.onChange((key, object) => told.push(`${key} ${object?.metadata?.name ?? "gone"}`));
  await Promise.resolve();
  await storage.create(storage.keyOf("other", "b"), mapOf("b"), { dryRun: false });
  const current = (await storage.find(storage.keyOf("default", "a"))) ?? assert.fail();
  await storage.remove(storage.keyOf("default", "a"), current, false);
  assert.deepEqual(told, ["other/b b", "default/a gone"]);
  assert.deepEqual([...set.values()].map(({ metadata }) => metadata?.name), ["b"]);
  assert.deepEqual(set.inNamespace("default"), []);
  assert.equal(set.get("other", "b")?.metadata?.name, "b");
});

test("objects are read when somebody asks for them", async () => {
  const { storage, set } = open();
  await storage.store.txn({ compare: [], success: [putOp(storage.keyOf("default", "odd"), "no object")] });
  await storage.create(storage.keyOf("default", "a"), mapOf("a"), { dryRun: false });
  await set.start();
  assert.equal(set.get("default", "a")?.metadata?.name, "a");
  assert.throws(() => set.get("default", "odd"));
});

test("a set whose values cannot be read now is loaded when they can", async () => {
  let isReadable = false;
  const { storage, set, clock } = open(() => ({
    toStorage: (bytes) => bytes,
    fromStorage(bytes) {
      if (!isReadable) throw new Error("the key is away");
      return { bytes, stale: false };
    },
  }));
  await storage.store.txn({ compare: [], success: [putOp(storage.keyOf("default", "a"), JSON.stringify(mapOf("a")))] });
  await assert.rejects(set.start(), /unable to transform key "\/registry\/configmaps\/default\/a": the key is away/);
  await set.startLeniently();
  assert.equal(set.get("default", "a"), undefined);
  isReadable = true;
  await clock.advance(1000);
  assert.equal(set.get("default", "a")?.metadata?.name, "a");
  set[Symbol.dispose]();
});

test("a set goes on after its watch was ended, whatever ended it", async () => {
  const clock = createVirtualClock();
  const memory = createMemoryStore({ clock });
  const sinks: WatchSink[] = [];
  const store = wrapStore(memory, {
    watch(query: WatchQuery, sink: WatchSink) {
      sinks.push(sink);
      return memory.watch(query, sink);
    },
  });
  const storage = new ResourceStorage({ store, clock, definition: configMaps });
  const set = new LiveSet<ConfigMap>(storage, clock);
  await set.start();
  sinks[0]?.onClosed(new StoreUnavailableError("a watch waits for a key too long"));
  await clock.advance(1000);
  assert.equal(sinks.length, 2);
  await storage.create(storage.keyOf("default", "a"), mapOf("a"), { dryRun: false });
  assert.equal(set.get("default", "a")?.metadata?.name, "a");
  sinks[1]?.onClosed(new StoreUnavailableError("gone"));
  set[Symbol.dispose]();
  await clock.advance(10_000);
  assert.equal(sinks.length, 2, "a set that was disposed stays so");
});
