import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { createSigningKey, createVerificationKey, signJwt } from "#wire/jwt.ts";
import { verifiedToken, verifiedTokensMax, verifyOnce } from "./verified-tokens.ts";

function newKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { signing: createSigningKey(privateKey), verification: createVerificationKey(privateKey) };
}

test("verifyOnce remembers what these keys signed, and nothing else", () => {
  const [own, other] = [newKey(), newKey()];
  const keys = [own.verification];
  const token = signJwt({ sub: "a" }, own.signing);
  assert.equal(verifiedToken(token, keys), undefined);
  assert.deepEqual(verifyOnce(token, keys)?.claims, { sub: "a" });
  assert.deepEqual(verifiedToken(token, keys)?.claims, { sub: "a" });
  assert.equal(verifiedToken(token, [other.verification]), undefined);
  const forged = signJwt({ sub: "a" }, other.signing);
  assert.equal(verifyOnce(forged, keys), undefined);
  assert.equal(verifiedToken(forged, keys), undefined);
  const altered = token.slice(0, -4) + (token.endsWith("AAAA") ? "BBBB" : "AAAA");
  assert.equal(verifyOnce(altered, keys), undefined);
});

test("verifyOnce forgets the oldest of too many", () => {
  const { signing, verification } = newKey();
  const keys = [verification];
  const tokens = Array.from({ length: verifiedTokensMax + 1 }, (_, i) => signJwt({ sub: String(i) }, signing));
  for (const token of tokens) verifyOnce(token, keys);
  assert.equal(verifiedToken(tokens[0] as string, keys), undefined);
  assert.equal(verifiedToken(tokens[1] as string, keys)?.claims["sub"], "1");
});
