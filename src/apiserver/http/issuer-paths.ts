import { jsonWebKeySet, openIdConfiguration, type VerificationKey } from "#wire/jwt.ts";
import type { PathHandler } from "./frontend.ts";

/**
 * What others need to check service account tokens by themselves (OIDC discovery); the keys are at
 * the address that clients are told. Source: pkg/serviceaccount/openidmetadata.go.
 */
export function issuerPaths(issuer: string, keys: readonly VerificationKey[], address: () => string): PathHandler {
  return ({ exchange, path }) => {
    const cache = { "cache-control": "public, max-age=3600" };
    if (path === "/openid/v1/jwks") {
      exchange.respond(200, { ...cache, "content-type": "application/jwk-set+json" }, JSON.stringify(jsonWebKeySet(keys)));
      return Promise.resolve(true);
    }
    if (path === "/.well-known/openid-configuration") {
      const document = openIdConfiguration(issuer, `https://${address()}/openid/v1/jwks`, keys);
      exchange.respond(200, { ...cache, "content-type": "application/json" }, JSON.stringify(document));
      return Promise.resolve(true);
    }
    return Promise.resolve(false);
  };
}
