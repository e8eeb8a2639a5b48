import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { createLocalJWKSet, jwtVerify, SignJWT } from "jose";
import {
  createSigningKey,
  createVerificationKey,
  jsonWebKeySet,
  jwtTimeProblem,
  openIdConfiguration,
  parseJwt,
  signJwt,
  verifyJwt,
  type ServiceAccountClaims,
} from "./jwt.ts";
import { publicKeyPem } from "./private-key.ts";
import { equalSecrets } from "./secret-compare.ts";

const keys: readonly KeyObject[] = [
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
];
const verificationKeys = keys.map(createVerificationKey);
const claims: ServiceAccountClaims = {
  iss: "https://kubernetes.default.svc",
  sub: "system:serviceaccount:ns:sa",
  aud: ["api"],
  exp: 4_000_000_000,
  "kubernetes.io": { namespace: "ns", serviceaccount: { name: "sa", uid: "u" } },
};

test("signed tokens verify here and with jose from the published key set", async () => {
  const published = createLocalJWKSet(jsonWebKeySet(verificationKeys));
  for (const key of keys) {
    const signing = createSigningKey(key);
    const token = signJwt(claims, signing);
    const verified = verifyJwt(token, verificationKeys);
    assert.deepEqual(verified?.claims, claims);
    assert.deepEqual(verified?.header, { alg: signing.algorithm, kid: signing.keyId });
    const { payload } = await jwtVerify(token, published);
    assert.deepEqual(payload, claims);
  }
});

test("tokens that jose signed verify, with and without a key id", async () => {
  for (const [i, algorithm] of ["ES256", "ES384", "RS256"].entries()) {
    const key = keys[i];
    assert.ok(key);
    const unnamed = await new SignJWT({ a: 1 }).setProtectedHeader({ alg: algorithm }).sign(key);
    assert.deepEqual(verifyJwt(unnamed, verificationKeys)?.claims, { a: 1 });
    const header = { alg: algorithm, kid: "other" };
    const misnamed = await new SignJWT({ a: 1 }).setProtectedHeader(header).sign(key);
    assert.equal(verifyJwt(misnamed, verificationKeys), undefined);
  }
});

test("forged tokens are refused", () => {
  const [key] = keys;
  assert.ok(key);
  const token = signJwt(claims, createSigningKey(key));
  const [head = "", body = "", signature = ""] = token.split(".");
  const encode = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const hs256 = `${encode({ alg: "HS256" })}.${body}`;
  const mac = createHmac("sha256", publicKeyPem(key)).update(hs256).digest("base64url");
  const rows: Record<string, string> = {
    "alg none": `${encode({ alg: "none" })}.${body}.`,
    "alg none with a signature": `${encode({ alg: "none" })}.${body}.${signature}`,
    "HS256 keyed with the public key": `${hs256}.${mac}`,
    "other body": `${head}.${encode({ ...claims, sub: "admin" })}.${signature}`,
    "truncated signature": token.slice(0, -4),
    "other key's algorithm": `${encode({ alg: "RS256" })}.${body}.${signature}`,
    "critical extension": `${encode({ alg: "ES256", crit: ["exp"] })}.${body}.${signature}`,
    "kid is a path": `${encode({ alg: "ES256", kid: "../../x" })}.${body}.${signature}`,
    "four parts": `${token}.x`,
    "body is no object": `${head}.${encode([1])}.${signature}`,
    "no JWT": "abc",
    "too long": `${head}.${"a".repeat(1 << 17)}.${signature}`,
  };
  for (const [name, forged] of Object.entries(rows)) {
    assert.equal(verifyJwt(forged, verificationKeys), undefined, name);
  }
  assert.equal(verifyJwt(token, verificationKeys.slice(1)), undefined);
  assert.equal(parseJwt(token)?.claims["iss"], claims.iss);
});

test("jwtTimeProblem allows a minute", () => {
  const rows: [nowMs: number, problem: string | undefined][] = [
    [39_999, "service account token is not valid yet"],
    [40_000, undefined],
    [260_000, undefined],
    [260_001, "service account token has expired"],
  ];
  for (const [nowMs, problem] of rows) {
    assert.equal(jwtTimeProblem({ nbf: 100, exp: 200 }, nowMs), problem);
  }
  assert.match(jwtTimeProblem({ iat: 100 }, 0) ?? "", /issued in the future/);
});

test("the discovery document lists the algorithms of the keys", () => {
  assert.deepEqual(openIdConfiguration("https://i", "https://i/openid/v1/jwks", verificationKeys), {
    issuer: "https://i",
    jwks_uri: "https://i/openid/v1/jwks",
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256", "ES384", "RS256"],
  });
});

test("equalSecrets", () => {
  assert.equal(equalSecrets("token", Buffer.from("token")), true);
  assert.equal(equalSecrets("token", "tokens"), false);
  assert.equal(equalSecrets("", ""), true);
});
