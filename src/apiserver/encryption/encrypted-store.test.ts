import assert from "node:assert/strict";
import { test } from "node:test";
import { nextTurn } from "#base/os/turn.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createMemoryStore } from "#store/memory.ts";
import { putOp, runStoreTests } from "#store/store-contract.ts";
import type { Store } from "#store/store.ts";
import { gcmTransformer } from "./aes.ts";
import { encryptStore, TransformError } from "./encrypted-store.ts";
import { identityTransformer, type Plain, type Transformer } from "./transformer.ts";

const random = createVirtualRandom(3);
const gcm = (name: string): Transformer => gcmTransformer(Buffer.alloc(32, name), random);

/** As a key that a plugin must be asked for. */
function slow(inner: Transformer): Transformer {
  return {
    toStorage: inner.toStorage,
    fromStorage: async (bytes, key) => {
      for (let i = 0; i < 3; i++) await Promise.resolve();
      return inner.fromStorage(bytes, key);
    },
  };
}

for (const [name, transformer] of [
  ["encrypted", gcm("a")],
  ["as it is", identityTransformer],
] as const) {
  runStoreTests({
    name: `a store whose values are ${name}`,
    async open() {
      const clock = createVirtualClock();
      const inner = createMemoryStore({ clock });
      return {
        store: encryptStore(inner, () => ({ generation: 0, transformer })),
        passSeconds: (seconds) => clock.advance(seconds * 1000),
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
      };
    },
    skip: transformer === identityTransformer ? [] : [{ reason: "values are not compared", tests: ["each target compares in each relation"] }],
    modelRuns: 30,
  });
}

interface Opened {
  readonly inner: Store;
  readonly store: ReturnType<typeof encryptStore>;
  use(transformer: Transformer): void;
}

function open(transformer: Transformer): Opened {
  const inner = createMemoryStore({ clock: createVirtualClock() });
  let current = { generation: 0, transformer };
  return {
    inner,
    store: encryptStore(inner, () => current),
    use: (next) => void (current = { generation: current.generation + 1, transformer: next }),
  };
}

const put = (store: Store, key: string, text: string): Promise<unknown> => store.txn({ compare: [], success: [putOp(key, text)] });

test("readers and watchers share the writer's array", async () => {
  const { store } = open(gcm("a"));
  const value = Buffer.from("one");
  const seen: Uint8Array[] = [];
  const sink = { onBatch: ({ events }: { events: readonly { kv: { value: Uint8Array } }[] }) => void seen.push(...events.map(({ kv }) => kv.value)), onClosed() {} };
  store.watch({ key: "a" }, sink);
  store.watch({ key: "a" }, sink);
  await store.txn({ compare: [], success: [{ op: "put", key: "a", value }] });
  const { entries } = await store.range({ key: "a" });
  for (const shown of [...seen, entries[0]?.value]) assert.equal(shown, value);
  assert.equal(seen.length, 2);
});

test("every watcher gets the same event, and reads of what another process wrote the same array", async () => {
  const { inner, store } = open(gcm("a"));
  const writer = encryptStore(inner, () => ({ generation: 0, transformer: gcm("a") }));
  const events: unknown[] = [];
  for (let i = 0; i < 2; i++) store.watch({ key: "a" }, { onBatch: (batch) => void events.push(...batch.events), onClosed() {} });
  await Promise.resolve();
  await put(writer, "a", "one");
  const first = (await store.range({ key: "a" })).entries[0]?.value;
  assert.equal((await store.range({ key: "a" })).entries[0]?.value, first);
  assert.equal(events[0], events[1]);
  assert.equal((events[0] as { kv: { value: unknown } }).kv.value, first);
});

