import { createHash, timingSafeEqual } from "node:crypto";

/** Compares two secrets in a time that depends on neither: for tokens and passwords. */
export function equalSecrets(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(secret: string | Uint8Array): Buffer {
  return createHash("sha256").update(secret).digest();
}
