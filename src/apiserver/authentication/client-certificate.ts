import type { Clock } from "#base/clock.ts";
import { type Certificate, certificateFingerprint, parseCertificate } from "#wire/x509.ts";
import { verifyCertificate } from "#wire/x509-verify.ts";
import type { PeerCertificate } from "#base/http.ts";
import type { User } from "../call.ts";
import type { Authenticator } from "./authenticator.ts";

/** Client certificates of the cluster's authority: CN is the user, O its groups. */
export function createCertificateAuthenticator(spec: {
  readonly roots: readonly Certificate[];
  readonly clock: Clock;
}): Authenticator {
  // One connection shows one certificate object for all its requests.
  const checked = new WeakMap<PeerCertificate, { user: User; notAfterMs: number } | "invalid">();
  return {
    name: "x509",
    authenticate({ certificate }) {
      if (certificate === undefined) return Promise.resolve(undefined);
      let known = checked.get(certificate);
      if (known === undefined || (known !== "invalid" && known.notAfterMs < spec.clock.nowMs())) {
        known = check(certificate, spec.roots, spec.clock.nowMs());
        checked.set(certificate, known);
      }
      return Promise.resolve(known === "invalid" ? known : known.user);
    },
  };
}

function check(
  { chain }: PeerCertificate,
  roots: readonly Certificate[],
  nowMs: number,
): { user: User; notAfterMs: number } | "invalid" {
  const [leaf, ...intermediates] = chain.map(parseCertificate);
  if (leaf === undefined) return "invalid";
  const problem = verifyCertificate(leaf, { roots, intermediates, nowMs, usage: "client auth" });
  if (problem !== undefined) return "invalid";
  const user = {
    name: leaf.subject.commonName,
    uid: "",
    groups: [...leaf.subject.organizations],
    extra: {
      "authentication.kubernetes.io/credential-id": [`X509SHA256=${certificateFingerprint(leaf)}`],
    },
  };
  return { user, notAfterMs: leaf.notAfterMs };
}
