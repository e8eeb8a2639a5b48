import {
  approvalSubresource,
  certificateSigningRequestStrategy,
  conditionText,
  signingSubresource,
} from "./certificate-signing-request-strategy.ts";
import { ageColumn, column, humanDuration, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bytes,
  type Infer,
  int32,
  kind,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
  wrappedListOf,
} from "#apimachinery/schema.ts";

export const CertificateSigningRequestSpec = struct(
  "io.k8s.api.certificates.v1.CertificateSigningRequestSpec",
  {
    request: req(1, bytes),
    signerName: req(7, string),
    expirationSeconds: ptr(8, int32),
    usages: opt(5, listOf(named("v1.KeyUsage", string)), { listType: "atomic" }),
    username: opt(2, string),
    uid: opt(3, string),
    groups: opt(4, listOf(string), { listType: "atomic" }),
    extra: opt(6, mapOf(named("v1.ExtraValue", wrappedListOf(string)))),
  },
);
export interface CertificateSigningRequestSpec extends Infer<
  typeof CertificateSigningRequestSpec
> {}

export const CertificateSigningRequestCondition = struct(
  "io.k8s.api.certificates.v1.CertificateSigningRequestCondition",
  {
    type: req(1, named("v1.RequestConditionType", string)),
    status: req(6, named("v1.ConditionStatus", string)),
    reason: opt(2, string),
    message: opt(3, string),
    lastUpdateTime: opt(4, time),
    lastTransitionTime: opt(5, time),
  },
);
export interface CertificateSigningRequestCondition extends Infer<
  typeof CertificateSigningRequestCondition
> {}

export const CertificateSigningRequestStatus = struct(
  "io.k8s.api.certificates.v1.CertificateSigningRequestStatus",
  {
    conditions: opt(1, listOf(CertificateSigningRequestCondition), {
      listType: "map",
      mapKeys: ["type"],
    }),
    certificate: opt(2, bytes),
  },
);
export interface CertificateSigningRequestStatus extends Infer<
  typeof CertificateSigningRequestStatus
> {}

export const CertificateSigningRequest = kind(
  "io.k8s.api.certificates.v1.CertificateSigningRequest",
  {
    metadata,
    spec: req(2, CertificateSigningRequestSpec),
    status: opt(3, CertificateSigningRequestStatus),
  },
);
export interface CertificateSigningRequest extends Infer<typeof CertificateSigningRequest> {}

export const certificateSigningRequests = defineResource<CertificateSigningRequest>({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  shortNames: ["csr"],
  scope: "Cluster",
  schema: CertificateSigningRequest,
  strategy: certificateSigningRequestStrategy,
  fieldSelectors: { "spec.signerName": ({ spec }) => spec.signerName },
  columns: [
    nameColumn,
    ageColumn,
    column("SignerName", ({ spec }) => spec.signerName || "<none>", { description: "Who is asked to sign." }),
    column("Requestor", ({ spec }) => spec.username ?? "", { description: "Who asks." }),
    column("RequestedDuration", ({ spec }) =>
      spec.expirationSeconds === undefined
        ? "<none>"
        : humanDuration(spec.expirationSeconds * 1000), { description: "How long the certificate is wanted for." }),
    column("Condition", conditionText, { description: "Pending, approved, denied, issued." }),
  ],
  subresources: {
    approval: approvalSubresource,
    status: signingSubresource,
  },
});
