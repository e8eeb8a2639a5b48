import type { CertificateSigningRequest } from "#api/certificates/v1/certificate-signing-request.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { parseCertificateRequestPem } from "#wire/certificate-request.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { type AdmissionRequest, forbid, isAbout } from "../request.ts";

const group = "certificates.k8s.io";
const plural = "certificatesigningrequests";
const clientSigner = "kubernetes.io/kube-apiserver-client";

/**
 * May the user do `verb` for a signer, or for all of its domain? Source:
 * plugin/pkg/admission/certificates.
 */
async function maySign(
  authorizer: Authorizer,
  { call }: AdmissionRequest,
  { verb, signer }: { readonly verb: string; readonly signer: string },
): Promise<boolean> {
  const domain = `${signer.split("/")[0] ?? ""}/*`;
  for (const name of [signer, domain]) {
    const rest = {
      group,
      version: "*",
      resource: "signers",
      subresource: "",
      namespace: "",
      path: "",
    };
    const decision = await authorizer.authorize({
      ...rest,
      user: call.user,
      verb,
      isResource: true,
      name,
    });
    if (decision.verdict === "allow") return true;
  }
  return false;
}

function signerOf(object: KubeObject | undefined): string {
  return (object as CertificateSigningRequest | undefined)?.spec?.signerName ?? "";
}

export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateApproval",
    handles: (request) =>
      request.operation === "UPDATE" && isAbout(request, group, plural, "approval"),
    async validate(request) {
      const signer = signerOf(request.oldObject);
      if (await maySign(authorizer, request, { verb: "approve", signer })) return;
      throw forbid(
        request,
        `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`,
      );
    },
  };
}

export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateSigning",
    handles: (request) =>
      request.operation === "UPDATE" && isAbout(request, group, plural, "status"),
    async validate(request) {
      const { status } = request.object as CertificateSigningRequest;
      const { status: old } = request.oldObject as CertificateSigningRequest;
      const same =
        status?.certificate === old?.certificate && deepEqual(status?.conditions, old?.conditions);
      if (same) return;
      const signer = signerOf(request.oldObject);
      if (await maySign(authorizer, request, { verb: "sign", signer })) return;
      throw forbid(
        request,
        `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`,
      );
    },
  };
}

/** Nobody becomes a member of `system:masters` by a certificate of the client signer. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  handles: (request) => request.operation === "CREATE" && isAbout(request, group, plural),
  validate(request) {
    const { spec } = request.object as CertificateSigningRequest;
    if (spec?.signerName !== clientSigner) return;
    const pem = Buffer.from(spec.request ?? "", "base64").toString("utf8");
    const { subject } = parseCertificateRequestPem(pem);
    if (!subject.organizations.includes("system:masters")) return;
    throw forbid(request, `use of ${clientSigner} signer with system:masters group is not allowed`);
  },
};

export function clusterTrustBundleAttest(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "ClusterTrustBundleAttest",
    handles: (request) =>
      (request.operation === "CREATE" || request.operation === "UPDATE") &&
      isAbout(request, group, "clustertrustbundles"),
    async validate(request) {
      const signer = signerOf(request.object);
      if (signer === "" || deepEqual(request.object, request.oldObject)) return;
      if (await maySign(authorizer, request, { verb: "attest", signer })) return;
      throw forbid(
        request,
        `user not permitted to attest for signerName ${JSON.stringify(signer)}`,
      );
    },
  };
}
