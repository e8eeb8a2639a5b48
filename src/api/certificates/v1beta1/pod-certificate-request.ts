import { Condition } from "#apimachinery/meta/condition.ts";
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
} from "#apimachinery/schema.ts";

export const PodCertificateRequestSpec = struct(
  "io.k8s.api.certificates.v1beta1.PodCertificateRequestSpec",
  {
    signerName: req(1, string),
    podName: req(2, string),
    podUID: req(3, named("types.UID", string)),
    serviceAccountName: req(4, string),
    serviceAccountUID: req(5, named("types.UID", string)),
    nodeName: req(6, named("types.NodeName", string)),
    nodeUID: req(7, named("types.UID", string)),
    maxExpirationSeconds: ptr(8, int32, { default: 86400 }),
    pkixPublicKey: req(9, bytes, { required: false }),
    proofOfPossession: req(10, bytes, { required: false }),
    stubPKCS10Request: req(12, bytes),
    unverifiedUserAnnotations: opt(11, mapOf(string)),
  },
);
export interface PodCertificateRequestSpec extends Infer<typeof PodCertificateRequestSpec> {}

export const PodCertificateRequestStatus = struct(
  "io.k8s.api.certificates.v1beta1.PodCertificateRequestStatus",
  {
    conditions: opt(1, listOf(Condition), {
      listType: "map",
      mapKeys: ["type"],
      patch: "merge",
      mergeKey: "type",
    }),
    certificateChain: opt(2, string),
    notBefore: ptr(4, time),
    beginRefreshAt: ptr(5, time),
    notAfter: ptr(6, time),
  },
);
export interface PodCertificateRequestStatus extends Infer<typeof PodCertificateRequestStatus> {}

export const PodCertificateRequest = kind("io.k8s.api.certificates.v1beta1.PodCertificateRequest", {
  metadata,
  spec: req(2, PodCertificateRequestSpec),
  status: opt(3, PodCertificateRequestStatus),
});
export interface PodCertificateRequest extends Infer<typeof PodCertificateRequest> {}

export const podCertificateRequests = defineResource<PodCertificateRequest>({
  group: "certificates.k8s.io",
  version: "v1beta1",
  kind: "PodCertificateRequest",
  plural: "podcertificaterequests",
  featureGate: "PodCertificateRequest",
  scope: "Namespaced",
  schema: PodCertificateRequest,
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
