import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { type CertificateAuthority, issueCertificate } from "#wire/certificate-authority.ts";
import { parseCertificateRequestPem } from "#wire/certificate-request.ts";
import { certificatePem } from "#wire/x509.ts";
import type { ExtendedKeyUsage, KeyUsage } from "#wire/x509-extensions.ts";
import type { CertificateSigner } from "../framework/controller.ts";

const backdateMs = 5 * 60 * 1000;
/** Certificates that live shorter are not cut by what they are backdated. */
const shortMs = 8 * 3600 * 1000;

const keyUsages = new Map<string, KeyUsage>([
  ["signing", "digital signature"],
  ["digital signature", "digital signature"],
  ["content commitment", "content commitment"],
  ["key encipherment", "key encipherment"],
  ["key agreement", "key agreement"],
  ["data encipherment", "data encipherment"],
  ["cert sign", "cert sign"],
  ["crl sign", "crl sign"],
  ["encipher only", "encipher only"],
  ["decipher only", "decipher only"],
]);

const extendedKeyUsages = new Map<string, ExtendedKeyUsage>([
  ["any", "any"],
  ["server auth", "server auth"],
  ["client auth", "client auth"],
  ["code signing", "code signing"],
  ["email protection", "email protection"],
  ["s/mime", "email protection"],
  ["ipsec end system", "ipsec end system"],
  ["ipsec tunnel", "ipsec tunnel"],
  ["ipsec user", "ipsec user"],
  ["timestamping", "timestamping"],
  ["ocsp signing", "ocsp signing"],
  ["microsoft sgc", "microsoft sgc"],
  ["netscape sgc", "netscape sgc"],
]);

function known<U>(usages: readonly string[], names: ReadonlyMap<string, U>): U[] {
  const found = usages.map((usage) => names.get(usage)).filter((usage) => usage !== undefined);
  return [...new Set(found)];
}

/** Signs with one authority whatever it is asked to. Source: pkg/controller/certificates/authority/policies.go. */
export function createCertificateSigner(spec: {
  readonly authority: CertificateAuthority;
  readonly clock: Clock;
  readonly random: Random;
}): CertificateSigner {
  const { authority, clock, random } = spec;
  return {
    async sign({ csrPem, usages, durationMs }) {
      const content = parseCertificateRequestPem(csrPem);
      if (!content.isSignatureValid()) throw new Error("unable to verify certificate request signature");
      const nowMs = clock.nowMs();
      const lastMs = authority.certificate.notAfterMs;
      if (nowMs >= lastMs) throw new Error("refusing to sign a certificate that expired in the past: the signer has expired");
      const endMs = nowMs + durationMs - (durationMs < shortMs ? 0 : backdateMs);
      const certificate = issueCertificate(authority, {
        subject: { commonName: content.subject.commonName, organizations: [...content.subject.organizations] },
        key: content.publicKey,
        altNames: content.altNames,
        notBeforeMs: nowMs - backdateMs,
        notAfterMs: Math.min(endMs, lastMs),
        keyUsages: known(usages, keyUsages),
        extendedKeyUsages: known(usages, extendedKeyUsages),
        random,
      });
      return certificatePem(certificate);
    },
  };
}
