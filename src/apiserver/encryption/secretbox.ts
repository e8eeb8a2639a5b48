/** NaCl's secretbox as upstream stores it. Source: apiserver/pkg/storage/value/encrypt/secretbox. */
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import type { Random } from "#base/random.ts";
import type { Transformer } from "./transformer.ts";

const nonceBytes = 24;
const tagBytes = 16;

/** Nonce, tag, ciphertext. The place in the store is not authenticated. */
export function secretboxTransformer(secret: Uint8Array, random: Random): Transformer {
  return {
    fromStorage(bytes) {
      if (bytes.length < nonceBytes + tagBytes) throw new Error("the stored data was shorter than the required size");
      const box = xsalsa20poly1305(secret, bytes.subarray(0, nonceBytes));
      try {
        return { bytes: box.decrypt(bytes.subarray(nonceBytes)), stale: false };
      } catch (cause) {
        throw new Error("output array was not large enough for encryption", { cause });
      }
    },
    toStorage(bytes) {
      const nonce = random.bytes(nonceBytes);
      return Buffer.concat([nonce, xsalsa20poly1305(secret, nonce).encrypt(bytes)]);
    },
  };
}
