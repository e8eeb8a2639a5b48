import { type CertificateSigningRequest, certificateSigningRequests } from "#api/certificates/v1/certificate-signing-request.ts";
import { rfc3339 } from "#base/clock.ts";
import type { CertificateRequest } from "#wire/certificate-request.ts";
import { defineController, done } from "../framework/controller.ts";
import { clientProblem, contentOf, hasCondition, kubeletClientProblem, kubeletServingProblem, pemOf, signers } from "./request.ts";

/** `--cluster-signing-duration`. */
const durationMaxMs = 365 * 24 * 3600 * 1000;
const durationMinMs = 10 * 60 * 1000;

/** Why a signer refuses a request; nothing for those that it signs. */
const problems = new Map<string, (content: CertificateRequest, usages: readonly string[]) => string | undefined>([
  [signers.kubeletServing, kubeletServingProblem],
  [signers.kubeletClient, kubeletClientProblem],
  [signers.apiServerClient, (_content, usages) => clientProblem(usages)],
  [signers.legacyUnknown, () => undefined],
]);

/** Signs what was approved for the signers of `kubernetes.io`. Source: pkg/controller/certificates/signer. */
export const certificateSigningController = defineController<CertificateSigningRequest>({
  name: "certificatesigningrequest-signing-controller",
  account: "certificate-controller",
  for: certificateSigningRequests,
  async reconcile(context) {
    const request = context.get();
    const { signer } = context.settings;
    if (request === undefined || signer === undefined || request.status?.certificate) return done;
    if (!hasCondition(request, "Approved") || hasCondition(request, "Denied") || hasCondition(request, "Failed")) return done;
    const { signerName, usages = [], expirationSeconds } = request.spec;
    const problemOf = problems.get(signerName);
    if (problemOf === undefined) return done;
    const message = problemOf(contentOf(request), usages);
    if (message !== undefined) {
      const lastUpdateTime = rfc3339(context.clock.nowMs());
      const failed = { type: "Failed", status: "True", reason: "SignerValidationFailure", message, lastUpdateTime };
      const conditions = [...(request.status?.conditions ?? []), failed];
      await context.resource(certificateSigningRequests).updateStatus({ ...request, status: { ...request.status, conditions } });
      return done;
    }
    const wantedMs = expirationSeconds === undefined ? durationMaxMs : expirationSeconds * 1000;
    const durationMs = Math.min(durationMaxMs, Math.max(durationMinMs, wantedMs));
    const pem = await signer.sign({ csrPem: pemOf(request), signerName, usages, durationMs });
    const status = { ...request.status, certificate: Buffer.from(pem).toString("base64") };
    await context.resource(certificateSigningRequests).updateStatus({ ...request, status });
    return done;
  },
});
