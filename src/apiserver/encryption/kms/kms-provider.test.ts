import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock, type VirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import type { Plain } from "../transformer.ts";
import { extendedNonceTransformer } from "../aes.ts";
import { EncryptedObject } from "./encrypted-object.ts";
import { type KmsProvider, openKmsProvider, writeSeedMsMax } from "./kms-provider.ts";
import type { KmsService } from "./kms-service.ts";

const key = "/registry/secrets/default/one";
const plain = Buffer.from('{"kind":"Secret"}');

/** A plugin in memory: its ciphertext is the plaintext backwards. */
class Plugin implements KmsService {
  keyId = "key-1";
  version = "v2";
  healthz = "ok";
  away = false;
  /** The key that `encrypt` answers with, where it is another than `status` says. */
  encryptKeyId: string | undefined;
  readonly calls: string[] = [];

  #called(name: string): void {
    this.calls.push(name);
    if (this.away) throw new Error("rpc error: code = Unavailable desc = away");
  }

  async status(): ReturnType<KmsService["status"]> {
    this.#called("status");
    return { version: this.version, healthz: this.healthz, keyId: this.keyId };
  }

  async encrypt(_uid: string, plaintext: Uint8Array): ReturnType<KmsService["encrypt"]> {
    this.#called("encrypt");
    return { ciphertext: plaintext.toReversed(), keyId: this.encryptKeyId ?? this.keyId, annotations: new Map() };
  }

  async decrypt({ ciphertext }: { ciphertext: Uint8Array }): Promise<Uint8Array> {
    this.#called("decrypt");
    return ciphertext.toReversed();
  }

  [Symbol.dispose](): void {}
}

async function open(plugin = new Plugin()): Promise<{ plugin: Plugin; clock: VirtualClock; provider: KmsProvider }> {
  const clock = createVirtualClock();
  const random = createVirtualRandom(1);
  const provider = await openKmsProvider({ name: "main", service: plugin, clock, random, log: silentLogger });
  return { plugin, clock, provider };
}

test("what another server wrote is read: the plugin is asked once for each seed", async () => {
  const stored =
    "Ck1kZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCgwABAgMEBQYHCAkKC9dRvrPNfe9KJMl2RjRvqsSHGOjVHtHdzxXj3De+NUDxXxIFa2V5LTEaBnNlYWxlZCIYChN2ZXJzaW9uLmV4YW1wbGUuY29tEgE3KAE=";
  const seed = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
  const plugin = new Plugin();
  const asked: unknown[] = [];
  plugin.decrypt = async ({ uid: _uid, ...request }: Parameters<KmsService["decrypt"]>[0]) => (asked.push(request), seed);
  const { provider } = await open(plugin);
  const bytes = Buffer.from(stored, "base64");
  const reads = await Promise.all([1, 2, 3].map(async () => provider.transformer.fromStorage(bytes, key)));
  reads.push(provider.transformer.fromStorage(bytes, key) as Plain);
  for (const read of reads) assert.deepEqual([Buffer.from(read.bytes).toString(), read.stale], [plain.toString(), false]);
  const annotations = new Map([["version.example.com", Buffer.from("7")]]);
  assert.deepEqual(asked, [{ ciphertext: Buffer.from("sealed"), keyId: "key-1", annotations }]);
});

test("writes have what upstream's have, and are read without the plugin", async () => {
  const { provider, plugin } = await open();
  const stored = provider.transformer.toStorage(plain, key);
  const { encryptedData, encryptedSeed, keyId, seedKind } = EncryptedObject.decode(stored);
  assert.deepEqual([keyId, seedKind, encryptedSeed.length], ["key-1", 1, 32]);
  const reader = extendedNonceTransformer(encryptedSeed.toReversed(), createVirtualRandom(2));
  assert.deepEqual(Buffer.from((reader.fromStorage(encryptedData, key) as Plain).bytes), plain);
  assert.equal((provider.transformer.fromStorage(stored, key) as Plain).stale, false);
  assert.deepEqual(plugin.calls, ["status", "encrypt"]);
});

