import type { ServiceAccount } from "#api/core/v1/service-account.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Node } from "#api/core/v1/node.ts";
import { invalidSinceLabel } from "#api/core/v1/legacy-tokens.ts";
import type { Secret } from "#api/core/v1/secret.ts";
import type { Clock } from "#base/clock.ts";
import { parseJwt, type ServiceAccountClaims, type VerificationKey } from "#wire/jwt.ts";
import type { User } from "../call.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { type Authenticator, bearerToken } from "./authenticator.ts";
import { verifiedToken, verifyOnce } from "./verified-tokens.ts";

/** What a token is checked against: the objects that it is bound to must still be there. */
export interface TokenObjects {
  readonly serviceAccounts: LiveSet<ServiceAccount>;
  readonly pods: LiveSet<Pod>;
  readonly secrets: LiveSet<Secret>;
  readonly nodes: LiveSet<Node>;
}

export interface ServiceAccountTokenOptions {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly keys: readonly VerificationKey[];
  readonly clock: Clock;
  readonly objects: () => TokenObjects;
  /** Told of each use of a token that is in a Secret. */
  readonly noteUse?: (secret: Secret) => void;
}

/** What a valid token says, or why it is refused. */
export type TokenVerdict =
  | { readonly user: User; readonly audiences: readonly string[] }
  | { readonly refused: string };

const userPrefix = "system:serviceaccount:";

/** The user that a service account is. */
export function serviceAccountUser(namespace: string, name: string, uid: string): User {
  return {
    name: `${userPrefix}${namespace}:${name}`,
    uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
    extra: {},
  };
}

/**
 * Checks a service account token: signature, issuer, times, audience, and that account, pod,
 * secret and node still exist with the same uid. Undefined: not one of ours.
 * Source: pkg/serviceaccount/{jwt,claims}.go.
 */
export function verifyServiceAccountToken(
  options: ServiceAccountTokenOptions,
  token: string,
  audiences: readonly string[] = options.audiences,
): TokenVerdict | undefined {
  const parsed = verifiedToken(token, options.keys) ?? parseJwt(token);
  const claims = parsed?.claims as ServiceAccountClaims | undefined;
  if (claims === undefined) return undefined;
  if (claims.iss === legacyIssuer) return verifySecretToken(options, token, parsed?.claims ?? {});
  if (claims.iss !== options.issuer) return undefined;
  if (verifyOnce(token, options.keys) === undefined) return { refused: "invalid signature" };
  const nowSeconds = options.clock.nowMs() / 1000;
  if (claims.exp !== undefined && nowSeconds > claims.exp) return { refused: "service account token has expired" };
  if (claims.nbf !== undefined && nowSeconds + 60 < claims.nbf)
    return { refused: "service account token is not valid yet" };
  const shared = audiencesOf(claims).filter((audience) => audiences.includes(audience));
  if (shared.length === 0) {
    return {
      refused: `token audiences ${quoted(audiencesOf(claims))} is invalid for the target audiences ${quoted(audiences)}`,
    };
  }
  const user = boundUser(options.objects(), claims);
  return typeof user === "string" ? { refused: user } : { user, audiences: shared };
}

/** As Go prints a list by `%q`. */
function quoted(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(" ")}]`;
}

const legacyIssuer = "kubernetes/serviceaccount";

/** A token of a Secret: no times, no audience; it lives as long as the Secret holds it. */
function verifySecretToken(
  options: ServiceAccountTokenOptions,
  token: string,
  claims: Readonly<Record<string, unknown>>,
): TokenVerdict {
  if (verifyOnce(token, options.keys) === undefined) return { refused: "invalid signature" };
  const claim = (name: string): string => String(claims[`${legacyIssuer}/${name}`] ?? "");
  const namespace = claim("namespace");
  const name = claim("service-account.name");
  const uid = claim("service-account.uid");
  const { serviceAccounts, secrets } = options.objects();
  const secret = secrets.get(namespace, claim("secret.name"));
  const stored = Buffer.from(secret?.data?.["token"] ?? "", "base64").toString("utf8");
  if (stored !== token || secret?.metadata?.deletionTimestamp !== undefined)
    return { refused: invalidated };
  if (serviceAccounts.get(namespace, name)?.metadata?.uid !== uid)
    return { refused: "service account UID does not match" };
  if (secret !== undefined) options.noteUse?.(secret);
  if (secret?.metadata?.labels?.[invalidSinceLabel]) return { refused: markedInvalid(secret, name) };
  return { user: serviceAccountUser(namespace, name, uid), audiences: options.audiences };
}

function markedInvalid({ metadata: { namespace = "", name = "" } }: Secret, account: string): string {
  return (
    `the token in secret ${namespace}/${name} for service account ${namespace}/${account} has been marked invalid. Use tokens from the ` +
    "TokenRequest API or manually created secret-based tokens, or remove the " +
    `'${invalidSinceLabel}' label from the secret to temporarily allow use of this token`
  );
}

function audiencesOf({ aud }: ServiceAccountClaims): readonly string[] {
  return typeof aud === "string" ? [aud] : (aud ?? []);
}

const invalidated = "service account token has been invalidated";

/** The user, or why there is none. */
function boundUser(objects: TokenObjects, claims: ServiceAccountClaims): User | string {
  const bound = claims["kubernetes.io"] ?? {};
  const { namespace = "", serviceaccount } = bound;
  const name = serviceaccount?.name ?? "";
  const account = objects.serviceAccounts.get(namespace, name);
  if (account === undefined) return `serviceaccounts ${JSON.stringify(name)} not found`;
  if (account.metadata?.uid !== serviceaccount?.uid) {
    return `service account UID (${account.metadata?.uid}) does not match claim (${serviceaccount?.uid})`;
  }
  const extra: Record<string, readonly string[]> = {};
  if (claims.jti !== undefined) extra["authentication.kubernetes.io/credential-id"] = [`JTI=${claims.jti}`];
  if (bound.secret !== undefined) {
    const secret = objects.secrets.get(namespace, bound.secret.name);
    if (secret?.metadata?.uid !== bound.secret.uid) return invalidated;
  }
  if (bound.pod !== undefined) {
    const pod = objects.pods.get(namespace, bound.pod.name);
    if (pod?.metadata?.uid !== bound.pod.uid) return invalidated;
    extra["authentication.kubernetes.io/pod-name"] = [bound.pod.name];
    extra["authentication.kubernetes.io/pod-uid"] = [bound.pod.uid];
  }
  if (bound.node !== undefined) {
    if (bound.pod === undefined) {
      const node = objects.nodes.get("", bound.node.name);
      if (node?.metadata?.uid !== bound.node.uid) return invalidated;
    }
    extra["authentication.kubernetes.io/node-name"] = [bound.node.name];
    if (bound.node.uid) extra["authentication.kubernetes.io/node-uid"] = [bound.node.uid];
  }
  return { ...serviceAccountUser(namespace, name, account.metadata?.uid ?? ""), extra };
}

/** Bearer tokens of service accounts. */
export function createServiceAccountAuthenticator(options: ServiceAccountTokenOptions): Authenticator {
  return {
    name: "service-account",
    authenticate(credentials) {
      const token = bearerToken(credentials);
      if (token === "") return Promise.resolve(undefined);
      const verdict = verifyServiceAccountToken(options, token);
      if (verdict === undefined) return Promise.resolve(undefined);
      return Promise.resolve("refused" in verdict ? "invalid" : verdict.user);
    },
  };
}
