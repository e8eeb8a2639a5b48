/** JSON Web Tokens as service accounts use them: asymmetric signatures only. */
import { createHash, createPublicKey, sign, verify, type KeyObject } from "node:crypto";

export type JwtAlgorithm = "ES256" | "ES384" | "RS256";

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly algorithm: JwtAlgorithm;
  readonly keyId: string;
}

export interface VerificationKey {
  readonly publicKey: KeyObject;
  readonly algorithm: JwtAlgorithm;
  readonly keyId: string;
}

export interface JwtHeader {
  readonly alg: string;
  readonly kid?: string;
}

/** RFC 7519, 4.1; times in seconds since 1970. */
export interface RegisteredClaims {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
}

export interface JwtObjectReference {
  readonly name: string;
  readonly uid: string;
}

/** What a bound service account token says. Source: pkg/serviceaccount/claims.go. */
export interface ServiceAccountClaims extends RegisteredClaims {
  readonly "kubernetes.io"?: {
    readonly namespace?: string;
    readonly node?: JwtObjectReference;
    readonly pod?: JwtObjectReference;
    readonly secret?: JwtObjectReference;
    readonly serviceaccount?: JwtObjectReference;
    /** Seconds since 1970 from which on the use of an extended token is reported. */
    readonly warnafter?: number;
  };
}

export interface Jwt {
  readonly header: JwtHeader;
  /** As the token has them: not checked beyond being a JSON object. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Longest token that is looked at. */
export const jwtCharsMax = 1 << 16;

const curveAlgorithms = new Map<string | undefined, JwtAlgorithm>([
  ["prime256v1", "ES256"],
  ["secp384r1", "ES384"],
]);

function algorithmOf(key: KeyObject): JwtAlgorithm {
  if (key.asymmetricKeyType === "rsa") return "RS256";
  const algorithm = curveAlgorithms.get(key.asymmetricKeyDetails?.namedCurve);
  if (algorithm === undefined) throw new TypeError(`no JWT algorithm for this key`);
  return algorithm;
}

/** The SHA-256 of the PKIX form in unpadded base64url, as upstream's `kid`. */
export function jwtKeyId(publicKey: KeyObject): string {
  const pkix = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(pkix).digest("base64url");
}

export function createSigningKey(privateKey: KeyObject): SigningKey {
  const keyId = jwtKeyId(createPublicKey(privateKey));
  return { privateKey, algorithm: algorithmOf(privateKey), keyId };
}

/** Takes a public key, or a private one for its public half. */
export function createVerificationKey(key: KeyObject): VerificationKey {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return { publicKey, algorithm: algorithmOf(publicKey), keyId: jwtKeyId(publicKey) };
}

export function signJwt(claims: object, key: SigningKey): string {
  const header: JwtHeader = { alg: key.algorithm, kid: key.keyId };
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  const options = { key: key.privateKey, dsaEncoding: "ieee-p1363" } as const;
  const signature = sign(hashOf(key.algorithm), Buffer.from(signed), options);
  return `${signed}.${signature.toString("base64url")}`;
}

/**
 * The token's content when one of the keys signed it, else undefined. A key serves only its own
 * algorithm, and a token that names a key is tried with that key alone.
 */
export function verifyJwt(token: string, keys: readonly VerificationKey[]): Jwt | undefined {
  const jwt = parseJwt(token);
  if (jwt === undefined) return undefined;
  const { alg, kid } = jwt.header;
  const signatureAt = token.lastIndexOf(".");
  const signed = Buffer.from(token.slice(0, signatureAt));
  const signature = Buffer.from(token.slice(signatureAt + 1), "base64url");
  for (const key of keys) {
    if (key.algorithm !== alg || (kid !== undefined && kid !== key.keyId)) continue;
    const options = { key: key.publicKey, dsaEncoding: "ieee-p1363" } as const;
    if (verify(hashOf(key.algorithm), signed, options, signature)) return jwt;
  }
  return undefined;
}

const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** The content without any check of the signature: to route by issuer. Undefined for no JWT. */
export function parseJwt(token: string): Jwt | undefined {
  if (token.length > jwtCharsMax || !compactForm.test(token)) return undefined;
  const [head = "", body = ""] = token.split(".");
  const header = decodeObject(head);
  const claims = decodeObject(body);
  if (header === undefined || claims === undefined || "crit" in header) return undefined;
  const { alg, kid } = header;
  if (typeof alg !== "string" || (kid !== undefined && typeof kid !== "string")) return undefined;
  return { header: kid === undefined ? { alg } : { alg, kid }, claims };
}

/** Clocks may differ by this much. Source: go-jose `DefaultLeeway`. */
export const jwtLeewayMs = 60_000;

/** Why the token is not valid at this time (upstream's words), or undefined. */
export function jwtTimeProblem(claims: RegisteredClaims, nowMs: number): string | undefined {
  const { nbf = -Infinity, exp = Infinity, iat = -Infinity } = claims;
  if (nowMs + jwtLeewayMs < nbf * 1000) return "service account token is not valid yet";
  if (nowMs - jwtLeewayMs > exp * 1000) return "service account token has expired";
  if (nowMs + jwtLeewayMs < iat * 1000) return "service account token is issued in the future";
  return undefined;
}

export interface JsonWebKey {
  readonly use: "sig";
  readonly kty: string;
  readonly kid: string;
  readonly alg: JwtAlgorithm;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
}

/** The document at `/openid/v1/jwks`. */
export function jsonWebKeySet(keys: readonly VerificationKey[]): { readonly keys: JsonWebKey[] } {
  return {
    keys: keys.map(({ publicKey, algorithm, keyId }) => {
      const { kty = "", crv, x, y, n, e } = publicKey.export({ format: "jwk" });
      const head = { use: "sig", kty, kid: keyId, alg: algorithm } as const;
      if (n !== undefined && e !== undefined) return { ...head, n, e };
      return { ...head, crv: crv ?? "", x: x ?? "", y: y ?? "" };
    }),
  };
}

/** The document at `/.well-known/openid-configuration`. */
export function openIdConfiguration(
  issuer: string,
  jwksUri: string,
  keys: readonly VerificationKey[],
): object {
  return {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...new Set(keys.map((key) => key.algorithm))].sort(),
  };
}

function hashOf(algorithm: JwtAlgorithm): "sha256" | "sha384" {
  return algorithm === "ES384" ? "sha384" : "sha256";
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function decodeObject(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
