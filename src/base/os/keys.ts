import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(generateKeyPair);

/** A fresh private key: ECDSA on P-256 (quick), or RSA of 2,048 bits (a tenth of a second). */
export async function generatePrivateKey(kind: "ecdsa" | "rsa" = "ecdsa"): Promise<KeyObject> {
  const pair =
    kind === "ecdsa"
      ? await generate("ec", { namedCurve: "P-256" })
      : await generate("rsa", { modulusLength: 2048 });
  return pair.privateKey;
}
