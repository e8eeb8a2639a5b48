import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createMemoryStore } from "#store/memory.ts";
import { putOp } from "#store/store-contract.ts";
import type { Store } from "#store/store.ts";
import { type Encryption, openEncryption } from "./encryption.ts";

const path = "/etc/kubernetes/enc.yaml";

function fileOf(rules: Readonly<Record<string, readonly string[]>>): string {
  const resources = Object.entries(rules).map(([resource, keys]) => {
    const provider = (name: string): object => ({
      aesgcm: { keys: [{ name, secret: Buffer.alloc(32, name).toString("base64") }] },
    });
    return { resources: [resource], providers: keys.map((name) => (name === "identity" ? { identity: {} } : provider(name))) };
  });
  return JSON.stringify({ apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration", resources });
}

async function open(text: string): Promise<{
  readonly encryption: Encryption;
  readonly raw: Store;
  change(text: string): Promise<void>;
  readonly clock: ReturnType<typeof createVirtualClock>;
}> {
  const clock = createVirtualClock();
  const files = createVirtualFiles();
  await files.makeDirectory("/etc/kubernetes");
  await files.write(path, text);
  const ports = { files, clock, random: createVirtualRandom(1), log: silentLogger };
  const encryption = await openEncryption({ ...ports, path, reload: true });
  return {
    encryption,
    clock,
    raw: createMemoryStore({ clock }),
    async change(next) {
      await files.writeAtomic(path, next);
      await encryption.settled();
    },
  };
}

const put = (store: Store, key: string): Promise<unknown> => store.txn({ compare: [], success: [putOp(key, "{}")] });

async function prefixOf(raw: Store, key: string): Promise<string> {
  const [kv] = (await raw.range({ key })).entries;
  return /^(?:k8s:enc:\w+:v1:\w+:|)/.exec(Buffer.from(kv?.value ?? []).toString("latin1"))?.[0] ?? "";
}

const cases: readonly [string, string, string][] = [
  ["", "secrets", "one"],
  ["", "pods", "core"],
  ["apps", "deployments", "apps"],
  ["apps", "daemonsets", "two"],
  ["batch", "jobs", "all"],
  ["bears.example", "pandas", "three"],
];

test("the first rule that covers a resource decides, wildcards after names", async () => {
  const rules = {
    secrets: ["one"],
    "daemonsets.apps": ["two"],
    "pandas.bears.example": ["three"],
    "*.apps": ["apps"],
    "*.": ["core"],
    "*.*": ["all"],
  };
  const { encryption, raw } = await open(fileOf(rules));
  for (const [group, resource, name] of cases) {
    await put(encryption.storeFor(raw, group, resource), resource);
    assert.equal(await prefixOf(raw, resource), `k8s:enc:aesgcm:v1:${name}:`);
  }
});

test("keys are rotated while the server runs: add, write first, write anew, drop", async () => {
  const { encryption, raw, change } = await open(fileOf({ secrets: ["a"] }));
  const store = encryption.storeFor(raw, "", "secrets");
  await put(store, "s");
  const stale = async (): Promise<boolean> => store.isStale((await store.range({ key: "s" })).entries[0] ?? assert.fail());
  await change(fileOf({ secrets: ["a", "b"] }));
  assert.equal(await stale(), false);
  await change(fileOf({ secrets: ["b", "a"] }));
  assert.equal(await stale(), true);
  await put(store, "s");
  assert.equal(await prefixOf(raw, "s"), "k8s:enc:aesgcm:v1:b:");
  await change(fileOf({ secrets: ["b"] }));
  assert.equal(await stale(), false);
  await change(fileOf({ secrets: ["identity", "b"] }));
  assert.equal(await stale(), true);
  await put(store, "s");
  assert.equal(await prefixOf(raw, "s"), "");
});

test("a file that is wrong changes nothing, and is tried again", async () => {
  const { encryption, raw, change, clock } = await open(fileOf({ secrets: ["a"] }));
  const store = encryption.storeFor(raw, "", "secrets");
  await change("kind: Wrong");
  await put(store, "s");
  assert.equal(await prefixOf(raw, "s"), "k8s:enc:aesgcm:v1:a:");
  await clock.advance(10_000);
  await change(fileOf({ secrets: ["b", "a"] }));
  await put(store, "s");
  assert.equal(await prefixOf(raw, "s"), "k8s:enc:aesgcm:v1:b:");
  encryption[Symbol.dispose]();
  assert.equal(clock.pendingCount, 0);
});

test("a resource that a new file covers is encrypted from then on, and what was there is read", async () => {
  const { encryption, raw, change } = await open(fileOf({ secrets: ["a"] }));
  const store = encryption.storeFor(raw, "", "configmaps");
  await put(store, "c");
  assert.equal(await prefixOf(raw, "c"), "");
  await change(fileOf({ secrets: ["a"], "*.": ["a", "identity"] }));
  const [kv] = (await store.range({ key: "c" })).entries;
  assert.equal(await store.isStale(kv ?? assert.fail()), true);
  await put(store, "c");
  assert.equal(await prefixOf(raw, "c"), "k8s:enc:aesgcm:v1:a:");
});

test("health checks are there for a file that may name plugins later", async () => {
  const { encryption } = await open(fileOf({ secrets: ["a"] }));
  assert.deepEqual(encryption.checks.map(({ name }) => name), ["kms-providers"]);
  assert.equal(await encryption.checks[0]?.check(), undefined);
});
