import type { Clock } from "#base/clock.ts";
import type { PeerCertificate } from "#base/http.ts";
import { type Certificate, parseCertificate } from "#wire/x509.ts";
import { verifyCertificate } from "#wire/x509-verify.ts";
import type { User } from "../call.ts";
import type { Authenticator, Credentials } from "./authenticator.ts";

/** Names that proxies in front of this server have in their certificates. */
export const frontProxyNames: readonly string[] = ["front-proxy-client"];

export const requestHeaders = {
  user: "X-Remote-User",
  uid: "X-Remote-Uid",
  group: "X-Remote-Group",
  extraPrefix: "X-Remote-Extra-",
} as const;

/**
 * A proxy that shows a certificate of the front proxy authority tells in headers who asks.
 * Source: apiserver/pkg/authentication/request/headerrequest.
 */
export function createRequestHeaderAuthenticator(spec: {
  readonly roots: readonly Certificate[];
  readonly clock: Clock;
}): Authenticator {
  // One connection shows one certificate object for all its requests.
  const proxies = new WeakMap<PeerCertificate, number>();
  return {
    name: "request-header",
    authenticate(credentials) {
      const { certificate } = credentials;
      const user = userOf(credentials);
      if (certificate === undefined || user === undefined) return Promise.resolve(undefined);
      const nowMs = spec.clock.nowMs();
      const validUntilMs = proxies.get(certificate) ?? validity(certificate, spec.roots, nowMs);
      proxies.set(certificate, validUntilMs);
      return Promise.resolve(validUntilMs >= nowMs ? user : undefined);
    },
  };
}

/** Until when the certificate is that of a proxy; 0 when it is not. */
function validity({ chain }: PeerCertificate, roots: readonly Certificate[], nowMs: number): number {
  const [leaf, ...intermediates] = chain.map(parseCertificate);
  if (leaf === undefined || !frontProxyNames.includes(leaf.subject.commonName)) return 0;
  const problem = verifyCertificate(leaf, { roots, intermediates, nowMs, usage: "client auth" });
  return problem === undefined ? leaf.notAfterMs : 0;
}

function userOf({ header, values, names }: Credentials): User | undefined {
  const name = (header(requestHeaders.user.toLowerCase()) ?? "").trim();
  if (name === "") return undefined;
  const prefix = requestHeaders.extraPrefix.toLowerCase();
  const extra = names()
    .filter((one) => one.startsWith(prefix))
    .map((one) => [unescapeKey(one.slice(prefix.length)), values(one)] as const);
  return {
    name,
    uid: header(requestHeaders.uid.toLowerCase()) ?? "",
    groups: values(requestHeaders.group.toLowerCase()),
    extra: Object.fromEntries(extra),
  };
}

function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
