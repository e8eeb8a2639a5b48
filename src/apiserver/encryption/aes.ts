/** AES as upstream stores it. Source: apiserver/pkg/storage/value/encrypt/aes. */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey } from "node:crypto";
import type { Random } from "#base/random.ts";
import type { Key } from "#store/store.ts";
import type { Transformer } from "./transformer.ts";

const nonceBytes = 12;
const tagBytes = 16;
const blockBytes = 16;
/** Of the seed, of the keys derived from it, and of the random bytes that each key is derived by. */
export const seedBytes = 32;

const tooShort = "the stored data was shorter than the required size";

/** Nonce, ciphertext, tag; the key in the store is authenticated too. */
export function gcmTransformer(secret: Uint8Array, random: Random): Transformer {
  const algorithm = `aes-${secret.length * 8}-gcm` as "aes-256-gcm";
  const secretKey = createSecretKey(secret);
  return {
    fromStorage(bytes, key) {
      if (bytes.length < nonceBytes) throw new Error(tooShort);
      const refused = "cipher: message authentication failed";
      if (bytes.length < nonceBytes + tagBytes) throw new Error(refused);
      const decipher = createDecipheriv(algorithm, secretKey, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(authenticated(key));
      decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
      const plain = decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes));
      try {
        decipher.final();
      } catch (cause) {
        throw new Error(refused, { cause });
      }
      return { bytes: plain, stale: false };
    },
    toStorage(bytes, key) {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv(algorithm, secretKey, nonce, { authTagLength: tagBytes });
      cipher.setAAD(authenticated(key));
      const parts = [nonce, cipher.update(bytes), cipher.final()];
      return Buffer.concat([...parts, cipher.getAuthTag()]);
    },
  };
}

/**
 * Random bytes that a key of its own is derived by, then as `gcmTransformer` with that key: no number of writes
 * wears the seed out. Source: aes_extended_nonce.go.
 */
export function extendedNonceTransformer(seed: Uint8Array, random: Random): Transformer {
  if (seed.length < seedBytes) throw new Error(`invalid seed length ${seed.length} used for key generation`);
  const derived = (info: Uint8Array): Transformer => gcmTransformer(expand(seed, info), random);
  return {
    fromStorage(bytes, key) {
      if (bytes.length < seedBytes) throw new Error(tooShort);
      return derived(bytes.subarray(0, seedBytes)).fromStorage(bytes.subarray(seedBytes), key);
    },
    toStorage(bytes, key) {
      const info = random.bytes(seedBytes);
      return Buffer.concat([info, derived(info).toStorage(bytes, key)]);
    },
  };
}

/** HKDF-SHA256's second step, for one block of output. Source: RFC 5869, section 2.3. */
function expand(seed: Uint8Array, info: Uint8Array): Uint8Array {
  return createHmac("sha256", seed).update(info).update(Uint8Array.of(1)).digest();
}

/** Initialization vector and ciphertext with PKCS#7 padding; nothing is authenticated. */
export function cbcTransformer(secret: Uint8Array, random: Random): Transformer {
  const algorithm = `aes-${secret.length * 8}-cbc`;
  const secretKey = createSecretKey(secret);
  return {
    fromStorage(bytes) {
      if (bytes.length < blockBytes) throw new Error(tooShort);
      if (bytes.length % blockBytes !== 0) throw new Error("the stored data is not a multiple of the block size");
      const decipher = createDecipheriv(algorithm, secretKey, bytes.subarray(0, blockBytes)).setAutoPadding(false);
      const padded = Buffer.concat([decipher.update(bytes.subarray(blockBytes)), decipher.final()]);
      const padding = padded.at(-1) ?? 0;
      if (padding === 0 || padding > padded.length) throw new Error("invalid PKCS7 data (empty or not padded)");
      const plain = padded.subarray(0, padded.length - padding);
      if (!padded.subarray(plain.length).every((byte) => byte === padding)) throw new Error("invalid padding on input");
      return { bytes: plain, stale: false };
    },
    toStorage(bytes) {
      const vector = random.bytes(blockBytes);
      const cipher = createCipheriv(algorithm, secretKey, vector);
      return Buffer.concat([vector, cipher.update(bytes), cipher.final()]);
    },
  };
}

function authenticated(key: Key): Buffer {
  return Buffer.from(key, "latin1");
}
