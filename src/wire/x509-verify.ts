import { X509Certificate } from "node:crypto";
import { rfc3339 } from "#base/clock.ts";
import { certificatePublicKey, type Certificate } from "./x509.ts";
import type { ExtendedKeyUsage } from "./x509-extensions.ts";

export interface VerifyOptions {
  readonly roots: readonly Certificate[];
  /** What the peer sent beside its own. */
  readonly intermediates?: readonly Certificate[];
  readonly nowMs: number;
  /** The leaf must allow it, or name no extended usage at all. */
  readonly usage: ExtendedKeyUsage;
}

/** Most certificates between leaf and root. */
export const chainLengthMax = 8;

/**
 * Why no chain of valid certificates leads from `leaf` to one of the roots, in Go's words;
 * undefined when one does.
 */
export function verifyCertificate(leaf: Certificate, options: VerifyOptions): string | undefined {
  const period = validityProblem(leaf, options.nowMs);
  if (period !== undefined) return period;
  const usages = leaf.extendedKeyUsages;
  if (usages.length > 0 && !usages.includes(options.usage) && !usages.includes("any")) {
    return "x509: certificate specifies an incompatible key usage";
  }
  return chains(leaf, options, 0) ? undefined : "x509: certificate signed by unknown authority";
}

function chains(certificate: Certificate, options: VerifyOptions, depth: number): boolean {
  const { roots, intermediates = [], nowMs } = options;
  if (roots.some((root) => Buffer.compare(root.der, certificate.der) === 0)) return true;
  if (depth >= chainLengthMax) return false;
  const signs = (issuer: Certificate): boolean =>
    validityProblem(issuer, nowMs) === undefined && isSignedBy(certificate, issuer);
  if (roots.some(signs)) return true;
  return intermediates.some((issuer) => signs(issuer) && chains(issuer, options, depth + 1));
}

function validityProblem(certificate: Certificate, nowMs: number): string | undefined {
  const expired = "x509: certificate has expired or is not yet valid: current time";
  if (nowMs < certificate.notBeforeMs) {
    return `${expired} ${rfc3339(nowMs)} is before ${rfc3339(certificate.notBeforeMs)}`;
  }
  if (nowMs > certificate.notAfterMs) {
    return `${expired} ${rfc3339(nowMs)} is after ${rfc3339(certificate.notAfterMs)}`;
  }
  return undefined;
}

/** Whether `issuer` is an authority of that name and its key made the signature. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (!issuer.isCa || Buffer.compare(certificate.issuerDer, issuer.subjectDer) !== 0) return false;
  if (issuer.keyUsages.length > 0 && !issuer.keyUsages.includes("cert sign")) return false;
  return new X509Certificate(certificate.der).verify(certificatePublicKey(issuer));
}
