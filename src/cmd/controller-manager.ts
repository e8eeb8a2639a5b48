import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import type { Client } from "#client/client.ts";
import type { Informers } from "#client/informer-factory.ts";
import { createCertificateSigner } from "#controllers/certificates/authority.ts";
import { startControllers } from "#controllers/framework/run.ts";
import { controllers } from "#controllers/registry.ts";
import { createSigningKey, type SigningKey, signJwt } from "#wire/jwt.ts";
import type { Pki } from "./pki.ts";

export interface ControllerManagerOptions {
  /** Must be able to act as each controller's service account. */
  readonly client: Client;
  readonly informers: Informers;
  readonly pki: Pki;
  readonly lifetime: Lifetime;
  readonly featureEnabled?: (gate: string) => boolean;
  /** As `--controllers`. */
  readonly enable?: readonly string[];
}

/** Starts the controllers in this process. */
export function startControllerManager(world: World, options: ControllerManagerOptions): void {
  const { client, informers, pki, lifetime, enable, featureEnabled } = options;
  const signingKey = createSigningKey(pki.serviceAccountKey);
  startControllers({
    controllers,
    client,
    informers,
    clock: world.clock,
    random: world.random,
    log: world.log.named("controller-manager"),
    lifetime: lifetime.child("controller-manager"),
    ownIdentities: true,
    settings: {
      ...(featureEnabled && { featureEnabled }),
      rootCa: pki.caPem,
      signer: createCertificateSigner({ authority: pki.ca, clock: world.clock, random: world.random }),
      issueToken: (claims) => Promise.resolve(secretToken(claims, signingKey)),
    },
    ...(enable && { enable }),
  });
}

/** A token that lives as long as its Secret. Source: pkg/serviceaccount/legacy.go. */
function secretToken(
  claims: { namespace: string; secretName: string; accountName: string; accountUid: string },
  key: SigningKey,
): string {
  const { namespace, secretName, accountName, accountUid } = claims;
  return signJwt(
    {
      iss: "kubernetes/serviceaccount",
      "kubernetes.io/serviceaccount/namespace": namespace,
      "kubernetes.io/serviceaccount/secret.name": secretName,
      "kubernetes.io/serviceaccount/service-account.name": accountName,
      "kubernetes.io/serviceaccount/service-account.uid": accountUid,
      sub: `system:serviceaccount:${namespace}:${accountName}`,
    },
    key,
  );
}
