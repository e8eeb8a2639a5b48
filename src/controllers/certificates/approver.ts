import { type CertificateSigningRequest, certificateSigningRequests } from "#api/certificates/v1/certificate-signing-request.ts";
import { subjectAccessReviews } from "#api/authorization/v1/subject-access-review.ts";
import { type Context, defineController, done } from "../framework/controller.ts";
import { contentOf, hasCondition, kubeletClientProblem, signers } from "./request.ts";

/** Permissions change without a word to us, so a refused request is asked about again after so long. */
const refusedRetryMs = 60_000;

/** Approves client certificates of kubelets that may ask for them. Source: pkg/controller/certificates/approver. */
export const certificateApprovingController = defineController<CertificateSigningRequest>({
  name: "certificatesigningrequest-approving-controller",
  account: "certificate-controller",
  for: certificateSigningRequests,
  async reconcile(context) {
    const request = context.get();
    if (request === undefined || request.status?.certificate) return done;
    if (hasCondition(request, "Approved") || hasCondition(request, "Denied")) return done;
    if (request.spec.signerName !== signers.kubeletClient) return done;
    const content = contentOf(request);
    if (kubeletClientProblem(content, request.spec.usages ?? []) !== undefined) return done;
    const isSelf = request.spec.username === content.subject.commonName;
    if (isSelf && (await isAllowed(context, request, "selfnodeclient"))) {
      await approve(context, request, "Auto approving self kubelet client certificate after SubjectAccessReview.");
    } else if (await isAllowed(context, request, "nodeclient")) {
      await approve(context, request, "Auto approving kubelet client certificate after SubjectAccessReview.");
    } else return { requeueAfterMs: refusedRetryMs };
    return done;
  },
});

async function isAllowed(
  context: Context<CertificateSigningRequest, undefined>,
  { spec }: CertificateSigningRequest,
  subresource: string,
): Promise<boolean> {
  const resourceAttributes = { group: "certificates.k8s.io", resource: "certificatesigningrequests", verb: "create", subresource };
  const review = await context.client.resource(subjectAccessReviews).create({
    metadata: {},
    spec: {
      resourceAttributes,
      ...(spec.username !== undefined && { user: spec.username }),
      ...(spec.uid !== undefined && { uid: spec.uid }),
      ...(spec.groups && { groups: spec.groups }),
      ...(spec.extra && { extra: spec.extra }),
    },
  });
  return review.status?.allowed === true;
}

async function approve(
  context: Context<CertificateSigningRequest, undefined>,
  request: CertificateSigningRequest,
  message: string,
): Promise<void> {
  const approved = { type: "Approved", status: "True", reason: "AutoApproved", message };
  const status = { ...request.status, conditions: [...(request.status?.conditions ?? []), approved] };
  await context.resource(certificateSigningRequests).updateSubresource({
    key: context.key,
    name: "approval",
    body: { ...request, apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", status },
  });
}