test("a new key of the plugin gives a new seed within a minute, and makes what was written stale", async () => {
  const { provider, plugin, clock } = await open();
  const before = provider.transformer.toStorage(plain, key);
  plugin.keyId = "key-2";
  await clock.advance(60_000);
  const after = provider.transformer.toStorage(plain, key);
  assert.equal(EncryptedObject.decode(after).keyId, "key-2");
  assert.equal((provider.transformer.fromStorage(before, key) as Plain).stale, true);
  assert.equal((provider.transformer.fromStorage(after, key) as Plain).stale, false);
});

test("without the plugin writes go on for a while, reads of known seeds for ever", async () => {
  const { provider, plugin, clock } = await open();
  const stored = provider.transformer.toStorage(plain, key);
  plugin.away = true;
  await clock.advance(writeSeedMsMax - 1);
  provider.transformer.toStorage(plain, key);
  await clock.advance(2);
  assert.throws(() => provider.transformer.toStorage(plain, key), /^Error: encryptedDEKSource with keyID hash "sha256:[0-9a-f]{64}" expired at 2026-01-01T00:03:00Z/);
  provider.transformer.fromStorage(stored, key);
  assert.equal(
    await provider.check(),
    "failed to perform status section of the healthz check for KMS Provider main, error: rpc error: code = Unavailable desc = away",
  );
  plugin.away = false;
  await clock.advance(10_000);
  provider.transformer.toStorage(plain, key);
});

test("a plugin that comes later than the server is found within ten seconds", async () => {
  const plugin = new Plugin();
  plugin.away = true;
  const { provider, clock } = await open(plugin);
  assert.throws(() => provider.transformer.toStorage(plain, key), /got unexpected nil transformer/);
  plugin.away = false;
  await clock.advance(10_000);
  provider.transformer.toStorage(plain, key);
  assert.equal(await provider.check(), undefined);
});

test("the plugin is not asked for its health more often than every 20 seconds, or 3 when it is ill", async () => {
  const { provider, plugin, clock } = await open();
  const statuses = (): number => plugin.calls.filter((name) => name === "status").length;
  await provider.check();
  await clock.advance(19_000);
  await provider.check();
  assert.equal(statuses(), 1);
  await clock.advance(1_000);
  plugin.healthz = "unwell";
  await Promise.all([provider.check(), provider.check()]);
  assert.equal(statuses(), 2);
  await provider.check();
  assert.equal(statuses(), 2);
  await clock.advance(3_000);
  assert.equal(await provider.check(), "kmsv2 Provider main is not healthy, error: got unexpected healthz status: unwell");
});

const illnesses: readonly [string, Partial<Plugin>, RegExp][] = [
  ["another version", { version: "v1" }, /error: expected KMSv2 API version v2, got v1$/],
  ["no key", { keyId: "" }, /error: got invalid KMSv2 KeyID hash "": keyID is empty$/],
  ["another key than it says", { encryptKeyId: "other" }, /failed to rotate DEK uid="[-0-9a-f]+", useSeed=true, statusKeyIDHash="sha256:/],
  ["everything at once", { version: "", healthz: "", keyId: "" }, /error: \[got unexpected healthz status: , expected KMSv2 API version v2, got , got invalid/],
];

for (const [name, fields, problem] of illnesses) {
  test(`a plugin with ${name} is not healthy`, async () => {
    const { provider } = await open(Object.assign(new Plugin(), fields));
    assert.match((await provider.check()) ?? "", problem);
  });
}

test("objects that were never written so are refused", async () => {
  const { provider } = await open();
  const good = EncryptedObject.decode(provider.transformer.toStorage(plain, key));
  const annotations = new Map([["undotted", Buffer.alloc(1)]]);
  for (const [change, problem] of [
    [{ seedKind: 7 }, /unknown encryptedDEKSourceType: 7/],
    [{ encryptedData: Buffer.alloc(0) }, /encrypted data is empty/],
    [{ encryptedSeed: Buffer.alloc(1025) }, /encrypted DEK source is 1025 bytes, which exceeds the max size of 1024/],
    [{ keyId: "" }, /failed to validate key id: keyID is empty/],
    [{ annotations }, /failed to validate annotations: annotations: Invalid value: "undotted"/],
  ] as const) {
    const stored = EncryptedObject.encode({ ...good, ...change });
    assert.throws(() => provider.transformer.fromStorage(stored, key), problem);
  }
});