test("a key that must be asked for delays a watch, and leaves it in order and whole", async () => {
  const { inner, store } = open(slow(gcm("a")));
  const plain = encryptStore(inner, () => ({ generation: 0, transformer: gcm("a") }));
  const seen: string[] = [];
  let told = Promise.withResolvers<void>();
  store.watch(
    { key: "a", end: "b", startRevision: 1 },
    {
      onBatch: ({ revision, events }) => {
        seen.push(`${revision}: ${events.map(({ kv }) => `${kv.key}=${Buffer.from(kv.value).toString()}`).join()}`);
        if (seen.length === 4) told.resolve();
      },
      onClosed: (error) => seen.push(error.message),
    },
  );
  await put(plain, "a1", "x");
  await put(store, "a2", "y");
  await plain.txn({ compare: [], success: [{ op: "delete", key: "a", end: "b" }] });
  await put(plain, "a1", "z");
  await told.promise;
  told = Promise.withResolvers();
  assert.deepEqual(seen, ["2: a1=x", "3: a2=y", "4: a1=,a2=", "5: a1=z"]);
});

test("while a watch waits for a key, the revision is what it has been told", async () => {
  const key = Promise.withResolvers<void>();
  const inner = gcm("a");
  const { inner: raw, store } = open({
    toStorage: inner.toStorage,
    fromStorage: async (bytes, at) => key.promise.then(() => inner.fromStorage(bytes, at)),
  });
  const writer = encryptStore(raw, () => ({ generation: 0, transformer: inner }));
  const told = Promise.withResolvers<number>();
  using _watch = store.watch({ key: "a" }, { onBatch: ({ revision }) => revision === 3 && told.resolve(store.revision), onClosed() {} });
  await Promise.resolve();
  await put(writer, "a", "one");
  await put(writer, "a", "two");
  assert.deepEqual([raw.revision, store.revision], [3, 1]);
  key.resolve();
  assert.equal(await told.promise, 2);
  await nextTurn();
  assert.equal(store.revision, 3);
});

test("after a change of keys what they cannot read is refused, cached or not", async () => {
  const { store, use } = open(gcm("a"));
  await put(store, "a", "one");
  await put(store, "b", "two");
  const closed: Error[] = [];
  store.watch({ key: "a" }, { onBatch() {}, onClosed: (error) => void closed.push(error) });
  use(gcm("b"));
  await assert.rejects(store.range({ key: "a" }), (error) => error instanceof TransformError && !error.message.includes("key"));
  await assert.rejects(store.range({ key: "a", end: "c" }), /^TransformError: unable to transform key "a": cipher: message authentication failed$/);
  assert.equal((await store.range({ key: "a", end: "c", countOnly: true })).count, 2);
  await put(store, "b", "three");
  assert.equal(Buffer.from((await store.range({ key: "b" })).entries[0]?.value ?? []).toString(), "three");
  assert.equal(closed.length, 0);
  await put(store, "a", "four");
  assert.equal(closed.length, 0);
  use(gcm("c"));
  // A deletion is told with the state before, which cannot be read.
  await store.txn({ compare: [], success: [{ op: "delete", key: "a" }] });
  assert.ok(closed[0] instanceof TransformError);
});

test("a value in another encryption than the newest is stale, until it is written again", async () => {
  const { store, use } = open(gcm("a"));
  await put(store, "a", "one");
  const read = async (): Promise<boolean> => {
    const kv = (await store.range({ key: "a" })).entries[0] ?? assert.fail();
    return store.isStale(kv);
  };
  assert.equal(await read(), false);
  const both = { fromStorage: (bytes: Uint8Array, key: string): Plain => ({ ...(gcm("a").fromStorage(bytes, key) as Plain), stale: true }) };
  use({ ...gcm("b"), ...both });
  assert.equal(await read(), true);
});

test("what cannot be encrypted is not written", async () => {
  const { inner, store, use } = open(gcm("a"));
  use({
    ...gcm("a"),
    toStorage() {
      throw new Error("the key is gone");
    },
  });
  await assert.rejects(put(store, "a", "one"), /^TransformError: the key is gone$/);
  assert.equal(inner.revision, 1);
});
