import { type CertificateSigningRequest, certificateSigningRequests } from "#api/certificates/v1/certificate-signing-request.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { parseCertificates } from "#wire/x509.ts";
import { defineController, done } from "../framework/controller.ts";
import { createdMs } from "../framework/pods.ts";

const hourMs = 3600 * 1000;
const decidedLifeMs = hourMs;
const pendingLifeMs = 24 * hourMs;

/** Deletes requests that nobody will look at any more. Source: pkg/controller/certificates/cleaner. */
export const certificateCleaner = defineController<CertificateSigningRequest>({
  name: "certificatesigningrequest-cleaner-controller",
  account: "certificate-controller",
  for: certificateSigningRequests,
  async reconcile(context) {
    const request = context.get();
    if (request === undefined || request.metadata.deletionTimestamp !== undefined) return done;
    const leftMs = endOf(request) - context.clock.nowMs();
    if (leftMs === Infinity) return done;
    // Past the deadline, not at it.
    if (leftMs >= 0) return { requeueAfterMs: leftMs + 1 };
    const { uid = "" } = request.metadata;
    try {
      await context.resource(certificateSigningRequests).delete(context.key, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  },
});

/** When a request may go: an hour after its decision, a day when there is none, at the certificate's end. */
export function endOf(request: CertificateSigningRequest): number {
  const { conditions = [], certificate } = request.status ?? {};
  if (conditions.length === 0) return createdMs(request) + pendingLifeMs;
  let endMs = Infinity;
  for (const { type, lastUpdateTime } of conditions) {
    const isOver = type === "Denied" || type === "Failed" || (type === "Approved" && Boolean(certificate));
    if (!isOver) continue;
    if (lastUpdateTime) endMs = Math.min(endMs, Date.parse(lastUpdateTime) + decidedLifeMs);
    if (type === "Approved" && certificate) endMs = Math.min(endMs, expiryOf(certificate));
  }
  return endMs;
}

function expiryOf(certificate: string): number {
  const [leaf] = parseCertificates(Buffer.from(certificate, "base64").toString("utf8"));
  return leaf?.notAfterMs ?? Infinity;
}
