import { hash } from "node:crypto";
import { type Jwt, type VerificationKey, verifyJwt } from "#wire/jwt.ts";

/** Tokens whose signatures are not checked again; the oldest is forgotten. */
export const verifiedTokensMax = 4096;

const verified = new WeakMap<readonly VerificationKey[], Map<string, Jwt>>();

/**
 * The token's content, if these keys were seen to have signed it. By hash: the cache holds no credentials. It says
 * nothing of times, audiences and what the token is bound to.
 */
export function verifiedToken(token: string, keys: readonly VerificationKey[]): Jwt | undefined {
  return verified.get(keys)?.get(hash("sha256", token, "base64"));
}

/** As `verifyJwt`, and remembers the token. */
export function verifyOnce(token: string, keys: readonly VerificationKey[]): Jwt | undefined {
  const known = verifiedToken(token, keys);
  if (known !== undefined) return known;
  const jwt = verifyJwt(token, keys);
  if (jwt === undefined) return undefined;
  const tokens = verified.get(keys) ?? new Map<string, Jwt>();
  verified.set(keys, tokens);
  tokens.set(hash("sha256", token, "base64"), jwt);
  if (tokens.size > verifiedTokensMax) tokens.delete(tokens.keys().next().value as string);
  return jwt;
}
