import type { CertificateSigningRequest } from "#api/certificates/v1/certificate-signing-request.ts";
import { type CertificateRequest, parseCertificateRequestPem } from "#wire/certificate-request.ts";

export const signers = {
  kubeletServing: "kubernetes.io/kubelet-serving",
  kubeletClient: "kubernetes.io/kube-apiserver-client-kubelet",
  apiServerClient: "kubernetes.io/kube-apiserver-client",
  legacyUnknown: "kubernetes.io/legacy-unknown",
} as const;

export function hasCondition({ status }: CertificateSigningRequest, type: string): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === type && condition.status !== "False");
}

export function pemOf({ spec }: CertificateSigningRequest): string {
  return Buffer.from(spec.request, "base64").toString("utf8");
}

/** Throws when the request cannot be read. */
export function contentOf(request: CertificateSigningRequest): CertificateRequest {
  return parseCertificateRequestPem(pemOf(request));
}

function isSame(usages: readonly string[], wanted: readonly string[]): boolean {
  return new Set(usages).size === wanted.length && wanted.every((usage) => usages.includes(usage));
}

/** Elliptic keys have no use for key encipherment: it may be left out. */
function usageProblem(usages: readonly string[], auth: "client auth" | "server auth"): string | undefined {
  const short = ["digital signature", auth];
  if (isSame(usages, short) || isSame(usages, [...short, "key encipherment"])) return undefined;
  return `usages did not match [${[...short, "key encipherment"].toSorted().join(" ")}]`;
}

function organizationProblem({ subject }: CertificateRequest): string | undefined {
  if (subject.organizations.length === 1 && subject.organizations[0] === "system:nodes") return undefined;
  return "subject organization is not system:nodes";
}

function nodeNameProblem({ subject }: CertificateRequest): string | undefined {
  return subject.commonName.startsWith("system:node:") ? undefined : "subject common name does not begin with system:node:";
}

/** Why a kubelet may not have such a client certificate. Source: pkg/apis/certificates/helpers.go. */
export function kubeletClientProblem(content: CertificateRequest, usages: readonly string[]): string | undefined {
  const { dnsNames, emailAddresses, ipAddresses, uris } = content.altNames;
  return (
    organizationProblem(content) ??
    (dnsNames.length > 0 ? "DNS subjectAltNames are not allowed" : undefined) ??
    (emailAddresses.length > 0 ? "Email subjectAltNames are not allowed" : undefined) ??
    (ipAddresses.length > 0 ? "IP subjectAltNames are not allowed" : undefined) ??
    (uris.length > 0 ? "URI subjectAltNames are not allowed" : undefined) ??
    nodeNameProblem(content) ??
    usageProblem(usages, "client auth")
  );
}

export function kubeletServingProblem(content: CertificateRequest, usages: readonly string[]): string | undefined {
  const { dnsNames, emailAddresses, ipAddresses, uris } = content.altNames;
  return (
    organizationProblem(content) ??
    (dnsNames.length + ipAddresses.length === 0 ? "DNS or IP subjectAltName is required" : undefined) ??
    (emailAddresses.length > 0 ? "Email subjectAltNames are not allowed" : undefined) ??
    (uris.length > 0 ? "URI subjectAltNames are not allowed" : undefined) ??
    usageProblem(usages, "server auth") ??
    nodeNameProblem(content)
  );
}

export function clientProblem(usages: readonly string[]): string | undefined {
  const other = usages.find((usage) => !["digital signature", "key encipherment", "client auth"].includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes("client auth") ? undefined : "missing required usage for client certificate: client auth";
}
