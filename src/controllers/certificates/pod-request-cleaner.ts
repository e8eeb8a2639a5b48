import { type PodCertificateRequest, podCertificateRequests } from "#api/certificates/v1beta1/pod-certificate-request.ts";
import { ignoreNotFound } from "#apimachinery/status.ts";
import { type Controller, defineController, done } from "../framework/controller.ts";
import { createdMs } from "../framework/pods.ts";

/** No flow takes longer. Source: cmd/kube-controller-manager/app/certificates.go. */
const lifeMs = 15 * 60_000;

const cleaner = defineController<PodCertificateRequest>({
  name: "podcertificaterequest-cleaner-controller",
  for: podCertificateRequests,
  async reconcile(context) {
    const request = context.get();
    if (request === undefined || request.metadata.deletionTimestamp !== undefined) return done;
    const leftMs = createdMs(request) + lifeMs - context.clock.nowMs();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { uid = "" } = request.metadata;
    await ignoreNotFound(context.resource(podCertificateRequests).delete(context.key, { preconditions: { uid } }));
    return done;
  },
});

/** Deletes old requests, where the kind is served. Source: pkg/controller/certificates/cleaner/pcrcleaner.go. */
export const podCertificateRequestCleaner: Controller = {
  ...cleaner,
  start(environment) {
    if (environment.settings.featureEnabled?.("PodCertificateRequest") === true) cleaner.start(environment);
  },
};
