import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { cbcTransformer, extendedNonceTransformer, gcmTransformer } from "./aes.ts";
import { secretboxTransformer } from "./secretbox.ts";
import { identityTransformer, type Plain, prefixTransformers, type Transformer } from "./transformer.ts";

const random = createVirtualRandom(1);
const secret = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const key = "/registry/secrets/default/one";
const plain = Buffer.from('{"kind":"Secret"}');

async function read(transformer: Transformer, bytes: Uint8Array, at = key): Promise<string> {
  return Buffer.from((await transformer.fromStorage(bytes, at)).bytes).toString();
}

/** Made by another library than ours. */
const foreign: readonly [string, Transformer, string][] = [
  ["AES-GCM, 256 bits", gcmTransformer(secret, random), "AAECAwQFBgcICQoLPCC9cquB4CGvEvLow4wMT/40PTb4i7eJ8/6m0/2eZhHe"],
  ["AES-GCM, 128 bits", gcmTransformer(secret.subarray(0, 16), random), "AAECAwQFBgcICQoL6E7Mpwh/1W5pgQTpRMYEKs7PeEGb2+zaEmy6RxdSHaKY"],
  ["AES-CBC", cbcTransformer(secret, random), "AAECAwQFBgcICQoLDA0ODx6Z9CqH2574qyoonvyCBY2bbfPDuAYVfidmPWWRJLt6"],
  [
    "AES-GCM with a derived key",
    extendedNonceTransformer(secret, random),
    "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoMAAQIDBAUGBwgJCgvXUb6zzX3vSiTJdkY0b6rEhxjo1R7R3c8V49w3vjVA8V8=",
  ],
];

for (const [name, transformer, stored] of foreign) {
  test(`${name} reads what others wrote`, async () => {
    assert.equal(await read(transformer, Buffer.from(stored, "base64")), plain.toString());
  });
}

test("secretbox reads the box of NaCl's own tests", async () => {
  const boxKey = Buffer.from("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389", "hex");
  const nonce = "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37";
  const message =
    "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705";
  const transformer = secretboxTransformer(boxKey, { ...random, bytes: () => Buffer.from(nonce, "hex") });
  const stored = Buffer.from(transformer.toStorage(Buffer.from(message, "hex"), key));
  const tagAndStart = "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce";
  assert.equal(stored.subarray(0, 56).toString("hex"), nonce + tagAndStart);
  const { bytes } = transformer.fromStorage(stored, key) as Plain;
  assert.equal(Buffer.from(bytes).toString("hex"), message);
});

const transformers: readonly [string, Transformer, number][] = [
  ["gcm", gcmTransformer(secret, random), 28],
  ["cbc", cbcTransformer(secret, random), 0],
  ["secretbox", secretboxTransformer(secret, random), 40],
  ["extended nonce", extendedNonceTransformer(secret, random), 60],
];

for (const [name, transformer, overheadBytes] of transformers) {
  test(`${name}: every length comes back, and no two writes are alike`, async () => {
    for (let length = 0; length < 100; length++) {
      const value = Buffer.alloc(length, length);
      const stored = transformer.toStorage(value, key);
      assert.equal(await read(transformer, stored), value.toString());
      assert.notDeepEqual(transformer.toStorage(value, key), stored);
      if (overheadBytes > 0) assert.equal(stored.length, length + overheadBytes);
    }
  });
}

