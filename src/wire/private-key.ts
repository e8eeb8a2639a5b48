import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

/** PEM as client-go and kubeadm write it: SEC 1 for EC, PKCS #1 for RSA, else PKCS #8. */
export function privateKeyPem(key: KeyObject): string {
  const type = key.asymmetricKeyType === "ec" ? "sec1" : "pkcs1";
  const known = key.asymmetricKeyType === "ec" || key.asymmetricKeyType === "rsa";
  return key.export({ type: known ? type : "pkcs8", format: "pem" }).toString();
}

/** Reads PKCS #8, SEC 1 and PKCS #1; throws when the text holds no private key. */
export function parsePrivateKey(pem: string): KeyObject {
  return createPrivateKey(pem);
}

/** `PUBLIC KEY` (PKIX) of a public key, or of the public half of a private one. */
export function publicKeyPem(key: KeyObject): string {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "pem" }).toString();
}

/** Every public key in the text; private keys and certificates give their public half. */
export function parsePublicKeys(pem: string): KeyObject[] {
  const blocks = pem.match(/-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g) ?? [];
  return blocks
    .filter((block) => !block.includes("PARAMETERS-----"))
    .map((block) => createPublicKey(block));
}
