import assert from "node:assert/strict";
import { test } from "node:test";
import { type PodCertificateRequest, podCertificateRequests } from "#api/certificates/v1beta1/pod-certificate-request.ts";
import { rfc3339 } from "#base/clock.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { podCertificateRequestCleaner } from "./pod-request-cleaner.ts";

for (const isServed of [true, false]) {
  test(`old requests of Pods for certificates ${isServed ? "go" : "stay while the kind is not served"}`, async () => {
    const world = startControllerWorld([podCertificateRequestCleaner], { settings: { featureEnabled: () => isServed } });
    const creationTimestamp = rfc3339(world.clock.nowMs());
    world.seed(podCertificateRequests, { metadata: { namespace: "a", name: "r", uid: "1", creationTimestamp }, spec: {} } as never as PodCertificateRequest);
    await world.settle(14 * 60_000);
    assert.equal(world.list(podCertificateRequests).length, 1);
    await world.settle(2 * 60_000);
    assert.equal(world.list(podCertificateRequests).length, isServed ? 0 : 1);
  });
}