test("values that were changed, cut or moved are refused", async () => {
  const [gcm, cbc, box, extended] = transformers.map(([, transformer]) => transformer) as Transformer[];
  const flipped = (transformer: Transformer): Uint8Array => {
    const stored = Buffer.from(transformer.toStorage(plain, key));
    stored[stored.length - 1] = (stored.at(-1) ?? 0) ^ 1;
    return stored;
  };
  const mac = /^Error: cipher: message authentication failed$/;
  const short = /^Error: the stored data was shorter than the required size$/;
  for (const [transformer, refused] of [
    [gcm, mac],
    [extended, mac],
    [box, /^Error: output array was not large enough for encryption$/],
    [cbc, /^Error: invalid (padding on input|PKCS7 data)/],
  ] as [Transformer, RegExp][]) {
    await assert.rejects(async () => read(transformer, flipped(transformer)), refused);
    await assert.rejects(async () => read(transformer, Buffer.alloc(8)), short);
  }
  for (const transformer of [gcm, extended] as Transformer[]) {
    await assert.rejects(async () => read(transformer, transformer.toStorage(plain, key), `${key}-else`), mac);
  }
  await assert.rejects(async () => read(cbc as Transformer, Buffer.alloc(17)), /not a multiple of the block size/);
});

/** As a configuration with these providers would have it: name, then keys. */
function providers(...specs: readonly [provider: string, ...keys: string[]][]): Transformer {
  const parts = specs.map(([provider, ...names]) => {
    if (provider === "identity") return { prefix: "", transformer: identityTransformer };
    const keys = names.map((name) => ({ prefix: `${name}:`, transformer: gcmTransformer(secretOf(name), random) }));
    return { prefix: `k8s:enc:${provider}:v1:`, transformer: prefixTransformers(keys, "no matching key was found") };
  });
  return prefixTransformers(parts, "no matching prefix found");
}

function secretOf(name: string): Buffer {
  return Buffer.alloc(32, name);
}

test("the first key writes, all read, and what another wrote is stale", async () => {
  const a = providers(["aesgcm", "a"]);
  const both = providers(["aesgcm", "b", "a"], ["identity"]);
  const stored = a.toStorage(plain, key);
  assert.equal(Buffer.from(stored).toString("latin1").slice(0, 20), "k8s:enc:aesgcm:v1:a:");
  assert.deepEqual([(await a.fromStorage(stored, key)).stale, (await both.fromStorage(stored, key)).stale], [false, true]);
  assert.equal((await both.fromStorage(plain, key)).stale, true);
  const renewed = both.toStorage(plain, key);
  assert.equal((await both.fromStorage(renewed, key)).stale, false);
  await assert.rejects(async () => read(a, renewed), /no matching key was found/);
});

test("identity before the others reads both kinds, and makes encrypted values stale", async () => {
  const leaving = providers(["identity"], ["aesgcm", "a"]);
  const stored = providers(["aesgcm", "a"]).toStorage(plain, key);
  assert.deepEqual(leaving.toStorage(plain, key), plain);
  assert.equal(await read(leaving, stored), plain.toString());
  assert.equal((await leaving.fromStorage(stored, key)).stale, true);
  assert.equal((await leaving.fromStorage(plain, key)).stale, false);
});

test("a provider that is there twice is tried twice, and errors come together", async () => {
  const stored = providers(["aesgcm", "a"]).toStorage(plain, key);
  const twice = providers(["aesgcm", "b"], ["aesgcm", "a"]);
  assert.equal(await read(twice, stored), plain.toString());
  const neither = providers(["aesgcm", "b"], ["aesgcm", "c"]);
  await assert.rejects(async () => read(neither, stored), /^Error: no matching key was found$/);
  const other = { prefix: "k8s:enc:aesgcm:v1:a:", transformer: gcmTransformer(secretOf("x"), random) };
  const both = prefixTransformers([other, { ...other, transformer: cbcTransformer(secret, random) }], "none");
  await assert.rejects(
    async () => read(both, stored),
    /^Error: \[cipher: message authentication failed, the stored data is not a multiple of the block size\]$/,
  );
});

test("what nobody encrypted is refused where there is no identity", async () => {
  await assert.rejects(async () => read(providers(["aesgcm", "a"]), plain), /^Error: no matching prefix found$/);
  const stored = providers(["aesgcm", "a"]).toStorage(plain, key);
  await assert.rejects(async () => read(identityTransformer, stored), /^Error: identity transformer tried to read encrypted data$/);
});
